import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from accounting_export.errors import UnknownFormat
from accounting_export.models import ExportBatch, ExportedEntry
from accounting_export.services import export_journal
from customers.drafts import CustomerDraft
from invoicing.services import issue_invoice
from sphinx.core.errors import InputError
from tests.factories import NOON, PARIS_ADDRESS, line, shipped

pytestmark = pytest.mark.django_db
D = Decimal
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture
def invoices() -> None:
    for n, name in enumerate(("Léa Martin", '=CMD("x")\t|Faure; & "fils"'), start=1):
        address = PARIS_ADDRESS._replace(name=name)
        buyer = CustomerDraft(ref=f"C{n}", email=f"{n}@exemple.test", company=name * (n - 1))
        note = shipped(f"100{n}", line("A", "12.00"), customer=buyer, billing=address)
        issue_invoice(delivery_note_id=note.pk, at=NOON)


def export(path: Path, code: str = "fec", period: tuple[date, date] = MARCH) -> ExportBatch:
    return export_journal(date_from=period[0], date_to=period[1], format_code=code, path=path)


def rows(path: Path, delimiter: str) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE))


@pytest.mark.usefixtures("invoices")
def test_the_fec_has_its_eighteen_columns_and_balances(tmp_path: Path) -> None:
    batch = export(tmp_path / "123456782FEC20261231.txt")

    header, *lines = rows(tmp_path / "123456782FEC20261231.txt", "\t")
    assert len(header) == 18
    assert all(len(row) == 18 for row in lines)
    assert header[:3] == ["JournalCode", "JournalLib", "EcritureNum"]
    debit = sum(D(row[11].replace(",", ".")) for row in lines)
    credit = sum(D(row[12].replace(",", ".")) for row in lines)
    assert debit == credit == batch.debit == 24
    assert lines[0][2:5] == ["VE000001", "20260302", "41110000"]


@pytest.mark.usefixtures("invoices")
def test_no_separator_or_quote_is_left_in_a_value(tmp_path: Path) -> None:
    export(tmp_path / "fec.txt")

    text = (tmp_path / "fec.txt").read_bytes()
    assert b"|" not in text
    assert b'"' not in text
    assert text.endswith(b"\r\n")
    assert not text.endswith(b"\r\n\r\n")


@pytest.mark.usefixtures("invoices")
def test_spreadsheets_get_no_formula(tmp_path: Path) -> None:
    export(tmp_path / "j.csv", "csv")
    export(tmp_path / "j.xlsx", "xlsx")

    assert (tmp_path / "j.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    texts = [cell for row in rows(tmp_path / "j.csv", ";")[1:] for cell in row]
    sheet = load_workbook(tmp_path / "j.xlsx").active
    assert sheet is not None
    texts += [str(c) for row in sheet.iter_rows(min_row=2, values_only=True) for c in row if c]
    assert any("CMD" in text for text in texts)
    assert not any(text.startswith(("=", "+", "@")) for text in texts)


@pytest.mark.usefixtures("invoices")
def test_the_same_period_again_gives_the_same_bytes_and_one_batch(tmp_path: Path) -> None:
    first = export(tmp_path / "a.txt")
    second = export(tmp_path / "b.txt")

    assert first == second
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()
    assert ExportedEntry.objects.count() == 2


@pytest.mark.usefixtures("invoices")
def test_only_the_entries_of_the_period_are_in(tmp_path: Path) -> None:
    batch = export(tmp_path / "a.txt", period=(date(2026, 4, 1), date(2026, 4, 30)))

    assert (batch.entry_count, batch.line_count, batch.debit) == (0, 0, 0)


def test_an_unknown_format_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="fec"):
        export(tmp_path / "a.txt", "sage2000")


def test_a_period_upside_down_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        export(tmp_path / "a.txt", period=(MARCH[1], MARCH[0]))
