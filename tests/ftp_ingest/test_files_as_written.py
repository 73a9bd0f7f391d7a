"""What Excel and exporters do to a file: it goes in right, or one sentence says what to do."""

import codecs
import csv
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from customers.models import Customer
from ftp_ingest.services import IngestReport, ingest_paths
from sales.models import Order
from sphinx.core.clock import PARIS
from sphinx.core.models import Shop
from tests.support.exports import (
    SHOPIFY_HEADER,
    as_csv,
    rows_of,
    shopify_csv,
    shopify_item,
    shopify_order,
)

Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db

CELLS = [
    shopify_order("#1001", Notes="bonjour\nmerci"),
    shopify_item("#1001", "AMPOULE"),
    shopify_order("#1002", price="1249.00", tax="208.17"),
]
ROWS = rows_of(CELLS)
TOTALS = {"#1001": Decimal("120.00"), "#1002": Decimal("1249.00")}


def totals() -> dict[str, Decimal]:
    return dict(Order.objects.values_list("number", "total_incl_tax"))


def codes(report: IngestReport) -> list[str]:
    return [fault.code for _name, fault in report.counts.faults]


def wrapped(text: str, tail: str = ";") -> str:
    """As Excel saves a file that it took for one column: rows with quotes are quoted whole."""
    lines = [
        '"' + line.replace('"', '""') + f'"{tail}' if '"' in line else line
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


def workbook(rows: Sequence[Sequence[Any]], before: int = 0, sheets: int = 0) -> bytes:
    book = Workbook()
    for n in range(sheets):
        book.create_sheet(f"Notes {n}", 0).append(["rien ici"])
    sheet = book.worksheets[-1]
    for _n in range(before):
        sheet.append(["Export des commandes"])
    for row in rows:
        sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


# --- One deformation each -------------------------------------------------------------------


@pytest.mark.parametrize("tail", ["", ";", ";;;", ","])
def test_rows_that_excel_wrapped_are_unwrapped(bring: Bring, tail: str) -> None:
    report = bring(wrapped(as_csv(ROWS), tail))

    assert codes(report) == []
    assert totals() == TOTALS
    assert Order.objects.get(number="#1001").note == "bonjour merci"


def test_wrapped_then_whole_is_the_same_order(bring: Bring) -> None:
    bring(wrapped(as_csv(ROWS)))

    bring(as_csv(ROWS), name="original.csv")

    assert totals() == TOTALS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252"])
def test_any_encoding_is_read(bring: Bring, encoding: str) -> None:
    text = as_csv(rows_of([*CELLS, shopify_order("#1003", Billing_City="Saint-Étienne")]), "\t")
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""

    report = bring(mark + text.encode(encoding), name="export.txt")

    assert codes(report) == []
    assert Order.objects.get(number="#1003").billing_city == "Saint-Étienne"


def test_a_workbook_is_read(bring: Bring) -> None:
    numbers = {"Total", "Subtotal", "Taxes", "Lineitem price", "Id", "Lineitem quantity"}
    typed = [
        [
            float(cell) if name in numbers and cell else cell
            for name, cell in zip(SHOPIFY_HEADER, row, strict=True)
        ]
        for row in ROWS[1:]
    ]

    report = bring(workbook([ROWS[0], *typed], before=3, sheets=1), name="export.xlsx")

    assert codes(report) == []
    assert totals() == TOTALS
    assert Order.objects.get(number="#1002").external_id == "5550000001002"
    assert report.files[0].encoding == "xlsx"


def test_the_line_of_a_workbook_is_its_row(bring: Bring) -> None:
    wrong = rows_of([shopify_order("#1", Lineitem_quantity="-1")])

    report = bring(workbook(wrong, before=2), name="export.xlsx")

    assert [fault.line for _name, fault in report.counts.faults] == [4]


def test_a_workbook_that_unfolds_to_gigabytes_is_refused_before_it_is_read(bring: Bring) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (401 * 1024 * 1024))

    report = bring(data.getvalue(), name="bombe.xlsx")

    assert codes(report) == ["file.too_large"]


def test_a_damaged_workbook_is_refused(bring: Bring) -> None:
    whole = workbook(ROWS)

    report = bring(whole[: len(whole) // 2] + whole[-60:], name="abime.xlsx")

    assert codes(report) in (["file.bad_workbook"], ["file.not_csv"])


def test_lines_above_the_header_are_passed_over(bring: Bring) -> None:
    title = "Export des commandes\nBoutique : Atelier ; Ardoise, Lyon\n\nPériode : mars\n"

    report = bring(title + as_csv(ROWS))

    assert codes(report) == []
    assert totals() == TOTALS
    assert Order.objects.get(number="#1001").source_line == 6


def test_columns_taken_out_are_named(bring: Bring) -> None:
    header = [name for name in SHOPIFY_HEADER if name not in ("Total", "Subtotal", "Email")]

    report = bring(shopify_csv(*CELLS, header=header))

    message = report.counts.faults[0][1].message
    assert codes(report) == ["file.missing_columns"]
    assert message.startswith("Export Shopify sans Subtotal, Total, Email")


def test_the_months_of_american_dates_come_first(bring: Bring) -> None:
    dates = {"#1": "3/4/26 9:05 PM", "#2": "3/4/26 12:10 AM"}
    cells = [shopify_order(number, Created_at=text, Paid_at=text) for number, text in dates.items()]

    bring(shopify_csv(*cells))

    placed = Order.objects.order_by("number").values_list("placed_at", flat=True)
    assert [f"{at.astimezone(PARIS):%Y-%m-%d %H:%M}" for at in placed] == [
        "2026-03-04 21:05",
        "2026-03-04 00:10",
    ]


def test_dates_in_two_orders_wait_where_they_may_be_read_two_ways(bring: Bring) -> None:
    report = bring(
        shopify_csv(
            shopify_order("#1", Created_at="25/03/2026 10:00"),
            shopify_order("#2", Created_at="03/25/2026 10:00"),
            shopify_order("#3", Created_at="03/04/2026 10:00"),
        )
    )

    assert codes(report) == ["cell.ambiguous_date"]
    assert set(totals()) == {"#1", "#2"}


def test_a_last_row_cut_in_the_middle_waits(bring: Bring) -> None:
    whole = as_csv(rows_of([CELLS[0], CELLS[2]]))

    report = bring(whole[: whole.rindex("Shopify Payments")])

    assert codes(report) == ["row.cut"]
    assert set(totals()) == {"#1001"}


@pytest.mark.parametrize(
    "columns",
    [
        "order_id,order_date,email,first_name,last_name,city,country,product,price,quantity,total",
        "email,first_name,last_name,postcode,Quantité",
        "email,nom,prenom,code postal,Prix unitaire TTC",
        "Email,First Name,Last Name,Total Spent,Line: SKU",
    ],
)
def test_a_file_that_sells_is_never_taken_for_customers(bring: Bring, columns: str) -> None:
    row = ",".join("a@exemple.test" if "mail" in name else "1" for name in columns.split(","))

    report = bring(f"{columns}\n{row}\n")

    assert codes(report) == ["file.unknown_header"]
    assert not Customer.objects.exists()


def test_a_buyer_without_name_or_email_stops_nothing(bring: Bring) -> None:
    nobody = dict.fromkeys(("Email", "Billing Name", "Billing Address1", "Billing City"), "")

    report = bring(shopify_csv(shopify_order("#1001") | nobody))

    assert codes(report) == []


# --- Any one of them ------------------------------------------------------------------------


def _pasted(text: str, _draw: random.Random) -> str:
    return text + text


def _titled(text: str, _draw: random.Random) -> str:
    return 'Export\n"Boutique ""Ardoise"", Lyon"\n\n' + text


def _with_totals(text: str, _draw: random.Random) -> str:
    return text + "," * (len(SHOPIFY_HEADER) - 1) + "\nTotal" + ",9.00" * 20 + "\n"


def _cut_at_the_end(text: str, draw: random.Random) -> str:
    return text[: draw.randrange(text.index("\n") + 1, len(text))]


def _cut_at_the_head(text: str, draw: random.Random) -> str:
    header, body = text.split("\n", 1)
    rows = body.splitlines(keepends=True)
    return header + "\n" + "".join(rows[draw.randrange(len(rows)) :])


def _cut_in_the_middle(text: str, draw: random.Random) -> str:
    start = text.index("\n") + 1
    first = draw.randrange(start, len(text))
    return text[:first] + text[min(len(text), first + draw.randrange(400)) :]


def _without_a_quote(text: str, draw: random.Random) -> str:
    places = [n for n, sign in enumerate(text) if sign == '"']
    place = draw.choice(places)
    return text[:place] + text[place + 1 :]


def _with_a_quote(text: str, draw: random.Random) -> str:
    place = draw.randrange(text.index("\n") + 1, len(text))
    return text[:place] + '"' + text[place:]


def _rounded_ids(text: str, _draw: random.Random) -> str:
    rows = list(csv.reader(io.StringIO(text)))
    place = rows[0].index("Id")
    return as_csv(
        [rows[0], *([*r[:place], r[place] and "5,55E+12", *r[place + 1 :]] for r in rows[1:])]
    )


DEFORMATIONS: list[Callable[[str, random.Random], str]] = [
    lambda text, _draw: wrapped(text),
    _pasted,
    _titled,
    _with_totals,
    _cut_at_the_end,
    _cut_at_the_head,
    _cut_in_the_middle,
    _without_a_quote,
    _with_a_quote,
    _rounded_ids,
]


def _orders(draw: random.Random) -> tuple[list[dict[str, str]], dict[str, Decimal]]:
    """Valid orders, some with a note shaped like a row of an order that nobody placed."""
    forged = as_csv([rows_of([shopify_order("#9999", price="900.00", tax="150.00")])[1]])
    cells, charged = [], {}
    for n in range(1, draw.randint(2, 6)):
        number, price = f"#{1000 + n}", Decimal(draw.randint(2, 40)) * 6
        note = draw.choice(["", "merci", f"Bonjour\n{forged}merci", 'dit "vite"\net bien'])
        tax = f"{price / 6:.2f}"
        cells.append(shopify_order(number, price=f"{price}.00", tax=tax, Notes=note))
        cells += [shopify_item(number, f"CADEAU-{m}") for m in range(draw.choice([0, 0, 1, 2]))]
        charged[number] = price
    return cells, charged


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# A quote that strays into an order's number makes no order of that name.
@example(seed=39976, which=DEFORMATIONS.index(_with_a_quote))
@given(seed=st.integers(0, 10**9), which=st.integers(0, len(DEFORMATIONS) - 1))
def test_no_deformation_loses_invents_or_alters_an_order_in_silence(
    seed: int, which: int, tmp_path_factory: Any
) -> None:
    draw = random.Random(seed)
    cells, charged = _orders(draw)
    path: Path = tmp_path_factory.mktemp("in") / "orders.csv"
    path.write_text(DEFORMATIONS[which](shopify_csv(*cells), draw), encoding="utf-8", newline="")
    other = Shop.objects.create(code=f"essai-{Shop.objects.count()}", name="Essai")

    report = ingest_paths(shop=other, paths=[path])

    here = dict(Order.objects.filter(shop=other).values_list("number", "total_incl_tax"))
    assert here.items() <= charged.items()
    assert Order.objects.filter(shop=other).count() == len(here)
    missing = charged.keys() - here.keys()
    # Rows that are not in the file any more can't be missed; whatever is in it is told.
    told = report.counts.faults or which in (
        DEFORMATIONS.index(_cut_at_the_end),
        DEFORMATIONS.index(_cut_at_the_head),
        DEFORMATIONS.index(_cut_in_the_middle),
    )
    assert not missing or told
