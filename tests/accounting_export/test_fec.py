"""The year's FEC and its check: each kind of damage is named with line and column."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from accounting_export.errors import FecRefused
from accounting_export.fec_check import NAMED, Report, check_fec
from accounting_export.formats.fec import COLUMNS
from accounting_export.models import Account, AccountRule, ExportedEntry
from accounting_export.selectors import fiscal_year, fiscal_years
from accounting_export.services import FECS, Encoding, Separator, make_fec
from invoicing.models import Invoice
from invoicing.services import credit_invoice, issue_invoice
from sphinx.core.errors import InputError
from sphinx.core.models import Company
from sphinx.core.services import company
from tests.accounting_export.test_purchases import charged, received
from tests.factories import NOON, PARIS_ADDRESS, line, shipped
from tests.test_stock_pages import signed_in

NAME = "404833048FEC20261231.txt"
Rows = list[list[str]]


def entry(number: str, amount: str = "12,00", day: str = "20260302") -> Rows:
    """A sale of 10 EUR and its VAT, or of nothing at all in VAT when it is another amount."""
    common = ["VE", "Ventes", number, day]
    tail = ["FA1", day, "Vente"]
    end = ["", "", day, "", ""]
    return [
        [*common, "411100", "Clients", "", "", *tail, amount, "0,00", *end],
        [*common, "707000", "Ventes", "", "", *tail, "0,00", amount, *end],
    ]


def good() -> Rows:
    return [list(COLUMNS), *entry("VE000001"), *entry("VE000002"), *entry("VE000003")]


def checked(rows: Rows, name: str = NAME, separator: str = "\t", charset: str = "utf-8") -> Report:
    data = "".join(separator.join(row) + "\r\n" for row in rows).encode(charset)
    return check_fec(name, io.BytesIO(data))


def test_a_sound_file_passes_with_its_sums() -> None:
    report = checked(good())
    assert report.faults == []
    assert report.is_accepted
    assert (report.lines, report.entries) == (6, 3)
    assert (str(report.debit), str(report.credit)) == ("36.00", "36.00")
    assert report.journals == {"VE": 3}


@pytest.mark.parametrize("separator", ["\t", "|"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "iso-8859-15"])
def test_both_separators_and_the_usual_charsets_are_read(separator: str, charset: str) -> None:
    rows = good()
    rows[1][10] = "Vente à 10 €"
    assert checked(rows, separator=separator, charset=charset).faults == []


def test_amount_and_side_may_stand_for_debit_and_credit() -> None:
    rows = good()
    rows[0][11:13] = ["Montant", "Sens"]
    for n, row in enumerate(rows[1:]):
        row[11:13] = ["12,00", ("D", "C", "+1", "-1", "D", "C")[n]]
    report = checked(rows)
    assert report.faults == []
    assert report.debit == report.credit == 36


def damage(row: int, column: str, value: str) -> Callable[[Rows], None]:
    def do(rows: Rows) -> None:
        rows[row][COLUMNS.index(column)] = value

    return do


def without_column(rows: Rows) -> None:
    for row in rows:
        del row[9]


def swapped_columns(rows: Rows) -> None:
    for row in rows:
        row[0], row[1] = row[1], row[0]


def one_field_more(rows: Rows) -> None:
    rows[2].append("")


def blank_line(rows: Rows) -> None:
    rows.insert(3, [""])


def one_line_lost(rows: Rows) -> None:
    del rows[4]


def one_entry_lost(rows: Rows) -> None:
    del rows[3:5]


def not_in_order(rows: Rows) -> None:
    for row in rows[5:]:
        row[3] = row[9] = row[15] = "20260301"


def two_dates(rows: Rows) -> None:
    rows[2][3] = "20260303"


@pytest.mark.parametrize(
    ("harm", "line", "column", "words", "is_refused"),
    [
        (without_column, 1, "", "il manque les colonnes PieceDate", True),
        (swapped_columns, 1, "", "ne sont pas dans l'ordre", True),
        (one_field_more, 3, "", "19 champs au lieu de 18", True),
        (blank_line, 4, "", "ligne vide", True),
        (damage(2, "EcritureLib", ""), 3, "EcritureLib", "obligatoire", True),
        (damage(2, "CompteNum", " "), 3, "CompteNum", "obligatoire", True),
        (damage(2, "ValidDate", ""), 3, "ValidDate", "obligatoire", True),
        (damage(1, "PieceDate", "02/03/2026"), 2, "PieceDate", "AAAAMMJJ", True),
        (damage(1, "PieceDate", "20260230"), 2, "PieceDate", "AAAAMMJJ", True),
        (damage(1, "Debit", "12.00"), 2, "Debit", "une virgule", True),
        (damage(1, "Debit", "1 200,00"), 2, "Debit", "pas d'espace", True),
        (damage(1, "CompteNum", "CLIENT"), 2, "CompteNum", "trois chiffres", True),
        (damage(2, "Credit", "11,00"), 2, "EcritureNum", "écart 1,00", True),
        (one_line_lost, 4, "EcritureNum", "VE000002 n'est pas équilibrée", True),
        (two_dates, 3, "EcritureDate", "dates différentes", True),
        (one_entry_lost, 4, "EcritureNum", "VE000003 suit le n° 1", False),
        (not_in_order, 6, "ValidDate", "avant l'écriture précédente", False),
        (damage(1, "CompAuxNum", "C12"), 2, "CompAuxNum", "CompAuxLib", False),
        (damage(1, "EcritureLet", "AAA"), 2, "EcritureLet", "DateLet", False),
        (damage(1, "EcritureLib", "a|b"), 2, "", "« | »", False),
    ],
)
def test_each_damage_is_named_where_it_is(
    harm: Callable[[Rows], None], line: int, column: str, words: str, is_refused: bool
) -> None:
    rows = good()
    harm(rows)
    report = checked(rows)
    found = next((fault for fault in report.faults if words in fault.message), None)
    assert found is not None, report.faults
    assert (found.line, found.column, found.blocks) == (line, column, is_refused)
    assert report.is_accepted is not is_refused


def test_a_line_on_both_sides_or_neither_is_to_be_explained() -> None:
    rows = good()
    rows[1][12] = rows[2][11] = "5,00"
    report = checked(rows)
    assert report.is_accepted
    assert [fault.line for fault in report.faults] == [2, 3]


def test_an_empty_file_and_one_without_entries_are_refused() -> None:
    assert [f.message for f in checked([]).faults] == ["le fichier est vide"]
    assert [f.message for f in checked([list(COLUMNS)]).faults] == ["aucune écriture"]


def test_a_file_cut_in_half_says_where() -> None:
    data = "".join("\t".join(row) + "\r\n" for row in good()).encode()
    report = check_fec(NAME, io.BytesIO(data[: len(data) - 60]))
    assert not report.is_accepted
    assert any(fault.line == 7 and "au lieu de 18" in fault.message for fault in report.faults)


@pytest.mark.parametrize("column", ["EcritureNum", "Debit", "EcritureDate", "CompteNum"])
@pytest.mark.parametrize("value", ["9" * 5000, "\0", "٣٤", "-", "é" * 300])
def test_no_value_stops_the_check(column: str, value: str) -> None:
    rows = good()
    rows[1][COLUMNS.index(column)] = value
    assert checked(rows).lines == 6


def test_a_side_that_is_none_is_named() -> None:
    rows = good()
    rows[0][11:13] = ["Montant", "Sens"]
    for n, row in enumerate(rows[1:]):
        row[11:13] = ["12,00", "X" if n == 0 else "DC"[n % 2]]
    report = checked(rows)
    assert [(f.line, f.column) for f in report.faults] == [(2, "Sens")]


@pytest.mark.parametrize(
    "name",
    ["fec.txt", "404833048FEC2026.txt", "40483304FEC20261231.txt", "404833048FEC20261231.csv"],
)
def test_a_name_that_is_not_the_laws_is_to_be_explained(name: str) -> None:
    report = checked(good(), name=name)
    assert [f.line for f in report.faults] == [0]
    assert report.is_accepted


def test_the_same_fault_on_many_lines_is_named_some_times_and_counted() -> None:
    rows = [list(COLUMNS), *(row for n in range(1, 40) for row in entry(f"VE{n:06d}"))]
    for row in rows[1:]:
        row[10] = ""
    report = checked(rows)
    assert len(report.faults) == NAMED
    assert sum(report.more.values()) == 78 - NAMED


# --- The year ---------------------------------------------------------------------------------


@pytest.fixture
def firm(db: None) -> Company:
    found = company()
    found.name, found.siren = "Maison Sphinx", "404833048"
    found.save()
    return found


def invoiced(number: str, **values: Any) -> Invoice:
    note = shipped(number, line("A", "120.00"), line("B", "10.55", tax_rate=5), **values)
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


def read(path: Path, separator: str = "\t", charset: str = "utf-8") -> list[dict[str, str]]:
    header, *rows = path.read_bytes().decode(charset).split("\r\n")[:-1]
    return [dict(zip(header.split(separator), row.split(separator), strict=True)) for row in rows]


def test_the_years_fec_has_all_journals_in_the_order_of_validation(firm: Company) -> None:
    sold = invoiced("1", payment_method="Stripe")
    charged(received())
    credit_invoice(invoice_id=sold.pk, amount=3, reason="Geste", at=NOON)

    path, report = make_fec(day=date(2026, 3, 31))

    assert path.name == NAME
    assert report.faults == []
    rows = read(path)
    assert {"VE", "AC", "ST"} <= {row["JournalCode"] for row in rows}
    assert [row["ValidDate"] for row in rows] == sorted(row["ValidDate"] for row in rows)
    assert len(rows) == report.lines
    assert sum(report.journals.values()) == report.entries


def test_making_it_hands_nothing_over(firm: Company) -> None:
    invoiced("1")
    make_fec(day=date(2026, 3, 31))
    assert not ExportedEntry.objects.exists()


def test_pipes_and_an_older_charset_on_request(firm: Company) -> None:
    invoiced("1", billing=PARIS_ADDRESS._replace(name="Łukasz Cœur|é"))
    path, report = make_fec(
        day=date(2026, 3, 31), separator=Separator.PIPE, encoding=Encoding.LATIN
    )
    assert report.faults == []
    assert "Lukasz Cœur é" in " ".join(row["EcritureLib"] for row in read(path, "|", "iso-8859-15"))


def test_what_would_be_refused_leaves_no_file(firm: Company) -> None:
    wrong = Account.objects.create(number="70X00000", label="Faux")
    AccountRule.objects.filter(nature=AccountRule.Nature.GOODS).update(account=wrong)
    invoiced("1")

    with pytest.raises(FecRefused, match="trois chiffres") as caught:
        make_fec(day=date(2026, 3, 31))

    assert not caught.value.context["report"].is_accepted
    assert not list(Path(settings.DATA_DIR, FECS).glob("*"))


def test_without_a_siren_it_has_no_name(db: None) -> None:
    with pytest.raises(InputError, match="SIREN"):
        make_fec(day=date(2026, 3, 31))


@pytest.mark.parametrize(
    ("day", "month", "first", "last"),
    [
        (date(2026, 3, 31), 12, date(2026, 1, 1), date(2026, 12, 31)),
        (date(2026, 6, 30), 6, date(2025, 7, 1), date(2026, 6, 30)),
        (date(2026, 7, 1), 6, date(2026, 7, 1), date(2027, 6, 30)),
        (date(2028, 2, 1), 2, date(2027, 3, 1), date(2028, 2, 29)),
    ],
)
def test_a_fiscal_year_ends_where_the_firm_says(
    day: date, month: int, first: date, last: date
) -> None:
    assert fiscal_year(day, month) == (first, last)


def test_the_years_with_entries_are_those_to_choose_from(firm: Company) -> None:
    assert fiscal_years(12) == []
    invoiced("1")
    make_fec(day=date(2026, 3, 31))
    assert fiscal_years(12) == [(date(2026, 1, 1), date(2026, 12, 31))]
    assert fiscal_years(2) == [(date(2026, 3, 1), date(2027, 2, 28))]


# --- Page and command -------------------------------------------------------------------------


def test_the_page_makes_the_file_shows_the_check_and_gives_it(firm: Company) -> None:
    client = signed_in("Comptable")
    assert "Aucune écriture encore" in client.get("/comptabilite/fec/").content.decode()
    invoiced("1")
    make_fec(day=date(2026, 3, 31))
    form = {"year": "2026-12-31", "separator": "PIPE", "encoding": "UTF8"}

    page = client.post("/comptabilite/fec/", form).content.decode()

    assert "conforme" in page
    assert f"/comptabilite/fec/{NAME}" in page
    answer = client.get(f"/comptabilite/fec/{NAME}")
    assert b"".join(answer).startswith(b"JournalCode|")  # type: ignore[arg-type]


def test_any_file_can_be_checked_on_the_page(firm: Company) -> None:
    rows = good()
    rows[2][10] = ""
    data = io.BytesIO("".join("\t".join(row) + "\r\n" for row in rows).encode())
    data.name = NAME
    page = signed_in("Comptable").post("/comptabilite/fec/", {"file": data}).content.decode()
    assert "refuserait" in page
    assert "EcritureLib" in page


@pytest.mark.parametrize("name", ["..%2Fsecret.txt", "x.txt", "404833048FEC20251231.txt"])
def test_only_a_fec_that_was_made_is_given(firm: Company, name: str) -> None:
    assert signed_in("Comptable").get(f"/comptabilite/fec/{name}").status_code == 404


def test_who_may_not_export_sees_none_of_it(firm: Company) -> None:
    assert signed_in("Entrepôt").get("/comptabilite/fec/").status_code == 403


def test_the_command_makes_and_checks(
    firm: Company, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    invoiced("1")
    call_command("fec", day=date(2026, 3, 31))
    assert "Accepté." in capsys.readouterr().out
    wrong = tmp_path / NAME
    wrong.write_text("\t".join(COLUMNS))
    with pytest.raises(SystemExit) as caught:
        call_command("fec", check=wrong)
    assert caught.value.code == 1
    assert "aucune écriture" in capsys.readouterr().out
