"""What comes later than an order of today would doesn't cover the days until then."""

from datetime import timedelta
from decimal import Decimal

import pytest

from purchasing.models import PurchaseOrder
from purchasing.planning.ordering import Levels, Position, needed
from purchasing.reasons import explain
from purchasing.services import accept_proposal, propose_orders
from sphinx.core import clock
from tests.factories import (
    ProductFactory,
    ReorderRuleFactory,
    SupplierFactory,
    SupplierProductFactory,
)

D = Decimal
# Reorder point 10, up to 40, two pieces a day.
LEVELS = Levels("learned", D(10), D(40), D(2))


@pytest.mark.parametrize(
    ("on_hand", "late", "late_days", "expected"),
    [
        # 4 there, 30 come 5 days too late: 10 + 5 × 2 are needed until then.
        (4, 30, 5, 16),
        # Enough until they come.
        (11, 30, 5, 0),
        # So late that all of the maximum is sold before.
        (4, 30, 60, 36),
        # Few come: what the maximum wants beyond them is more.
        (4, 3, 1, 33),
        # Nothing is late: as ever.
        (4, 0, 0, 36),
    ],
)
def test_the_days_until_then_are_covered(
    on_hand: int, late: int, late_days: int, expected: int
) -> None:
    position = Position(D(on_hand), D(0), D(late), D(0), late=D(late), late_days=late_days)

    assert needed(position, LEVELS) == expected


def test_customers_who_wait_for_goods_under_way_are_not_bought_for_twice() -> None:
    position = Position(D(0), D(0), D(3), D(3), late=D(3), late_days=9)

    assert needed(position, LEVELS._replace(policy="just_in_time")) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "bought"), [(3, None), (40, D(6))])
def test_a_late_order_is_told_and_bridged(days: int, bought: Decimal | None) -> None:
    """An order confirmed for a day after the usual delay of ten days, or before it."""
    today = clock.today()
    product = ProductFactory(on_hand=4)
    ReorderRuleFactory(product=product, minimum=10, maximum=40)
    SupplierProductFactory(product=product, supplier=SupplierFactory(lead_time_days=10))
    (first,) = propose_orders(on=today).orders
    accept_proposal(order_id=first.pk, at=clock.now())
    PurchaseOrder.objects.filter(pk=first.pk).update(expected_on=today + timedelta(days=days))

    found = propose_orders(on=today).orders

    if bought is None:
        assert found == []
        return
    line = found[0].lines.get()
    assert line.quantity == bought
    assert line.reason["late"] == "36"
    assert any("elles ne couvrent pas" in told.text for told in explain(line.reason))
