"""An order confirmed by several at once: its goods are set aside once, whoever comes first."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from inventory.models import BundleComponent, DirectDelivery, Product, Reservation, StockPosition
from sales.models import Order
from sales.services import cancel_order, confirm_order, confirm_orders
from sphinx.core.errors import ConflictError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, draft, line, placed, put
from tests.support.threads import together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
WAITING = {"state": "pending", "payment_status": "unpaid"}


def faults() -> list[str]:
    return [fault for proof in run_proofs() for fault in proof.faults]


def waiting(number: str = "1") -> Order:
    """Two cups, a box of two cups, and a table that its supplier sends."""
    cup = Product.objects.filter(sku="TASSE").first() or ProductFactory(sku="TASSE", on_hand=50)
    box = Product.objects.filter(sku="COFFRET").first() or ProductFactory(sku="COFFRET")
    BundleComponent.objects.get_or_create(bundle=box, component=cup, quantity=2)
    if not Product.objects.filter(sku="TABLE").exists():
        ProductFactory(sku="TABLE", supply_mode="drop_ship")
    return placed(number, line("TASSE", quantity="2"), line("COFFRET"), line("TABLE"), **WAITING)


def test_twice_at_once_sets_the_goods_aside_once() -> None:
    for round_ in range(4):
        order = waiting(str(round_))
        before = Reservation.objects.count()

        raised = together([partial(confirm_order, order_id=order.pk)] * 4)

        assert raised == []
        # Three lines, and the box's one component.
        assert Reservation.objects.count() == before + 4
        assert DirectDelivery.objects.count() == round_ + 1
        order.refresh_from_db()
        assert order.status == "confirmed"
        assert all(ln.reservation_id for ln in order.lines.all())
    assert StockPosition.objects.get(product__sku="TASSE").reserved == 16
    assert faults() == []


def test_confirmed_and_cancelled_at_once_nothing_stays_set_aside_for_nobody() -> None:
    for round_ in range(4):
        order = waiting(str(round_))
        together(
            [
                partial(confirm_order, order_id=order.pk),
                partial(cancel_order, order_id=order.pk, at=NOON),
            ]
        )
    kept = [o.lines.count() for o in Order.objects.filter(status="confirmed")]
    held = StockPosition.objects.get(product__sku="TASSE").reserved
    assert held == Decimal(4 * len(kept))
    assert faults() == []


def test_confirmed_while_the_shop_changes_its_lines() -> None:
    def change(number: str) -> None:
        put(draft(number, line("TASSE", quantity="5"), **WAITING))

    for round_ in range(4):
        order = waiting(str(round_))
        raised = together([partial(confirm_order, order_id=order.pk), partial(change, str(round_))])
        # The import reads again what changed under it.
        assert all(isinstance(error, ConflictError) for error in raised)
        change(str(round_))
    assert faults() == []
    own = set(Order.objects.values_list("lines__reservation", flat=True)) - {None}
    parts = Reservation.objects.filter(bundle__isnull=False, quantity__gt=0)
    held = Reservation.objects.filter(bundle=None, quantity__gt=0)
    assert {r.pk for r in held} <= own
    assert {r.bundle_id for r in parts} <= own


def test_several_at_once_in_any_order_neither_wait_for_ever_nor_count_twice() -> None:
    ids = [waiting(str(n)).pk for n in range(4)]
    works: list[Callable[[], object]] = [
        partial(confirm_orders, order_ids=ids),
        partial(confirm_orders, order_ids=ids[::-1]),
        *(partial(confirm_order, order_id=pk) for pk in ids),
    ]

    assert together(works) == []

    assert set(Order.objects.values_list("status", flat=True)) == {"confirmed"}
    assert StockPosition.objects.get(product__sku="TASSE").reserved == 16
    assert faults() == []
