"""A month of a shop, shipped by us or by the shop: the same books at its end."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounting_export.models import JournalLine
from accounting_export.services import post_missing, post_money
from inventory.models import StockPosition
from invoicing.services import credit_refunds, issue_shipped
from sales.drafts import OrderDraft
from sales.models import DeliveryNote, Order
from sales.selectors import notes_to_ship, orders_ready_to_deliver
from sales.services import prepare_deliveries, ship_as_shops_did, ship_delivery_notes
from sphinx.core.money import ZERO
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, ShopFactory, draft, line, put

pytestmark = pytest.mark.django_db
D = Decimal


def order(number: str, **values: Any) -> OrderDraft:
    """A candle at 20 % twice and a book at 5.5 %, with carriage: 75.00."""
    said = values.pop("candle", {})
    lines = line("BOU", "24.00", "2", **said), line("LIV", "21.10", tax_rate=D("5.5"))
    values.setdefault("shipping_amount", D("5.90"))
    return draft(number, *lines, shipping_tax_rate=D(20), **values)


PART = {"payment_status": "partially_refunded"}


def month(*, by_shop: bool) -> None:
    """Shipped whole; a piece taken out before; shipped, then a piece given back; cancelled."""
    left = {"is_shipped": True} if by_shop else {}
    early = {"candle": {"refunded": D(1)}, "refunded": D("24.00"), **PART}
    put(order("1"), order("2"), order("3"), order("4"))
    put(order("2", **early))
    put(order("4", state="cancelled", payment_status="unpaid"))
    put(order("1", **left), order("2", **early, **left), order("3", **left))
    _ship(by_shop)
    issue_shipped(at=NOON)
    put(order("3", candle={"refunded": D(1)}, refunded=D("24.00"), **PART, **left))
    _ship(by_shop)
    credit_refunds(at=NOON)
    post_missing()
    post_money()


def _ship(by_shop: bool) -> None:
    later = NOON + timedelta(hours=1)
    if by_shop:
        ship_as_shops_did(at=later)
        return
    ready = list(orders_ready_to_deliver().values_list("pk", flat=True))
    prepare_deliveries(order_ids=ready, at=later)
    ship_delivery_notes(note_ids=list(notes_to_ship().values_list("pk", flat=True)), at=later)


def books() -> dict[str, Any]:
    """Balances, stock, states, pieces that left."""
    balances: dict[str, D] = defaultdict(lambda: ZERO)
    for row in JournalLine.objects.all():
        balances[row.account] += row.debit - row.credit
    return {
        "balances": dict(balances),
        "stock": list(
            StockPosition.objects.order_by("product__sku").values_list(
                "product__sku", "on_hand", "reserved"
            )
        ),
        "orders": list(Order.objects.order_by("number").values_list("number", "status")),
        "left": sorted(DeliveryNote.objects.values_list("order__number", "lines__quantity")),
    }


@pytest.fixture
def told(db: None) -> Callable[[bool], dict[str, Any]]:
    def tell(by_shop: bool) -> dict[str, Any]:
        ShopFactory(ships_itself=by_shop)
        for sku, rate in (("BOU", "20"), ("LIV", "5.5")):
            ProductFactory(sku=sku, tax_rate=D(rate), on_hand=10)
        month(by_shop=by_shop)
        assert [fault for proof in run_proofs() for fault in proof.faults] == []
        return books()

    return tell


# By hand: 75.00 + 51.00 + 75.00 − 24.00 of sales, of which 12.65 × 3 − 4.00 × 2 of VAT at 20 %
# (48.00 + 5.90 → 8.98; 24.00 + 5.90 → 4.98) and 1.10 at 5.5 % each.
EXPECTED = {
    "stock": [("BOU", D(5), D(0)), ("LIV", D(7), D(0))],
    "orders": [("1", "invoiced"), ("2", "invoiced"), ("3", "invoiced"), ("4", "cancelled")],
    "left": [("1", D(1)), ("1", D(2)), ("2", D(1)), ("2", D(1)), ("3", D(1)), ("3", D(2))],
}


@pytest.mark.parametrize("by_shop", [False, True])
def test_the_month_ends_with_the_same_books(
    told: Callable[[bool], dict[str, Any]], by_shop: bool
) -> None:
    found = told(by_shop)

    assert {name: found[name] for name in EXPECTED} == EXPECTED
    vat = {a: b for a, b in found["balances"].items() if a.startswith("4457")}
    # 8.98 + 4.98 + 8.98 − 4.00 and 3 × 1.10.
    assert sorted(vat.values()) == [D("-18.94"), D("-3.30")]
    # What was paid less what was given back.
    sales = sum((b for a, b in found["balances"].items() if a[0] == "7"), ZERO)
    assert -sales - sum(vat.values()) == D("75.00") + D("51.00") + D("75.00") - D("24.00")
