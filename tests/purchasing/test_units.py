"""Bought by the box, kept by the piece: what the supplier writes is converted at the door."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from inventory.models import Product, StockPosition
from inventory.services import default_warehouse
from purchasing.models import PurchaseOrder, PurchaseOrderLine, ReceiptLine, SupplierInvoice
from purchasing.services import (
    Charged,
    create_order,
    enter_received,
    enter_supplier_invoice,
    match_lines,
    order_csv,
    propose_orders,
    receive_einvoice,
    receive_goods,
)
from suppliers.models import Supplier, SupplierPrice, SupplierProduct
from suppliers.services import accept_price_list, receive_price_list
from suppliers.units import Unit
from tests.factories import (
    NOON,
    ProductFactory,
    SupplierFactory,
    SupplierProductFactory,
    line,
    placed,
)
from tests.purchasing.test_receptions import cii, ubl
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def offer() -> SupplierProduct:
    """Candles at 2.00 a piece, sold by the box of 12 at 24.00."""
    found: SupplierProduct = SupplierProductFactory(
        supplier=SupplierFactory(name="Cirier du Nord", siren="404833048"),
        product=ProductFactory(sku="A-1", barcode="3017620422003", label="Bougie"),
        supplier_sku="C-9",
        price="2.00",
        unit_name="carton de 12",
        unit_size=12,
        unit_barcode="13017620422000",
    )
    return found


def ordered(offer: SupplierProduct, pieces: int = 60) -> PurchaseOrder:
    return create_order(
        supplier=offer.supplier,
        warehouse=default_warehouse(),
        quantities={offer.product_id: D(pieces)},
        at=NOON,
    )


@pytest.fixture
def row(offer: SupplierProduct) -> ReceiptLine:
    """Five boxes, ordered and received."""
    receipt = receive_goods(order_id=ordered(offer).pk, quantities=None, at=NOON)
    assert receipt is not None
    return receipt.lines.get()


def invoiced(offer: SupplierProduct, *charged: Charged, goods: str = "120.00") -> SupplierInvoice:
    return enter_supplier_invoice(
        supplier=offer.supplier,
        supplier_number="F-1",
        issued_on=NOON.date(),
        charged=charged,
        tax=D("0.00"),
        total_incl_tax=D(goods),
        at=NOON,
    )


def average_cost() -> Decimal:
    return StockPosition.objects.get().average_cost


# --- Invoices ------------------------------------------------------------------------------------


def test_an_invoice_in_boxes_is_what_was_ordered_in_pieces(
    offer: SupplierProduct, row: ReceiptLine
) -> None:
    invoice = invoiced(offer, Charged(row.pk, D(5), D(24), Unit("carton de 12", D(12))))

    kept = invoice.lines.get()
    assert (invoice.differences, invoice.status) == ([], "approved")
    assert (kept.quantity, kept.unit_price_excl_tax, kept.amount_excl_tax) == (60, 2, D("120.00"))
    assert (kept.written_quantity, kept.written_price) == (5, 24)
    assert kept.written_unit == "carton de 12"
    assert average_cost() == 2


def test_a_price_that_a_dozen_doesn_t_divide_makes_no_difference(
    offer: SupplierProduct,
) -> None:
    SupplierPrice.objects.update(unit_price_excl_tax=D("0.833333"))
    receipt = receive_goods(order_id=ordered(offer, 12_000).pk, quantities=None, at=NOON)
    assert receipt is not None
    box = Unit("carton de 12", D(12))

    invoice = invoiced(
        offer, Charged(receipt.lines.get().pk, D(1000), D(10), box), goods="10000.00"
    )

    assert (invoice.differences, invoice.goods_excl_tax) == ([], D("10000.00"))


def test_a_dearer_box_is_a_difference_in_pieces(offer: SupplierProduct, row: ReceiptLine) -> None:
    box = Unit("carton de 12", D(12))

    invoice = invoiced(offer, Charged(row.pk, D(5), D(30), box), goods="150.00")

    (found,) = invoice.differences
    assert (found["code"], found["expected"], found["charged"]) == ("price", "2", "2.5")
    assert found["amount"] == "30.00"


def test_the_form_takes_the_supplier_s_figures(offer: SupplierProduct, row: ReceiptLine) -> None:
    client = signed_in("Gérant")
    page = client.get(reverse("purchasing:enter_invoice", args=[PurchaseOrder.objects.get().pk]))
    form = page.context["form"]
    assert (form[f"q{row.pk}"].initial, form[f"p{row.pk}"].initial) == ("5", "24")

    client.post(
        reverse("purchasing:enter_invoice", args=[PurchaseOrder.objects.get().pk]),
        {
            "kind": "invoice",
            "supplier_number": "F-9",
            "issued_on": "2026-03-04",
            "tax": "24.00",
            "total_incl_tax": "144.00",
            f"q{row.pk}": "5",
            f"p{row.pk}": "24",
            f"u{row.pk}": "unit",
        },
    )

    invoice = SupplierInvoice.objects.get()
    assert (invoice.status, invoice.lines.get().quantity) == ("approved", 60)
    text = client.get(reverse("purchasing:invoice", args=[invoice.pk])).content.decode()
    assert "carton de 12" in text


# --- Electronic invoices -------------------------------------------------------------------------


def lines_of(quantity: str, unit: str, amount: str) -> dict[str, Any]:
    total = D(amount)
    tax = total / 5
    price = total / D(quantity)
    return {
        "BG-21": [],
        "BG-23": [{"BT-116": amount, "BT-117": f"{tax:.2f}", "BT-118": "S", "BT-119": "20.00"}],
        "BG-25": [
            {
                "BT-126": "1",
                "BT-129": quantity,
                "BT-130": unit,
                "BT-131": amount,
                "BT-146": f"{price:.6f}",
                "BT-151": "S",
                "BT-152": "20.00",
                "BT-153": "Bougie",
                "BT-155": "C-9",
            }
        ],
        "BT-106": amount,
        "BT-108": "0.00",
        "BT-109": amount,
        "BT-110": f"{tax:.2f}",
        "BT-112": f"{total + tax:.2f}",
        "BT-115": f"{total + tax:.2f}",
    }


@pytest.mark.parametrize("make", [cii, ubl], ids=["CII", "UBL"])
@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ("5", "XBX"),  # boxes (Recommendation 21)
        ("5", "XCT"),  # cartons
        ("5", "C62"),  # « one », which many write whatever it is: the price tells
        ("5", "EA"),
        ("5", "DZN"),  # dozens, whatever the box
        ("60", "H87"),  # pieces
        ("60", "C62"),
    ],
)
def test_units_of_electronic_invoices_become_pieces(
    row: ReceiptLine, make: Any, quantity: str, unit: str
) -> None:
    found = receive_einvoice(
        name="facture", data=make(**lines_of(quantity, unit, "120.00")), at=NOON
    )

    invoice = enter_received(received_id=found.pk, at=NOON)

    row.refresh_from_db()
    assert (invoice.status, invoice.differences) == ("approved", [])
    assert row.quantity_invoiced == 60
    assert average_cost() == 2


def test_a_dearer_piece_stays_a_piece(row: ReceiptLine) -> None:
    found = receive_einvoice(name="facture", data=cii(**lines_of("60", "C62", "180.00")), at=NOON)

    (matched,) = match_lines(found)

    assert [pieces for _line, pieces in matched.shares] == [60]


def test_a_line_in_boxes_spreads_over_receipts_in_pieces(offer: SupplierProduct) -> None:
    order = ordered(offer)
    only = order.lines.get()
    for pieces in (24, 36):
        receive_goods(order_id=order.pk, quantities={only.pk: D(pieces)}, at=NOON)
    found = receive_einvoice(name="facture", data=cii(**lines_of("5", "XBX", "120.00")), at=NOON)

    invoice = enter_received(received_id=found.pk, at=NOON)

    assert invoice.differences == []
    assert [kept.quantity for kept in invoice.lines.order_by("pk")] == [24, 36]


# --- Orders --------------------------------------------------------------------------------------


def test_proposals_are_whole_boxes(offer: SupplierProduct) -> None:
    placed("N1", line("A-1", quantity="13"))

    proposal = propose_orders(on=NOON.date()).orders[0]

    found = proposal.lines.get()
    assert found.quantity == 24
    assert (found.unit_name, found.unit_size, found.count) == ("carton de 12", 12, 2)


def test_a_pack_of_pieces_is_rounded_to_whole_boxes(offer: SupplierProduct) -> None:
    offer.pack_size = D(20)

    assert offer.order_multiple == 24


def test_the_supplier_reads_its_own_unit_with_pieces_beside(offer: SupplierProduct) -> None:
    order = ordered(offer)

    (row,) = csv.DictReader(io.StringIO(order_csv(order)), delimiter=";")

    assert (row["quantity"], row["unit_price_excl_tax"]) == ("5", "24")
    assert (row["unit"], row["pieces"], row["piece_price_excl_tax"]) == ("carton de 12", "60", "2")


def test_pieces_that_fill_no_box_are_written_as_pieces(offer: SupplierProduct) -> None:
    order = ordered(offer, 7)

    (row,) = csv.DictReader(io.StringIO(order_csv(order)), delimiter=";")

    assert (row["quantity"], row["unit_price_excl_tax"], row["unit"]) == ("7", "2", "")


def test_an_order_keeps_the_unit_it_was_made_in(offer: SupplierProduct) -> None:
    order = ordered(offer)

    SupplierProduct.objects.update(unit_size=10, unit_name="carton de 10")

    assert order.lines.get().unit == Unit("carton de 12", D(12))


# --- Receiving -----------------------------------------------------------------------------------


@pytest.fixture
def receiving(offer: SupplierProduct) -> tuple[Client, str, PurchaseOrderLine]:
    order = ordered(offer)
    url = reverse("purchasing:receive", args=[order.pk])
    return signed_in("Gérant"), url, order.lines.get()


def test_goods_are_received_in_boxes(receiving: tuple[Client, str, PurchaseOrderLine]) -> None:
    client, url, only = receiving

    client.post(
        url,
        {
            "verb": "receive",
            "receipts": "0",
            f"q{only.pk}": "4",
            f"d{only.pk}": "1",
            f"p{only.pk}": "30",
            f"u{only.pk}": "unit",
        },
    )

    got = ReceiptLine.objects.get()
    assert (got.quantity, got.quantity_damaged, got.unit_price_excl_tax) == (48, 12, D("2.5"))
    assert average_cost() == D("2.5")


def test_goods_are_received_in_pieces(receiving: tuple[Client, str, PurchaseOrderLine]) -> None:
    client, url, only = receiving

    client.post(
        url, {"verb": "receive", "receipts": "0", f"q{only.pk}": "50", f"u{only.pk}": "piece"}
    )

    assert ReceiptLine.objects.get().quantity == 50


@pytest.mark.parametrize(
    ("code", "given", "unit", "expected"),
    [
        # A box's own code adds a box, a piece's a piece: the row turns to pieces.
        ("13017620422000", "", "unit", ("1", "unit")),
        ("13017620422000", "2", "unit", ("3", "unit")),
        ("13017620422000", "7", "piece", ("19", "piece")),
        ("3017620422003", "", "unit", ("1", "piece")),
        ("3017620422003", "2", "unit", ("25", "piece")),
        ("A-1", "3", "piece", ("4", "piece")),
    ],
)
def test_scanning_adds_what_the_code_names(
    receiving: tuple[Client, str, PurchaseOrderLine],
    code: str,
    given: str,
    unit: str,
    expected: tuple[str, str],
) -> None:
    client, url, only = receiving

    page = client.post(
        url,
        {
            "verb": "scan",
            "receipts": "0",
            "code": code,
            f"q{only.pk}": given,
            f"u{only.pk}": unit,
        },
    )

    (row,) = page.context["rows"]
    assert (row["given"], row["unit"]) == expected


# --- Price lists ---------------------------------------------------------------------------------


def apply(supplier: Supplier, text: str) -> SupplierProduct:
    found = receive_price_list(
        supplier=supplier, name="tarif.csv", data=text.encode(), applies_on=NOON.date(), at=NOON
    )
    accept_price_list(price_list_id=found.pk, at=NOON)
    return SupplierProduct.objects.get()


def tiers() -> list[tuple[Decimal, Decimal]]:
    return list(SupplierPrice.objects.values_list("from_quantity", "unit_price_excl_tax"))


def test_a_list_by_the_box_is_kept_by_the_piece(offer: SupplierProduct) -> None:
    text = "Référence;Prix HT;À partir de;Minimum;Unité d'achat;Pièces par unité\n"
    text += "C-9;30,00;1;2;boîte;20\nC-9;24,00;10;2;boîte;20\n"

    item = apply(offer.supplier, text)

    assert (item.unit_name, item.unit_size, item.minimum_quantity) == ("boîte", 20, 40)
    assert tiers() == [(20, D("1.5")), (200, D("1.2"))]


def test_a_unit_that_names_its_pieces_needs_no_other_column(offer: SupplierProduct) -> None:
    item = apply(offer.supplier, "Référence;Prix HT;Unité d'achat\nC-9;36,00;Carton de 24\n")

    assert (item.unit_name, item.unit_size) == ("Carton de 24", 24)
    assert tiers() == [(24, D("1.5"))]


def test_a_list_that_names_no_unit_is_in_the_one_that_is_known(offer: SupplierProduct) -> None:
    item = apply(offer.supplier, "Référence;Prix HT\nC-9;30,00\n")

    assert item.unit_size == 12
    assert tiers() == [(12, D("2.5"))]


def test_a_list_that_says_for_how_many_pieces_is_believed(offer: SupplierProduct) -> None:
    apply(offer.supplier, "Référence;Prix HT;Prix pour\nC-9;250,00;100\n")

    assert tiers() == [(1, D("2.5"))]


def test_articles_without_a_unit_are_as_before() -> None:
    product: Product = ProductFactory(sku="B-1")
    item = SupplierProductFactory(product=product, supplier_sku="C-9", price="3.00")

    apply(item.supplier, "Référence;Prix HT\nC-9;2,50\n")

    assert tiers() == [(1, D("2.5"))]


def test_pages_tell_boxes_and_pieces(offer: SupplierProduct, row: ReceiptLine) -> None:
    client = signed_in("Gérant")
    order = ordered(offer)

    for page in (
        reverse("purchasing:proposal", args=[order.pk]),
        reverse("purchasing:receive", args=[order.pk]),
        reverse("purchasing:receipt", args=[row.receipt_id]),
    ):
        text = client.get(page).content.decode()
        assert "carton de 12" in text
        assert "60" in text
