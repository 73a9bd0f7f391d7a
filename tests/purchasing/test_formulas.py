"""The formulas against worked examples of textbooks."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchasing.planning.ordering import (
    Costs,
    Levels,
    Position,
    Terms,
    economic_quantity,
    needed,
    plan_purchase,
)
from purchasing.planning.protection import (
    Learned,
    negative_binomial_quantile,
    poisson_quantile,
    protect,
)

D = Decimal
ONE_BY_ONE = Terms(D(1), D(1), [(D(1), D("3.00"))])
NO_COSTS = Costs(None, D(20))


def at(on_hand: int, *, reserved: int = 0, incoming: int = 0, backordered: int = 0) -> Position:
    return Position(D(on_hand), D(reserved), D(incoming), D(backordered))


def learned(point: int, up_to: int, per_day: str = "1", most: int | None = None) -> Levels:
    cap = None if most is None else D(most)
    return Levels("learned", D(point), D(up_to), D(per_day), cap, "shelf_life" if most else "")


def test_economic_quantity_of_the_pencils() -> None:
    """Nahmias, Production and Operations Analysis, ex. 4.1: 3,120 a year, 12 an order, 25 % of
    0.02 a year: 3,870 pencils."""
    found = economic_quantity(D(3120), D(12), D("0.25") * D("0.02"))

    assert round(found) == 3870


def test_safety_stock_of_the_tablets() -> None:
    """Chopra & Meindl, Supply Chain Management, uncertainty of lead time: 2,500 ± 500 a day,
    7 ± 7 days, 90 %: 22,491 pieces."""
    found = protect(
        demand=17_500,
        per_day=2500,
        spread_per_day=500,
        days=7,
        lead_spread_days=7,
        service_level=0.90,
        is_intermittent=False,
    )

    assert found.distribution == "normal"
    assert found.safety_stock == pytest.approx(22_491, rel=0.001)
    assert found.reorder_point == pytest.approx(17_500 + 22_491, rel=0.001)


def test_quantile_of_poisson() -> None:
    """Tables: mean 4, P(X ≤ 7) = 0.949, P(X ≤ 8) = 0.979."""
    assert poisson_quantile(4, 0.949) == 8
    assert poisson_quantile(4, 0.94) == 7


def test_quantile_of_the_negative_binomial() -> None:
    """r = 4, p = 1/2: P(X ≤ k) = P(Bin(k + 4, 1/2) ≥ 4), 0.927 for 8 and 0.954 for 9."""
    assert negative_binomial_quantile(4, 8, 0.95) == 9
    assert negative_binomial_quantile(4, 8, 0.92) == 8


def test_a_quantile_of_many_pieces_is_above_the_mean() -> None:
    """Mean 120,000, CV 0.2: by the gamma law (Wilson & Hilferty) 120,000·(1 − 1/225 + 2.0537/15)³
    = 174,285. Poisson of a million: 1,000,000 + 2.0537·1,000."""
    many = negative_binomial_quantile(120_000, (120_000 * 0.2) ** 2, 0.98)

    assert many == pytest.approx(174_285, rel=0.001)
    assert poisson_quantile(1_000_000, 0.98) == pytest.approx(1_002_054, abs=2)


def test_the_quantile_is_the_smallest_that_reaches_the_level() -> None:
    """r = 1, p = 1/4: P(X ≤ k) = 1 − 0.75^(k+1); 0.98 is reached at k = 13
    (0.9822), 0.976 at k = 12 (0.9762)."""
    assert negative_binomial_quantile(3, 12, 0.98) == 13
    assert negative_binomial_quantile(3, 12, 0.976) == 12


def test_what_was_learned_makes_the_level() -> None:
    """16 pieces ask for 20 after a sale; variance 2·20 + (0.1·20)² + 2² = 48, mean 24. Gamma:
    24·(1 − 48/5184 + 2·√(48/5184))³ = 39.7. The delay's spread of 2 days at 1.25 a day, twice:
    24 + √(15.68² + (1.645·2.5)²) = 40.2."""
    found = protect(
        demand=16,
        per_day=1,
        spread_per_day=1,
        days=16,
        lead_spread_days=2,
        service_level=0.95,
        is_intermittent=False,
        learned=Learned(2.0, 0.1, 4.0, 2.0, 1.25, 2.0),
    )

    assert found.distribution == "gamma"
    assert found.reorder_point == pytest.approx(40.2, abs=0.1)


def test_the_last_piece_is_not_sold_without_another_being_ordered() -> None:
    learned = Learned(1.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    found = protect(
        demand=0.01,
        per_day=0.001,
        spread_per_day=0.03,
        days=10,
        lead_spread_days=0,
        service_level=0.9,
        is_intermittent=True,
        learned=learned,
    )

    assert found.reorder_point == 1


def test_quantity_discount_of_the_race_cars() -> None:
    """Heizer & Render, Operations Management, Wohl's Discount Store: 5,000 a year, 49 an order,
    20 % a year; 5.00, 4.80 from 1,000, 4.75 from 2,000: 1,000 are bought."""
    prices = [(D(1), D("5.00")), (D(1000), D("4.80")), (D(2000), D("4.75"))]
    levels = learned(0, 700, per_day=str(D(5000) / 365))

    found = plan_purchase(at(0), levels, Terms(D(1), D(1), prices), Costs(D(49), D(20)))

    assert found is not None
    assert (found.quantity, found.unit_price) == (1000, D("4.80"))
    assert found.reason["steps"][-1]["code"] == "price_break"


def test_nothing_is_bought_above_the_reorder_point() -> None:
    assert plan_purchase(at(11), learned(10, 30), ONE_BY_ONE, NO_COSTS) is None


def test_at_the_reorder_point_stock_is_filled_up() -> None:
    found = plan_purchase(at(10), learned(10, 30), ONE_BY_ONE, NO_COSTS)

    assert found is not None
    assert found.quantity == 20


def test_what_is_on_its_way_counts_and_what_customers_wait_for_too() -> None:
    position = at(4, reserved=4, incoming=20, backordered=8)

    assert position.forecast == 12
    assert plan_purchase(position, learned(10, 30), ONE_BY_ONE, NO_COSTS) is None


def test_shelf_life_caps_what_is_bought_and_says_so() -> None:
    found = plan_purchase(at(0), learned(10, 30, most=15), ONE_BY_ONE, NO_COSTS)

    assert found is not None
    assert found.quantity == 15
    step = found.reason["steps"][0]
    assert (step["code"], step["from"], step["to"]) == ("capped", "30", "15")


def test_customers_who_wait_are_served_whatever_the_cap() -> None:
    found = plan_purchase(at(0, backordered=40), learned(10, 50, most=15), ONE_BY_ONE, NO_COSTS)

    assert found is not None
    assert found.quantity >= 40


pieces = st.integers(0, 500)


@given(
    on_hand=pieces,
    incoming=pieces,
    backordered=pieces,
    point=pieces,
    cycle=st.integers(1, 500),
    minimum=st.integers(0, 50),
    pack=st.integers(1, 24),
)
def test_what_is_bought_settles_the_need(
    on_hand: int,
    incoming: int,
    backordered: int,
    point: int,
    cycle: int,
    minimum: int,
    pack: int,
) -> None:
    position = at(on_hand, incoming=incoming, backordered=backordered)
    levels = learned(point, point + cycle)
    terms = Terms(D(minimum), D(pack), [(D(1), D(2))])

    found = plan_purchase(position, levels, terms, NO_COSTS)

    if found is None:
        assert position.forecast > point
        return
    assert found.quantity % pack == 0
    assert found.quantity >= max(minimum, needed(position, levels))
    after = position._replace(incoming=position.incoming + found.quantity)
    assert plan_purchase(after, levels, terms, NO_COSTS) is None
    # The steps lead from the need to the quantity, without a gap.
    told = [step["to"] for step in found.reason["steps"]]
    assert D(told[-1] if told else found.reason["needed"]) == found.quantity
