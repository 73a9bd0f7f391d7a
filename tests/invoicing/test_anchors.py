"""An anchor kept outside tells whether the books were rewritten whole."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounting_export.services import post_missing
from invoicing.anchors import anchor_of, last_anchor, prove_anchor
from invoicing.models import Closing
from invoicing.services import close_periods, closing_pdf, issue_invoice
from sphinx.core.errors import InputError
from tests.factories import NOON, line, shipped
from tests.support.tampering import triggers_off
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def closing() -> Closing:
    issue_invoice(delivery_note_id=shipped("1", line("A", "12.00")).pk, at=NOON)
    post_missing()
    (made,) = close_periods(at=NOON + DAY)
    return made


def rewrite_everything() -> None:
    """What no chain inside can tell: closings and seals made anew over other documents."""
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM invoicing_closing")
        cursor.execute("DELETE FROM core_seal")
        cursor.execute("DELETE FROM core_documentsequence WHERE series LIKE 'SEAL-%%'")
        cursor.execute("UPDATE invoicing_payment SET method = 'Autre'")
        cursor.execute("UPDATE core_auditevent SET kind = 'x'")
    close_periods(at=NOON + DAY)


def test_an_anchor_is_a_closing_of_the_database(closing: Closing) -> None:
    proof = prove_anchor(anchor_of(closing))

    assert (proof.checked, proof.faults) == (1, [])
    assert prove_anchor(closing.hash).ok


def test_books_rewritten_whole_are_told_by_the_anchor(closing: Closing) -> None:
    kept = last_anchor()
    rewrite_everything()

    assert not prove_anchor(kept).ok


def test_an_anchor_with_another_position_is_no_closings(closing: Closing) -> None:
    assert not prove_anchor(f"SPHINX-7-{closing.hash}").ok


def test_the_closings_pdf_holds_the_anchor(closing: Closing) -> None:
    path = closing_pdf(closing)

    assert prove_anchor(str(path)).checked == 1
    rewrite_everything()
    assert not prove_anchor(str(path)).ok


def test_the_anchor_is_printed_on_the_closings_page(closing: Closing) -> None:
    from pypdf import PdfReader

    text = "".join(page.extract_text() for page in PdfReader(closing_pdf(closing)).pages)

    assert anchor_of(closing) in text.replace("\n", "")


def test_the_closings_page_is_fetched_by_who_sees_closings(closing: Closing) -> None:
    response = signed_in("Comptable").get(f"/documents/clotures/{closing.pk}.pdf")

    assert response.status_code == 200
    assert b"".join(response).startswith(b"%PDF")


def test_the_command_verifies_an_anchor(closing: Closing) -> None:
    import json

    out = StringIO()
    call_command("verify", f"--anchor={anchor_of(closing)}", "--json", stdout=out)
    checks = {check["name"]: check for check in json.loads(out.getvalue())["checks"]}

    assert checks["anchor"] == {"name": "anchor", "ok": True, "checked": 1, "details": []}
    with pytest.raises(SystemExit) as ended:
        call_command("verify", f"--anchor={'0' * 64}", stdout=out)
    assert ended.value.code == 1


def test_a_file_without_an_anchor_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("rien")

    with pytest.raises(InputError):
        prove_anchor(str(path))
    with pytest.raises(InputError):
        prove_anchor(str(tmp_path / "absent"))
