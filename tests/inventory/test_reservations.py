from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.errors import NotEnoughStock
from inventory.models import Reservation, StockMove, StockPosition
from inventory.services import (
    Demand,
    Entry,
    Issue,
    adjust_stock,
    allow_negative_stock,
    change_reservations,
    default_warehouse,
    issue_stock,
    prioritise,
    receive_stock,
)
from sphinx.core.errors import BusinessRuleError
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory

pytestmark = pytest.mark.django_db


def want(product_id: int, quantity: int, *, days: int = 0, number: str = "1") -> Demand:
    return Demand(product_id, Decimal(quantity), NOON + timedelta(days=days), number)


def reserve(*demands: Demand, release: list[int] | None = None) -> list[int]:
    return change_reservations(
        demands=demands, warehouse=default_warehouse(), release_ids=release or []
    ).reservation_ids


def position(product_id: int) -> StockPosition:
    return StockPosition.objects.get(product_id=product_id)


def receive(product_id: int, quantity: str, cost: str = "4", number: str = "BR1") -> None:
    receive_stock(
        entries=[Entry(product_id, Decimal(quantity), Decimal(cost), number, 1)],
        warehouse=default_warehouse(),
        at=NOON,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
    )


def test_available_falls_by_what_is_reserved() -> None:
    product = ProductFactory(on_hand=10)

    reserve(want(product.pk, 4))

    assert position(product.pk).reserved == 4
    assert position(product.pk).available == 6


def test_the_oldest_demand_is_served_first_whatever_the_order_of_arrival() -> None:
    product = ProductFactory(on_hand=3)

    late, early = reserve(want(product.pk, 3, days=1), want(product.pk, 2, days=0))

    assert Reservation.objects.get(pk=early).allocated == 2
    assert Reservation.objects.get(pk=late).allocated == 1
    assert position(product.pk).backordered == 2


def test_released_goods_go_to_who_waits_longest() -> None:
    product = ProductFactory(on_hand=2)
    first, second, third = reserve(
        want(product.pk, 2), want(product.pk, 1, days=1), want(product.pk, 1, days=2)
    )

    reserve(release=[first])

    assert Reservation.objects.get(pk=second).allocated == 1
    assert Reservation.objects.get(pk=third).allocated == 1
    assert position(product.pk).available == 0


def test_a_receipt_serves_who_waits_and_moves_the_average_cost() -> None:
    product = ProductFactory(on_hand=10, unit_cost=Decimal("4"))
    (waiting,) = reserve(want(product.pk, 15))

    receive(product.pk, "10", cost="6")

    assert Reservation.objects.get(pk=waiting).allocated == 15
    assert position(product.pk).average_cost == Decimal("5")
    assert position(product.pk).available == 5


def test_issued_goods_leave_stock_and_reservation_together() -> None:
    product = ProductFactory(on_hand=5)
    (reservation,) = reserve(want(product.pk, 3))

    issue_stock(
        issues=[Issue(reservation, Decimal(3), "BL1", 1)],
        at=NOON,
        origin_kind="delivery_note",
    )

    assert (position(product.pk).on_hand, position(product.pk).reserved) == (2, 0)


def test_more_than_was_set_aside_never_leaves() -> None:
    product = ProductFactory(on_hand=1)
    (reservation,) = reserve(want(product.pk, 3))

    with pytest.raises(NotEnoughStock):
        issue_stock(
            issues=[Issue(reservation, Decimal(3), "BL1", 1)],
            at=NOON,
            origin_kind="delivery_note",
        )

    assert position(product.pk).on_hand == 1


def test_goods_that_a_count_misses_make_the_last_in_the_queue_wait() -> None:
    product = ProductFactory(on_hand=5)
    early, late = reserve(want(product.pk, 2), want(product.pk, 2, days=1))

    adjust_stock(
        product=product,
        warehouse=default_warehouse(),
        counted=Decimal(3),
        at=NOON,
        number="INV1",
        note="",
    )

    assert Reservation.objects.get(pk=early).allocated == 2
    assert Reservation.objects.get(pk=late).allocated == 1
    assert position(product.pk).backordered == 1


def test_priority_by_hand_goes_before_the_order_of_dates() -> None:
    product = ProductFactory(on_hand=3)
    early, late = reserve(want(product.pk, 3), want(product.pk, 2, days=1))

    prioritise(reservation_ids=[late], priority=1)

    assert Reservation.objects.get(pk=late).allocated == 2
    assert Reservation.objects.get(pk=early).allocated == 1


def test_what_is_being_packed_stays_in_the_box() -> None:
    product = ProductFactory(on_hand=3)
    packed, late = reserve(want(product.pk, 3), want(product.pk, 2, days=1))

    prioritise(reservation_ids=[late], priority=1, kept_ids=[packed])

    assert Reservation.objects.get(pk=packed).allocated == 3
    assert Reservation.objects.get(pk=late).allocated == 0


def test_what_is_given_back_was_not_asked_after_all() -> None:
    product = ProductFactory(on_hand=10)
    kept, dropped = reserve(want(product.pk, 3), want(product.pk, 4))

    reserve(release=[dropped])

    assert Reservation.objects.get(pk=kept).asked == 3
    assert Reservation.objects.get(pk=dropped).asked == 0


def test_a_product_that_may_go_below_zero_is_always_set_aside_and_shipped() -> None:
    product = ProductFactory()
    allow_negative_stock(product_id=product.pk, allowed=True)
    (reservation,) = reserve(want(product.pk, 3))

    issue_stock(
        issues=[Issue(reservation, Decimal(3), "BL1", 1)], at=NOON, origin_kind="delivery_note"
    )

    assert position(product.pk).on_hand == -3
    with pytest.raises(BusinessRuleError):
        allow_negative_stock(product_id=product.pk, allowed=False)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["want", "receive", "release", "ship"]), st.integers(1, 9)),
        max_size=12,
    )
)
def test_positions_are_always_the_sum_of_moves_and_reservations(
    steps: list[tuple[str, int]],
) -> None:
    product = ProductFactory(on_hand=5)
    open_ids: list[int] = []
    for number, (verb, quantity) in enumerate(steps):
        if verb == "want":
            open_ids += reserve(want(product.pk, quantity, number=str(number)))
        elif verb == "receive":
            receive(product.pk, str(quantity), number=f"BR{number}")
        elif open_ids and verb == "release":
            reserve(release=[open_ids.pop(quantity % len(open_ids))])
        elif open_ids:
            held = Reservation.objects.get(pk=open_ids[quantity % len(open_ids)])
            if held.allocated:
                issue_stock(
                    issues=[Issue(held.pk, held.allocated, f"BL{number}", 1)],
                    at=NOON,
                    origin_kind="delivery_note",
                )

    now = position(product.pk)
    assert [proof.faults for proof in run_proofs() if not proof.ok] == []
    # While something is free, nobody waits for it.
    assert now.available == 0 or now.backordered == 0
