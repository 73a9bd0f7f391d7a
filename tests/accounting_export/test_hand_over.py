"""What passes between firm and accountant: numbered files, pieces, questions and answers."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounting_export.errors import NotAnswerable, NothingToExport
from accounting_export.models import (
    EntryQuestion,
    ExportBatch,
    ExportedEntry,
    ImportedBatch,
    JournalEntry,
    PiecesArchive,
)
from accounting_export.selectors import coverage
from accounting_export.services import (
    answer,
    ask,
    export_journal,
    export_new,
    make_pieces,
    mark_imported,
    pieces_path,
    post_missing,
    start_pieces,
)
from invoicing.models import Invoice
from invoicing.services import issue_invoice
from sphinx.core.errors import InputError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, line, shipped
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
MARCH = {"date_from": date(2026, 3, 1), "date_to": date(2026, 3, 31)}


def invoiced(number: str, **values: Any) -> Invoice:
    return issue_invoice(delivery_note_id=shipped(number, line("A", "12.00"), **values).pk, at=NOON)


def faults() -> list[str]:
    return [fault for proof in run_proofs() for fault in proof.faults]


# --- Files -----------------------------------------------------------------------------------


def test_a_file_has_a_number_and_is_kept_byte_for_byte(tmp_path: Path) -> None:
    invoiced("1")
    batch = export_journal(format_code="fec", path=tmp_path / "fec.txt", **MARCH)

    assert batch.number == "EX000001"
    assert batch.path == "exports/EX000001/000000000FEC20260331.txt"
    kept = batch.file.read_bytes()
    assert kept == (tmp_path / "fec.txt").read_bytes()
    assert hashlib.sha256(kept).hexdigest() == batch.sha256
    assert faults() == []


def test_what_is_new_is_handed_over_once() -> None:
    invoiced("1")
    first = export_new(format_code="csv")
    invoiced("2")
    second = export_new(format_code="csv")

    assert (first.entry_count, second.entry_count) == (1, 1)
    assert second.number == "EX000002"
    with pytest.raises(NothingToExport, match="déjà été envoyé"):
        export_new(format_code="csv")
    # The batches together are the journal.
    assert ExportedEntry.objects.count() == JournalEntry.objects.filter(journal__code="VE").count()
    assert coverage(NOON.date()).left == 0
    assert faults() == []


def test_a_period_without_what_was_sent_and_a_whole_one() -> None:
    invoiced("1")
    export_new(format_code="csv")
    invoiced("2")
    rest = export_journal(format_code="csv", only_new=True, **MARCH)
    whole = export_journal(format_code="csv", **MARCH)
    assert (rest.entry_count, whole.entry_count) == (1, 2)


def test_journals_of_money_have_hand_overs_of_their_own() -> None:
    invoiced("1")
    sales = export_new(format_code="csv")
    money = export_new(format_code="csv", journals=["VE", "CB"])
    assert (sales.journals, money.journals, money.entry_count) == ("VE", "VE,CB", 1)


def test_a_file_that_can_not_be_written_leaves_no_batch(tmp_path: Path) -> None:
    invoiced("1")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Impossible d'écrire"):
        export_journal(format_code="csv", path=tmp_path / "file" / "x.csv", **MARCH)
    assert not ExportBatch.objects.exists()
    assert not ExportedEntry.objects.exists()
    assert not list(tmp_path.rglob("*.part"))


def test_a_file_changed_on_the_disk_is_found_out() -> None:
    invoiced("1")
    batch = export_new(format_code="csv")
    batch.file.write_bytes(batch.file.read_bytes().replace(b"12,00", b"13,00"))
    assert faults() == [f"EX000001 : {batch.path} a changé"]
    batch.file.unlink()
    assert faults() == [f"EX000001 : {batch.path} manque"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_hand_over_at_once_send_each_entry_once() -> None:
    for n in range(5):
        invoiced(str(n))
    post_missing()

    raised = together([lambda: export_new(format_code="csv")] * 4)

    assert {type(error) for error in raised} <= {NothingToExport}
    assert ExportedEntry.objects.count() == 5
    assert ExportBatch.objects.get().entry_count == 5
    assert faults() == []


def test_the_same_sales_are_in_documents_journal_and_batches() -> None:
    invoiced("1")
    post_missing()
    found = coverage(NOON.date())
    assert (found.invoiced, found.booked, found.exported, found.left) == (12, 12, 0, 12)
    assert found.is_whole
    export_new(format_code="csv")
    assert coverage(NOON.date()).left == 0


# --- Imported, pieces --------------------------------------------------------------------------


def test_a_batch_is_marked_as_imported_once_and_for_good() -> None:
    invoiced("1")
    batch = export_new(format_code="csv")
    mark_imported(batch_id=batch.pk, at=NOON)
    mark_imported(batch_id=batch.pk, at=NOON + timedelta(days=1))

    assert ImportedBatch.objects.get().imported_at == NOON
    with pytest.raises(DatabaseError), transaction.atomic():
        ImportedBatch.objects.all().delete()


def test_pieces_are_the_pdfs_of_the_batch_with_an_index() -> None:
    invoices = [invoiced("1"), invoiced("2")]
    batch = export_new(format_code="csv")
    invoiced("3")
    wanted = start_pieces(batch_id=batch.pk, at=NOON)
    assert (wanted.status, wanted.total) == ("running", 2)

    made = make_pieces(archive_id=wanted.pk)

    assert (made.status, made.done) == ("done", 2)
    with zipfile.ZipFile(pieces_path(batch)) as package:
        assert sorted(package.namelist()) == [
            "FA2026-000001.pdf", "FA2026-000002.pdf", "index.csv",
        ]  # fmt: skip
        index = package.read("index.csv").decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(index), delimiter=";"))
        for row in rows:
            digest = hashlib.sha256(package.read(row["Fichier"])).hexdigest()
            assert row["SHA-256"] == digest
    assert [(r["Écriture"], r["Pièce"], r["Total TTC"]) for r in rows] == [
        ("VE000001", invoices[0].number, "12,00"),
        ("VE000002", invoices[1].number, "12,00"),
    ]


def test_pieces_that_can_not_be_written_say_why_and_may_begin_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invoiced("1")
    batch = export_new(format_code="csv")

    def full(*_args: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("accounting_export.services.hand_over.render_pdfs", full)
        wanted = make_pieces(archive_id=start_pieces(batch_id=batch.pk, at=NOON).pk)
        assert (wanted.status, wanted.reason) == ("failed", "No space left on device")
        assert not pieces_path(batch).exists()

    wanted = make_pieces(archive_id=start_pieces(batch_id=batch.pk, at=NOON).pk)
    assert (wanted.status, wanted.reason) == ("done", "")


# --- Questions -----------------------------------------------------------------------------------


@pytest.fixture
def people(django_user_model: Any) -> Callable[[str], Any]:
    make: Callable[[str], Any] = django_user_model.objects.create_user
    return make


def test_a_question_has_one_answer(people: Callable[[str], Any]) -> None:
    entry = _entry()
    question = ask(entry_id=entry.pk, text=" Pourquoi 20 % ? ", at=NOON, actor=people("compta"))
    answer(question_id=question.pk, text="Bougie.", at=NOON, actor=people("ventes"))

    question.refresh_from_db()
    assert (question.text, question.answer) == ("Pourquoi 20 % ?", "Bougie.")
    with pytest.raises(NotAnswerable, match="déjà sa réponse"):
        answer(question_id=question.pk, text="Non.", at=NOON, actor=people("autre"))


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_is_neither_question_nor_answer(people: Callable[[str], Any], text: str) -> None:
    entry = _entry()
    with pytest.raises(NotAnswerable):
        ask(entry_id=entry.pk, text=text, at=NOON, actor=people("compta"))


def _entry() -> JournalEntry:
    invoiced("1")
    post_missing()
    return JournalEntry.objects.get(journal__code="VE")


# --- In the browser ------------------------------------------------------------------------


def test_the_accountant_takes_marks_and_asks_and_the_firm_answers() -> None:
    entry = _entry()
    accountant, sales = signed_in("Comptable"), signed_in("Ventes")

    accountant.post(
        "/comptabilite/export/", {"scope": "new", "format_code": "quadra", "journals": ["VE"]}
    )
    batch = ExportBatch.objects.get()
    got = accountant.get(f"/comptabilite/export/{batch.pk}/")
    assert b"".join(got.streaming_content) == batch.file.read_bytes()
    accountant.post(f"/comptabilite/export/{batch.pk}/importe/")
    accountant.post(f"/comptabilite/export/{batch.pk}/pieces.zip")
    page = accountant.get("/comptabilite/export/").content.decode()
    assert "EX000001" in page
    assert "Zip" in page
    assert PiecesArchive.objects.get().status == "done"

    url = f"/comptabilite/ecritures/{entry.pk}/"
    accountant.post(url, {"verb": "ask", "text": "Quel client ?"})
    question = EntryQuestion.objects.get()
    assert accountant.post(url, {"verb": f"answer-{question.pk}", "text": "x"}).status_code == 404
    assert "accounting_export/entryquestion" in sales.get("/").content.decode()
    sales.post(url, {"verb": f"answer-{question.pk}", "text": "Léa Martin"})
    assert "Léa Martin" in accountant.get(url).content.decode()


def test_a_period_needs_both_its_days() -> None:
    page = signed_in("Comptable").post(
        "/comptabilite/export/",
        {"scope": "period", "format_code": "csv", "journals": ["VE"], "date_from": "01/03/2026"},
    )
    assert "les deux dates" in page.content.decode()


def test_who_does_no_accounts_takes_nothing() -> None:
    invoiced("1")
    batch = export_new(format_code="csv")
    sales = signed_in("Ventes")
    for path in ("", f"{batch.pk}/", f"{batch.pk}/pieces.zip", f"{batch.pk}/pieces/"):
        assert sales.get(f"/comptabilite/export/{path}").status_code == 403
    assert sales.post(f"/comptabilite/export/{batch.pk}/importe/").status_code == 403
