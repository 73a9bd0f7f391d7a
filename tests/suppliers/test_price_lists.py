import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from inventory.models import Product
from sphinx.core.errors import InputError
from sphinx.core.tables import read_table
from suppliers.errors import PriceListClosed
from suppliers.models import PriceList, Supplier, SupplierPrice, SupplierProduct
from suppliers.reading import find_columns, read_prices
from suppliers.services import (
    accept_price_list,
    apply_due_price_lists,
    choose_columns,
    discard_price_list,
    preview_price_list,
    receive_price_list,
)
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory

TODAY = NOON.date()


@pytest.fixture
def supplier(db: None) -> Supplier:
    """Sells A-1 as C-9 at 3.50 EUR."""
    found = SupplierFactory(name="Cirier")
    product = ProductFactory(sku="A-1", barcode="3017620422003")
    SupplierProductFactory(supplier=found, product=product, supplier_sku="C-9", price="3.50")
    return found


def received(supplier: Supplier, text: str | bytes, on: date = TODAY) -> PriceList:
    data = text.encode() if isinstance(text, str) else text
    return receive_price_list(
        supplier=supplier, name="tarif.csv", data=data, applies_on=on, at=NOON
    )


def prices(sku: str = "A-1") -> list[tuple[Decimal, Decimal]]:
    return list(
        SupplierPrice.objects.filter(item__product__sku=sku)
        .order_by("from_quantity")
        .values_list("from_quantity", "unit_price_excl_tax")
    )


def read(text: str) -> Any:
    rows = list(read_table("tarif.csv", text.encode()))
    return read_prices(rows, find_columns(rows))


# --- Columns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "role", "name"),
    [
        ("Réf.;Désignation;PU net HT", "price", "PU net HT"),
        ("Code article;Prix public TTC;Prix d'achat HT", "price", "Prix d'achat HT"),
        ("Référence;Tarif 2026;Tarif 2027", "price", "Tarif 2027"),
        ("Item no.;Description;List price;Net price", "price", "Net price"),
        ("Artikelnummer;Bezeichnung;UVP;EK-Preis", "price", "EK-Preis"),
        ("Referencia;Descripción;Precio", "price", "Precio"),
        ("Codice articolo;Prezzo", "reference", "Codice articolo"),
        ("sku;supplier_sku;purchase_price", "own_sku", "sku"),
        ("SKU;Price", "reference", "SKU"),
        ("Réf;EAN13;Prix;Colisage", "pack", "Colisage"),
        ("Réf;Prix;Qté mini;Délai (jours)", "minimum", "Qté mini"),
    ],
)
def test_columns_are_told_by_their_names(header: str, role: str, name: str) -> None:
    rows = list(read_table("tarif.csv", f"{header}\n".encode()))

    columns = find_columns(rows)

    assert columns.is_enough
    assert columns.header[columns.places[role]] == name


def test_a_header_below_titles_is_found() -> None:
    found = read("Cirier SARL;;\nTarif au 1er janvier;;\n\nRéf;Libellé;Prix HT\nC-9;Bougie;3,60\n")

    assert [(i.reference, i.prices[0][1], i.line) for i in found.items] == [
        ("C-9", Decimal("3.6"), 5)
    ]


def test_price_breaks_stand_in_rows_or_in_columns() -> None:
    in_rows = read("Réf;À partir de;Prix\nC-9;1;4\nC-9;10;3,5\n")
    in_columns = read("Réf;Prix;Prix par 10;Prix 100+\nC-9;4;3,5;3\n")

    assert in_rows.items[0].prices == ((1, 4), (10, Decimal("3.5")))
    assert in_columns.items[0].prices == ((1, 4), (10, Decimal("3.5")), (100, 3))


def test_a_quantity_is_a_break_only_where_references_come_back() -> None:
    breaks = read("Réf;Qté;Prix\nC-9;1;4\nC-9;10;3,5\n")
    in_stock = read("Réf;Qté;Prix\nC-9;352;4\nC-8;17;3,5\n")

    assert [start for start, _price in breaks.items[0].prices] == [1, 10]
    assert [start for start, _price in in_stock.items[0].prices] == [1]


def test_a_gross_price_less_the_discount_for_a_hundred_pieces() -> None:
    found = read("Réf;Prix brut;Remise;Prix pour\nVIS-4;12,00;35 %;100\n")

    assert found.items[0].prices == ((1, Decimal("0.078")),)


@pytest.mark.parametrize("cell", ["$4.00", "4.00 USD", "£4", "CHF 4"])
def test_prices_in_another_currency_are_left_aside_and_said(cell: str) -> None:
    found = read(f"Réf;Prix\nC-9;{cell}\nC-8;4 €\n")

    assert [i.reference for i in found.items] == ["C-8"]
    assert "Ligne 2" in found.faults[0].message


@pytest.mark.parametrize("cell", ["", "sur demande", "-3", "0", "1e9", "999999999"])
def test_a_row_without_a_price_is_said_and_the_others_go_on(cell: str) -> None:
    found = read(f"Réf;Prix\nC-9;{cell}\nC-8;4\n")

    assert [i.reference for i in found.items] == ["C-8"]
    assert found.faults[0].line == 2


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        rows = list(read_table("x", data))
        reading = read_prices(rows, find_columns(rows))
    except InputError:
        return
    assert all(price > 0 for item in reading.items for _start, price in item.prices)


def test_a_workbook_is_read_without_the_noise_of_its_numbers() -> None:
    book = Workbook()
    book.active.append(["Code EAN", "Prix HT"])
    book.active.append([3017620422003, 0.1 + 0.2])
    stream = io.BytesIO()
    book.save(stream)

    rows = list(read_table("tarif.xlsx", stream.getvalue()))

    assert rows[1].cells == ["3017620422003", "0.3"]


# --- Taking over -------------------------------------------------------------------------------


def test_receiving_a_list_changes_nothing_and_shows_what_would_change(supplier: Supplier) -> None:
    preview = preview_price_list(received(supplier, "Réf;Prix\nC-9;4,20\nX-1;9\n"))

    (change,) = preview.comparison.changes
    assert (change.kind, change.percent) == ("up", Decimal("20.0"))
    assert [i.reference for i in preview.comparison.unknown] == ["X-1"]
    assert prices() == [(1, Decimal("3.5"))]


def test_accepting_takes_prices_and_conditions_over(supplier: Supplier) -> None:
    text = "Réf;Prix;Prix par 50;Colisage;Délai\nC-9;4,20;3,9;6;12 jours\n"
    found = received(supplier, text)

    accept_price_list(price_list_id=found.pk, at=NOON)

    item = SupplierProduct.objects.get()
    assert prices() == [(1, Decimal("4.2")), (50, Decimal("3.9"))]
    assert (item.pack_size, item.lead_time_days) == (6, 12)
    found.refresh_from_db()
    assert found.status == "applied"
    assert found.outcome["changes"][0]["before"] == [["1", "3.5"]]


def test_the_tiers_of_the_list_replace_those_before(supplier: Supplier) -> None:
    SupplierPrice.objects.create(
        item=SupplierProduct.objects.get(), from_quantity=10, unit_price_excl_tax=3
    )

    accept_price_list(price_list_id=received(supplier, "Réf;Prix\nC-9;3,50\n").pk, at=NOON)

    assert prices() == [(1, Decimal("3.5"))]


def test_an_article_is_known_by_barcode_and_becomes_the_suppliers(supplier: Supplier) -> None:
    ProductFactory(sku="B-2", barcode="4006381333931")

    accept_price_list(
        price_list_id=received(supplier, "Réf;EAN;Prix\nC-77;4006381333931;2\n").pk, at=NOON
    )

    item = SupplierProduct.objects.get(product__sku="B-2")
    assert (item.supplier, item.supplier_sku) == (supplier, "C-77")
    assert prices("B-2") == [(1, 2)]


def test_articles_the_list_no_longer_names_keep_their_price(supplier: Supplier) -> None:
    other = ProductFactory(sku="B-2")
    SupplierProductFactory(supplier=supplier, product=other, supplier_sku="C-10", price="8")
    found = received(supplier, "Réf;Prix\nC-9;4\n")

    assert [i.product for i in preview_price_list(found).comparison.missing] == [other]
    accept_price_list(price_list_id=found.pk, at=NOON)
    assert prices("B-2") == [(1, 8)]


def test_a_list_for_later_waits_for_its_day(supplier: Supplier) -> None:
    later = TODAY + timedelta(days=30)
    found = accept_price_list(
        price_list_id=received(supplier, "Réf;Prix\nC-9;4\n", later).pk, at=NOON
    )

    assert apply_due_price_lists(at=NOON) == 0
    assert (found.status, prices()) == ("accepted", [(1, Decimal("3.5"))])
    assert apply_due_price_lists(at=NOON + timedelta(days=30)) == 1
    assert apply_due_price_lists(at=NOON + timedelta(days=30)) == 0
    assert prices() == [(1, 4)]


def test_the_same_file_again_is_the_same_list(supplier: Supplier) -> None:
    assert received(supplier, "Réf;Prix\nC-9;4\n") == received(supplier, "Réf;Prix\nC-9;4\n")


def test_a_list_put_aside_or_applied_is_closed(supplier: Supplier) -> None:
    found = received(supplier, "Réf;Prix\nC-9;4\n")
    discard_price_list(price_list_id=found.pk)

    with pytest.raises(PriceListClosed):
        accept_price_list(price_list_id=found.pk, at=NOON)
    assert prices() == [(1, Decimal("3.5"))]


def test_columns_chosen_by_hand_are_remembered_for_the_next_list(supplier: Supplier) -> None:
    found = received(supplier, "Machin;Truc\nC-9;4\n")
    assert not preview_price_list(found).columns.is_enough
    choose_columns(price_list_id=found.pk, places={"reference": 0, "price": 1})
    accept_price_list(price_list_id=found.pk, at=NOON)

    following = received(supplier, "Machin;Truc\nC-9;5\n")

    assert preview_price_list(following).comparison.changes[0].after == ((1, 5),)


def test_one_column_is_not_two_things(supplier: Supplier) -> None:
    found = received(supplier, "Réf;Prix\nC-9;4\n")

    with pytest.raises(InputError):
        choose_columns(price_list_id=found.pk, places={"reference": 1, "price": 1})


def test_a_list_without_a_readable_price_is_not_accepted(supplier: Supplier) -> None:
    found = received(supplier, "Réf;Prix\nC-9;?\n")

    with pytest.raises(InputError):
        accept_price_list(price_list_id=found.pk, at=NOON)


def test_comparing_costs_the_same_whatever_the_length(
    supplier: Supplier, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        SupplierProductFactory(supplier=supplier, supplier_sku=f"R-{n}", price="1")
    text = "Réf;Prix\n" + "".join(f"R-{n};2\n" for n in range(30))
    found = received(supplier, text)

    with django_assert_max_num_queries(6):
        preview = preview_price_list(found)
    assert preview.comparison.count("up") == 30
    with django_assert_max_num_queries(25):
        accept_price_list(price_list_id=found.pk, at=NOON)
    assert Product.objects.count() == 31


@pytest.mark.parametrize(
    ("currency", "cell"),
    [("USD", "$4.00"), ("CAD", "$4.00"), ("CNY", "¥4.00"), ("JPY", "¥4.00"), ("SEK", "4.00 SEK")],
)
def test_prices_in_the_suppliers_currency_are_read_whatever_their_sign(
    currency: str, cell: str
) -> None:
    rows = list(read_table("t.csv", f"reference;price\nR-1;{cell}\n".encode()))

    reading = read_prices(rows, find_columns(rows), currency)

    assert [item.prices for item in reading.items] == [((Decimal(1), Decimal("4.00")),)]
    assert reading.faults == []
