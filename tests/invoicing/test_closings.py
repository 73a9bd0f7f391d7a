"""Closings that never move, and archives that anybody can check."""

import shutil
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from invoicing.errors import PeriodClosed
from invoicing.models import Closing, Invoice
from invoicing.services import (
    close_periods,
    credit_invoice,
    issue_invoice,
    make_archive,
)
from invoicing.verifier import faults_of
from sphinx.core.errors import InputError
from sphinx.core.proofs import run_proofs
from sphinx.core.services import company
from tests.factories import NOON, line, shipped

pytestmark = pytest.mark.django_db
D = Decimal
DAY = timedelta(days=1)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def invoiced(number: str, price: str, days: int = 0) -> Invoice:
    note = shipped(number, line("A", price))
    return issue_invoice(delivery_note_id=note.pk, at=NOON + days * DAY)


def days() -> list[Closing]:
    return list(Closing.objects.filter(kind="day").order_by("position"))


def test_each_day_that_ended_is_closed_once_even_late() -> None:
    invoiced("1", "12.00")
    invoice = invoiced("2", "24.00", days=2)
    credit_invoice(invoice_id=invoice.pk, amount=D("6.00"), reason="Geste", at=NOON + 2 * DAY)

    made = close_periods(at=NOON + 4 * DAY)
    again = close_periods(at=NOON + 4 * DAY)

    assert (len(made), again) == (4, [])
    assert [(c.documents, c.perpetual_incl_tax) for c in days()] == [
        (1, D("12.00")),
        (0, D("12.00")),
        (2, D("30.00")),
        (0, D("30.00")),
    ]
    third = days()[2]
    assert (third.invoiced_incl_tax, third.credited_incl_tax) == (24, 6)
    assert third.details["rates"] == {"20.00": ["15.00", "3.00"]}
    assert [proof.faults for proof in run_proofs() if proof.name == "closings"] == [[]]


def test_today_is_not_closed() -> None:
    invoiced("1", "12.00")

    assert close_periods(at=NOON) == []


def test_months_and_financial_years_end_with_their_last_day() -> None:
    firm = company()
    firm.fiscal_year_end_month = 3
    firm.save()
    invoiced("1", "12.00")

    close_periods(at=NOON + 31 * DAY)

    month = Closing.objects.get(kind="month")
    year = Closing.objects.get(kind="year")
    assert (month.first_on, month.last_on) == (date(2026, 3, 1), date(2026, 3, 31))
    assert (year.first_on, year.last_on) == (date(2025, 4, 1), date(2026, 3, 31))
    assert month.invoiced_incl_tax == year.perpetual_incl_tax == 12


def test_nothing_is_dated_in_a_closed_day() -> None:
    invoiced("1", "12.00")
    note = shipped("2", line("A", "12.00"))
    close_periods(at=NOON + DAY)

    with pytest.raises(PeriodClosed):
        issue_invoice(delivery_note_id=note.pk, at=NOON)
    assert issue_invoice(delivery_note_id=note.pk, at=NOON + DAY).issued_on == date(2026, 3, 3)


def test_the_database_refuses_to_change_a_closing() -> None:
    invoiced("1", "12.00")
    close_periods(at=NOON + DAY)

    for sql in (
        "UPDATE invoicing_closing SET perpetual_incl_tax = 0",
        "DELETE FROM invoicing_closing",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


# --- Archives ----------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for n in range(3):
        invoiced(str(n), "12.00", days=n)
    close_periods(at=NOON + 4 * DAY)
    path = tmp_path / "archive.zip"
    done = make_archive(first=MARCH[0], last=MARCH[1], path=path, at=NOON + 4 * DAY)
    assert (done.documents, done.closings) == (3, 4)
    return path


def altered(path: Path, name: str, old: bytes, new: bytes) -> Path:
    """The archive with one byte or more changed in one file, and nothing else."""
    copy = path.with_name("altered.zip")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(copy, "w") as after:
        for entry in before.namelist():
            data = before.read(entry)
            after.writestr(entry, data.replace(old, new, 1) if entry == name else data)
    return copy


def test_a_whole_archive_is_whole(archive: Path) -> None:
    assert faults_of(archive) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("documents.jsonl", b"12.00", b"13.00"),
        ("closings.jsonl", b"24.00", b"25.00"),
        ("documents.csv", b"12,00", b"13,00"),
        ("pdf/FA2026-000002.pdf", b"%PDF", b"%PDG"),
        ("manifeste.json", b"FA2026-000001", b"FA2026-000009"),
    ],
)
def test_one_byte_changed_is_found(archive: Path, name: str, old: bytes, new: bytes) -> None:
    assert faults_of(altered(archive, name, old, new)) != []


def test_a_document_changed_with_its_manifest_is_found_all_the_same(archive: Path) -> None:
    import hashlib
    import json

    forged = altered(archive, "documents.jsonl", b"12.00", b"13.00")
    with zipfile.ZipFile(forged) as opened:
        manifest = json.loads(opened.read("manifeste.json"))
        digest = hashlib.sha256(opened.read("documents.jsonl")).hexdigest()
    old = manifest["files"]["documents.jsonl"]
    forged = altered(
        shutil.copy(forged, archive.with_name("forged.zip")),
        "manifeste.json",
        old.encode(),
        digest.encode(),
    )

    assert faults_of(forged) == ["FA2026-000001 : modifié depuis son émission"]


def test_the_checker_in_the_archive_works_alone(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extract("verificateur.py", tmp_path)
    run = [sys.executable, "-I", str(tmp_path / "verificateur.py")]

    whole = subprocess.run([*run, str(archive)], capture_output=True, text=True, check=False)
    bad = altered(archive, "documents.jsonl", b"12.00", b"13.00")
    broken = subprocess.run([*run, str(bad)], capture_output=True, text=True, check=False)

    assert (whole.returncode, broken.returncode) == (0, 1)
    assert "FA2026-000001" in broken.stdout


def test_the_commands_archive_and_check(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "second.zip"
    call_command("archive", "--from=2026-03-01", "--to=2026-03-02", f"--output={path}")
    out = StringIO()

    call_command("check_archive", str(path), stdout=out)

    assert "entière" in out.getvalue()
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SystemExit) as ended:
        call_command("check_archive", str(path), stdout=out)
    assert ended.value.code == 1


def test_a_period_without_documents_is_not_archived(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        make_archive(first=MARCH[0], last=MARCH[1], path=tmp_path / "x.zip", at=NOON)
