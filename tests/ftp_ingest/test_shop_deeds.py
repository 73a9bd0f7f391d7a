"""What each dialect reads of what the shop already did: left, taken out, given back."""

import csv
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from ftp_ingest.dialects import find_dialect
from ftp_ingest.dialects.base import Header, Row
from ftp_ingest.services import IngestReport
from sales.drafts import OrderDraft
from sales.models import DeliveryNote, Order
from sphinx.core.models import Shop
from tests.factories import ProductFactory
from tests.support.exports import shopify_csv, shopify_item, shopify_order

D = Decimal
Bring = Callable[..., IngestReport]


def read(dialect: str, *rows: Mapping[str, str], states: Mapping[str, str] | None = None) -> Any:
    """The first order of a file of these cells."""
    header = Header(list(rows[0]))
    orders = find_dialect(dialect).orders(header)
    orders.states = states or {}
    body: Sequence[Row] = [
        Row(line, [*row.values(), *[""] * 3]) for line, row in enumerate(rows, start=2)
    ]
    return orders.draft(body)


def pieces(draft: OrderDraft) -> list[tuple[D | None, D, D]]:
    """Shipped, cancelled, refunded, line by line."""
    return [(line.shipped, line.cancelled, line.refunded) for line in draft.lines]


# --- Pivot -----------------------------------------------------------------------------------

PIVOT = {
    "order_number": "1",
    "placed_at": "2026-11-20 09:15",
    "status": "paid",
    "email": "lea@exemple.test",
    "sku": "BOU",
    "quantity": "3",
    "unit_price_incl_tax": "24.00",
    "tax_rate": "20",
    "total_incl_tax": "72.00",
}


def pivot(**more: str) -> OrderDraft:
    return read("pivot", PIVOT | more)


@pytest.mark.parametrize("status", ["shipped", "delivered", "Expédiée", "Livrée"])
def test_a_state_of_the_pivot_format_says_that_all_left(status: str) -> None:
    assert pivot(status=status).is_shipped


@pytest.mark.parametrize("status", ["paid", "pending", "Expédiée en partie", "refunded"])
def test_other_states_dont(status: str) -> None:
    assert not pivot(status=status).is_shipped


def test_the_pivot_format_tells_pieces_and_amounts() -> None:
    draft = pivot(
        quantity_shipped="1",
        quantity_cancelled="1",
        quantity_refunded="1",
        line_refunded_incl_tax="20,00",
        shipping_refunded_incl_tax="4.90",
        shipped_at="2026-11-21 10:00",
        carrier="Colissimo",
        tracking_number="6A1",
    )

    assert pieces(draft) == [(D(1), D(1), D(1))]
    assert draft.lines[0].refunded_amount == D("20.00")
    assert draft.shipping_refunded == D("4.90")
    assert (draft.carrier, draft.tracking_number) == ("Colissimo", "6A1")
    assert f"{draft.shipped_at:%Y-%m-%d}" == "2026-11-21"


def test_a_blank_cell_says_nothing_and_0_says_zero() -> None:
    blank = pivot(quantity_shipped="", line_refunded_incl_tax="")
    zero = pivot(quantity_shipped="0", line_refunded_incl_tax="0")

    assert (blank.lines[0].shipped, blank.lines[0].refunded_amount) == (None, None)
    assert (zero.lines[0].shipped, zero.lines[0].refunded_amount) == (D(0), D("0.00"))


def test_a_shops_own_answer_about_a_state_goes_before() -> None:
    answered = read("pivot", PIVOT | {"status": "Chez le facteur"},
                    states={"chez le facteur": "shipped"})  # fmt: skip

    assert answered.is_shipped


# --- Shopify ---------------------------------------------------------------------------------


def shopify(status: str, *items: str) -> OrderDraft:
    first = shopify_order("#1", price="24.00", Fulfillment_Status=status)
    rows = [first | {"Lineitem fulfillment status": items[0]}]
    rows += [
        shopify_item("#1", "SAV", "0.00") | {"Lineitem fulfillment status": item}
        for item in items[1:]
    ]
    lines = [line.split(",") for line in shopify_csv(*rows).splitlines()]
    return read("shopify", *(dict(zip(lines[0], cells, strict=True)) for cells in lines[1:]))


def test_a_fulfilled_order_of_shopify_has_left() -> None:
    draft = shopify("fulfilled", "fulfilled")

    assert draft.is_shipped
    assert pieces(draft)[0][0] == draft.lines[0].quantity


def test_a_partial_one_says_it_line_by_line() -> None:
    draft = shopify("partial", "fulfilled", "pending")

    assert not draft.is_shipped
    assert [shipped for shipped, _c, _r in pieces(draft)] == [D(1), D(0)]


# --- WooCommerce ------------------------------------------------------------------------------

WOO = {
    "order_id": "701",
    "order_number": "701",
    "order_date": "2026-11-20 18:30:00",
    "status": "processing",
    "tax_total": "8.00",
    "order_total": "48.00",
    "refunded_total": "24.00",
    "order_currency": "EUR",
    "billing_email": "ines@exemple.test",
    "item_name": "Bougie",
    "item_sku": "BOU",
    "item_quantity": "2",
    "item_subtotal": "40.00",
    "item_total": "40.00",
    "item_total_tax": "8.00",
    "item_refunded": "20.00",
    "item_refunded_qty": "-1",
}


def test_woocommerce_tells_pieces_refunded_below_0_and_amounts_without_tax() -> None:
    line = read("woocommerce", WOO).lines[0]

    assert (line.refunded, line.refunded_amount) == (D(1), D("24.00"))


def test_the_same_in_a_cell_of_a_line_item() -> None:
    cells = {k: v for k, v in WOO.items() if not k.startswith("item_")}
    item = "name:Bougie|product_id:4|sku:BOU|quantity:2|total:40.00|sub_total:40.00|tax:8.00"
    draft = read("woocommerce", cells | {"line_item_1": f"{item}|refunded:20.00|refunded_qty:-1"})

    assert (draft.lines[0].refunded, draft.lines[0].refunded_amount) == (D(1), D("24.00"))


@pytest.mark.parametrize(
    ("status", "left"), [("completed", True), ("wc-completed", True), ("processing", False)]
)
def test_a_completed_order_of_woocommerce_has_left(status: str, left: bool) -> None:
    assert read("woocommerce", WOO | {"status": status}).is_shipped is left


def test_a_tracking_plug_in_tells_the_parcel() -> None:
    kept = '[{"tracking_provider":"colissimo","tracking_number":"6A1","date_shipped":"1795255200"}]'
    draft = read(
        "woocommerce", WOO | {"status": "completed", "meta:_wc_shipment_tracking_items": kept}
    )

    assert (draft.carrier, draft.tracking_number) == ("colissimo", "6A1")
    assert f"{draft.shipped_at:%Y-%m-%d}" == "2026-11-21"


LABELLED = {
    "Order ID": "61",
    "Order Number": "61",
    "Order Status": "Processing",
    "Order Date": "2026-11-27 07:36",
    "Email (Billing)": "zoe@exemple.test",
    "Order Shipping Amount": "5.00",
    "Order Shipping Tax Amount": "1.00",
    "Order Refund Amount": "30.00",
    "Order Total Amount": "54.00",
    "Order Total Tax Amount": "9.00",
    "SKU": "BOU",
    "Item Name": "Bougie",
    "Quantity": "2",
    "Item Cost": "20.00",
    "Order Line Total": "40.00",
    "Order Line Tax": "8.00",
}


def test_advanced_order_export_tells_what_went_back_where_it_is_asked_to() -> None:
    told = {
        "Quantity (Refunded)": "1",
        "Order Line Total Refunded": "20.00",
        "Order Line Tax Refunded": "4.00",
        "Order Shipping Amount Refunded": "5.00",
        "Order Shipping Tax Refunded": "1.00",
    }
    draft = read("woocommerce", LABELLED | told)

    assert (draft.lines[0].refunded, draft.lines[0].refunded_amount) == (D(1), D("24.00"))
    assert draft.shipping_refunded == D("6.00")


def test_else_by_the_pieces_that_are_left() -> None:
    draft = read("woocommerce", LABELLED | {"Quantity (- Refund)": "1"})

    assert (draft.lines[0].refunded, draft.lines[0].refunded_amount) == (D(1), None)


# --- PrestaShop -------------------------------------------------------------------------------

PRESTA = {
    "id_order": "9",
    "reference": "R9",
    "date_add": "2026-11-20 21:05:11",
    "order_state": "Paiement accepté",
    "total_paid_tax_incl": "48.00",
    "email": "agnes@exemple.test",
    "product_reference": "BOU",
    "product_name": "Bougie",
    "product_quantity": "2",
    "product_quantity_refunded": "1",
    "product_quantity_return": "0",
    "unit_price_tax_incl": "24.00",
    "tax_rate": "20",
}


def test_prestashop_tells_pieces_refunded() -> None:
    assert pieces(read("prestashop", PRESTA)) == [(None, D(0), D(1))]


@pytest.mark.parametrize(
    ("cells", "left"),
    [
        ({}, False),
        ({"order_state": "Expédié"}, True),
        ({"order_state": "Livré"}, True),
        ({"current_state": "4"}, True),
        ({"current_state": "3"}, False),
        ({"shipped": "1"}, True),
        ({"shipped": "0"}, False),
    ],
)
def test_prestashop_says_that_it_left_by_state_number_and_flag(
    cells: dict[str, str], left: bool
) -> None:
    assert read("prestashop", PRESTA | cells).is_shipped is left


def test_the_day_0_of_mysql_is_no_day() -> None:
    draft = read("prestashop", PRESTA | {"delivery_date": "0000-00-00 00:00:00"})

    assert draft.shipped_at is None


# --- Magento -----------------------------------------------------------------------------------

MAGENTO = {
    "increment_id": "000000009",
    "created_at": "2026-11-20 09:15:00",
    "status": "processing",
    "state": "processing",
    "order_currency_code": "EUR",
    "grand_total": "72.00",
    "tax_amount": "12.00",
    "customer_email": "zoe@exemple.test",
    "item_sku": "BOU",
    "item_name": "Bougie",
    "item_qty_ordered": "3",
    "item_price_incl_tax": "24.00",
    "item_row_total_incl_tax": "72.00",
    "item_tax_percent": "20",
    "item_qty_shipped": "1",
    "item_qty_canceled": "1",
    "item_qty_refunded": "1",
    "item_amount_refunded": "20.00",
    "item_tax_refunded": "4.00",
}


def test_magento_tells_every_piece() -> None:
    draft = read("magento", MAGENTO)

    assert pieces(draft) == [(D(1), D(1), D(1))]
    assert draft.lines[0].refunded_amount == D("24.00")
    assert not draft.is_shipped


def test_a_complete_order_of_magento_has_left() -> None:
    assert read("magento", MAGENTO | {"state": "complete", "status": "Chez nous"}).is_shipped


# --- Squarespace, Wix, marketplaces ------------------------------------------------------------


def test_squarespace_says_when_and_how_it_left() -> None:
    draft = read(
        "squarespace",
        {
            "Order ID": "31",
            "Email": "lou@exemple.test",
            "Financial Status": "PAID",
            "Fulfillment Status": "FULFILLED",
            "Fulfilled at": "11/21/2026 10:00:00",
            "Shipping Method": "Colissimo",
            "Created at": "11/20/2026 09:15:00",
            "Total": "24.00",
            "Lineitem quantity": "1",
            "Lineitem name": "Bougie",
            "Lineitem price": "24.00",
            "Lineitem sku": "BOU",
        },
    )

    assert draft.is_shipped
    assert draft.carrier == "Colissimo"
    assert f"{draft.shipped_at:%d/%m/%Y}" == "21/11/2026"


def test_wix_tells_pieces_refunded() -> None:
    draft = read(
        "wix",
        {
            "Order number": "10",
            "Date created": "Nov 20, 2026",
            "Time": "9:15 AM",
            "Contact email": "lou@exemple.test",
            "Item": "Bougie",
            "SKU": "BOU",
            "Qty": "2",
            "Quantity refunded": "1",
            "Price": "24.00",
            "Payment status": "Partially refunded",
            "Fulfillment status": "Fulfilled",
            "Refunded amount": "24.00",
            "Total": "48.00",
        },
    )

    assert draft.is_shipped
    assert pieces(draft) == [(None, D(0), D(1))]


def test_matrixify_tells_refunds_and_fulfilments_on_rows_of_their_own() -> None:
    first = {
        "ID": "5",
        "Name": "#5",
        "Created At": "2026-11-20 09:15:00 +0100",
        "Payment: Status": "partially_refunded",
        "Order Fulfillment Status": "partial",
        "Tax: Included": "TRUE",
        "Tax: Total": "8.00",
        "Price: Total": "48.00",
        "Price: Total Refund": "24.00",
        "Email": "lou@exemple.test",
        "Line: Type": "Line Item",
        "Line: SKU": "BOU",
        "Line: Title": "Bougie",
        "Line: Quantity": "2",
        "Line: Price": "24.00",
        "Line: Total": "48.00",
        "Fulfillment: Processed At": "",
        "Fulfillment: Tracking Company": "",
        "Fulfillment: Tracking Number": "",
    }
    blank = dict.fromkeys(first, "") | {"ID": "5", "Line: SKU": "BOU"}
    refund = blank | {
        "Line: Type": "Refund Line",
        "Line: Quantity": "-1",
        "Line: Total": "-24.00",
    }
    left = blank | {
        "Line: Type": "Fulfillment Line",
        "Line: Quantity": "1",
        "Fulfillment: Processed At": "2026-11-21 10:00:00 +0100",
        "Fulfillment: Tracking Company": "Colissimo",
        "Fulfillment: Tracking Number": "6A1",
    }

    draft = read("matrixify", first, refund, left)

    assert pieces(draft) == [(D(1), D(0), D(1))]
    assert draft.lines[0].refunded_amount == D("24.00")
    assert (draft.carrier, draft.tracking_number) == ("Colissimo", "6A1")


@pytest.mark.parametrize(
    ("dialect", "name", "delimiter", "cells", "left"),
    [
        ("amazon", "all_orders.txt", "\t", {"order-status": "Shipped"}, True),
        ("amazon", "all_orders.txt", "\t", {"order-status": "Partially Shipped"}, False),
        ("etsy", "order_items.csv", ",", {"Date Shipped": "09/15/26"}, True),
        ("etsy", "order_items.csv", ",", {"Date Shipped": ""}, False),
        ("ebay", "orders.csv", ",", {"Shipped On Date": "Jul-22-25"}, True),
        ("ebay", "orders.csv", ",", {"Shipped On Date": ""}, False),
        ("tiendanube", "orders.csv", ";", {"Estado del envío": "Enviado"}, True),
        ("tiendanube", "orders.csv", ";", {"Estado del envío": "Por enviar"}, False),
    ],
)
def test_marketplaces_say_whether_it_left(
    dialect: str, name: str, delimiter: str, cells: dict[str, str], left: bool
) -> None:
    path = Path(__file__).parents[1] / "data" / dialect / name
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=delimiter))
    key = next(k for k in KEYS if k in rows[0])
    own = [row | cells for row in rows if row[key] == rows[0][key]]

    assert read(dialect, *own).is_shipped is left


KEYS = ("amazon-order-id", "Order ID", "Order Number", "Número de orden")


# --- Through the gateway -----------------------------------------------------------------------


@pytest.mark.django_db
def test_orders_up_to_the_first_day_are_history(
    bring: Bring, shop: Shop, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "commandes.csv"
    path.write_text(
        shopify_csv(
            shopify_order("#1", Created_at="2025-11-20 09:50:20 +0100"),
            shopify_order("#2", Created_at="2026-11-20 09:50:20 +0100"),
        )
    )
    given = [path, "--shop", shop.code, "--history-until", "2026-01-31"]

    call_command("ingest", *given, "--dry-run")
    shop.refresh_from_db()
    assert shop.history_until is None

    call_command("ingest", *given)
    assert dict(Order.objects.values_list("number", "is_history")) == {"#1": True, "#2": False}


@pytest.mark.django_db
def test_a_shop_that_ships_itself_has_its_notes_by_the_file(
    bring: Bring, shop: Shop, django_capture_on_commit_callbacks: Any
) -> None:
    shop.ships_itself = True
    shop.save()
    ProductFactory(sku="BOU", on_hand=5)

    with django_capture_on_commit_callbacks(execute=True):
        bring(pivot_csv(status="shipped", shipped_at="2026-11-21 10:00", carrier="Colissimo"))

    note = DeliveryNote.objects.get()
    assert (note.status, note.carrier) == ("shipped", "Colissimo")
    assert f"{note.shipped_at:%Y-%m-%d}" == "2026-11-21"


@pytest.mark.django_db
def test_a_refund_without_an_amount_is_said(bring: Bring) -> None:
    report = bring(pivot_csv(status="partially_refunded"))

    assert [fault.code for _name, fault in report.counts.notes] == ["order.refund_unsaid"]


@pytest.mark.django_db
def test_a_refund_that_is_withdrawn_after_delivery_is_said(bring: Bring) -> None:
    given = {"status": "partially_refunded", "refunded_incl_tax": "10.00"}
    bring(pivot_csv(**given))
    Order.objects.update(status="delivered")

    report = bring(pivot_csv(**(given | {"refunded_incl_tax": "4.00"})))

    message = report.counts.notes[0][1].message
    assert "10,00 € remboursés avant, 4,00 € maintenant" in message


@pytest.mark.django_db
def test_an_order_of_which_only_carriage_is_kept_is_said(bring: Bring) -> None:
    given = {"quantity_refunded": "3", "refunded_incl_tax": "72.00", "total_incl_tax": "78.00"}

    report = bring(pivot_csv(status="paid", shipping_incl_tax="6.00", **given))

    assert "garde 6,00 €" in report.counts.notes[0][1].message


def pivot_csv(**more: str) -> str:
    cells = PIVOT | more
    return ";".join(cells) + "\n" + ";".join(cells.values()) + "\n"
