"""Freight and customs that another than the goods' supplier charges."""

from decimal import Decimal

import pytest
from django.test import Client

from accounting_export.models import JournalLine
from accounting_export.services import post_missing_purchases
from inventory.models import Product, StockMove, StockPosition
from purchasing.errors import AlreadyEntered, WrongState
from purchasing.models import ReceiptLine, SupplierInvoice
from purchasing.services import enter_landed_costs, preview_landed_costs
from suppliers.models import Supplier
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory
from tests.purchasing.test_late_costs import DAY, delivered, faults, sold, taken_back
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def lines() -> list[ReceiptLine]:
    """Ten lamps at 10 €, and thirty candles at 2 € of another supplier."""
    found = []
    for sku, price, pieces in (("LAMP", "10.00", "10"), ("CANDLE", "2.00", "30")):
        supplier = SupplierFactory()
        weight = D("2.5") if sku == "LAMP" else D("0.5")
        product = ProductFactory(sku=sku, unit_cost=None, weight=weight)
        SupplierProductFactory(product=product, supplier=supplier, price=price)
        found.append(delivered(supplier, product, pieces))
    return found


@pytest.fixture
def carrier() -> Supplier:
    return SupplierFactory(name="Transports Petit")


def charged(
    carrier: Supplier, lines: list[ReceiptLine], by: str = "value", number: str = "T-1"
) -> SupplierInvoice:
    return enter_landed_costs(
        supplier=carrier,
        supplier_number=number,
        issued_on=DAY,
        receipt_ids=[line.receipt_id for line in lines],
        spread_by=by,
        amount=D("40.00"),
        tax=D("8.00"),
        total_incl_tax=D("48.00"),
        at=NOON,
    )


def average(sku: str) -> Decimal:
    return StockPosition.objects.get(product__sku=sku).average_cost


@pytest.mark.parametrize(
    ("by", "shares", "lamp", "candle"),
    [
        # 100 € and 60 € of goods.
        ("value", ["25.00", "15.00"], "12.5", "2.5"),
        ("pieces", ["10.00", "30.00"], "11", "3"),
        # 10 × 2.5 kg and 30 × 0.5 kg.
        ("weight", ["25.00", "15.00"], "12.5", "2.5"),
    ],
)
def test_freight_is_spread_over_what_others_delivered(
    carrier: Supplier, lines: list[ReceiptLine], by: str, shares: list[str], lamp: str, candle: str
) -> None:
    made = charged(carrier, lines, by)

    found = made.cost_shares.order_by("pk").values_list("amount_excl_tax", flat=True)
    assert list(found) == [D(share) for share in shares]
    assert (average("LAMP"), average("CANDLE")) == (D(lamp), D(candle))
    assert made.status == SupplierInvoice.Status.APPROVED
    moves = StockMove.objects.filter(kind="revaluation", origin_number=made.number)
    assert sorted(m.value_change for m in moves) == sorted(D(share) for share in shares)
    assert faults() == []


def test_an_article_without_weight_is_named(carrier: Supplier, lines: list[ReceiptLine]) -> None:
    Product.objects.filter(sku="CANDLE").update(weight=None)

    with pytest.raises(WrongState, match="CANDLE"):
        charged(carrier, lines, "weight")

    assert not SupplierInvoice.objects.exists()


def test_what_is_sold_bears_its_part_and_keeps_its_cost(
    carrier: Supplier, lines: list[ReceiptLine]
) -> None:
    sold(Product.objects.get(sku="LAMP"), "6")

    seen = preview_landed_costs(
        receipt_ids=[line.receipt_id for line in lines], spread_by="value", amount=D("40.00")
    )
    made = charged(carrier, lines)

    assert [(s.left, s.amount, s.added) for s in seen] == [
        (4, D("25.00"), D("10.00")),
        (30, D("15.00"), D("15.00")),
    ]
    added = made.cost_shares.order_by("pk").values_list("cost_added", flat=True)
    assert list(added) == [s.added for s in seen]
    assert average("LAMP") == D("12.5")


def test_it_is_booked_as_carriage_owed_to_the_carrier(
    carrier: Supplier, lines: list[ReceiptLine]
) -> None:
    made = charged(carrier, lines)

    post_missing_purchases()

    rows = JournalLine.objects.filter(entry__supplier_invoice=made).order_by("position")
    assert [(r.account.rstrip("0"), r.debit, r.credit) for r in rows[1:]] == [
        ("6241", D("40.00"), 0),
        ("44566", D("8.00"), 0),
    ]
    assert (rows[0].auxiliary_label, rows[0].credit) == (carrier.name, D("48.00"))


def test_a_carrier_of_the_union_leaves_its_vat_to_the_buyer(lines: list[ReceiptLine]) -> None:
    carrier = SupplierFactory(country="BE")
    made = enter_landed_costs(
        supplier=carrier,
        supplier_number="T-1",
        issued_on=DAY,
        receipt_ids=[lines[0].receipt_id],
        spread_by="pieces",
        amount=D("40.00"),
        tax=D("0.00"),
        total_incl_tax=D("40.00"),
        at=NOON,
    )

    post_missing_purchases()

    rows = JournalLine.objects.filter(entry__supplier_invoice=made, nature="self_tax")
    assert [r.credit for r in rows] == [D("8.00")]
    assert faults() == []


def test_it_is_taken_back_as_it_was_added(carrier: Supplier, lines: list[ReceiptLine]) -> None:
    made = charged(carrier, lines)
    sold(Product.objects.get(sku="LAMP"), "5")

    taken_back(made)

    assert (average("LAMP"), average("CANDLE")) == (10, 2)
    assert charged(carrier, lines).status == SupplierInvoice.Status.APPROVED
    assert faults() == []


def test_the_same_invoice_or_one_that_nothing_bears_is_refused(
    carrier: Supplier, lines: list[ReceiptLine]
) -> None:
    charged(carrier, lines)

    with pytest.raises(AlreadyEntered):
        charged(carrier, lines)
    for by, borne in (("value", []), ("", lines), ("volume", lines)):
        with pytest.raises(WrongState):
            charged(carrier, borne, by, number="T-2")
    assert SupplierInvoice.objects.count() == 1


@pytest.mark.parametrize(("amount", "total"), [("40.00", "47.99"), ("0.00", "8.00")])
def test_amounts_that_do_not_add_up_are_refused(
    carrier: Supplier, lines: list[ReceiptLine], amount: str, total: str
) -> None:
    with pytest.raises(WrongState):
        enter_landed_costs(
            supplier=carrier,
            supplier_number="T-1",
            issued_on=DAY,
            receipt_ids=[lines[0].receipt_id],
            spread_by="value",
            amount=D(amount),
            tax=D("8.00"),
            total_incl_tax=D(total),
            at=NOON,
        )


def test_the_page_shows_the_shares_before_it_enters_them(
    carrier: Supplier, lines: list[ReceiptLine]
) -> None:
    buyer: Client = signed_in("Achats")
    page = "/achats/factures/frais/"
    typed = {
        "supplier": carrier.pk,
        "supplier_number": "T-1",
        "issued_on": "2026-03-02",
        "amount": "40",
        "tax": "8",
        "total_incl_tax": "48",
        "spread_by": "value",
        "receipts": [line.receipt_id for line in lines],
    }
    chosen = f"{page}?receptions={lines[0].receipt_id},x,²"
    assert lines[0].receipt.number in buyer.get(chosen).content.decode()

    seen = buyer.post(page, typed | {"verb": "preview"})
    assert "25,00" in seen.content.decode()
    assert not SupplierInvoice.objects.exists()
    nothing = buyer.post(page, {k: v for k, v in typed.items() if k != "receipts"})
    assert nothing.status_code == 200
    entered = buyer.post(page, typed | {"verb": "enter"})

    made = SupplierInvoice.objects.get()
    assert entered.headers["Location"] == f"/achats/factures/{made.pk}/"
    assert "+25,00" in buyer.get(f"/achats/factures/{made.pk}/").content.decode()
    assert signed_in("Ventes").get(page).status_code == 403


def test_receipts_are_chosen_in_their_list(lines: list[ReceiptLine]) -> None:
    buyer = signed_in("Achats")

    answer = buyer.post(
        "/admin/purchasing/receipt/",
        {"action": "share_costs", "_selected_action": [lines[0].receipt_id]},
    )

    assert answer.headers["Location"] == f"/achats/factures/frais/?receptions={lines[0].receipt_id}"
