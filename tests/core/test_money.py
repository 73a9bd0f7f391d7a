from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphinx.core.money import spread, tax_included, to_cents

cents = st.decimals(min_value=0, max_value=100_000, places=2)
rates = st.sampled_from([Decimal(r) for r in ("20", "10", "5.5", "2.1", "0")])


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.125", "0.13"), ("0.135", "0.14"), ("-0.125", "-0.13"), ("2.674999", "2.67")],
)
def test_cents_round_half_up_away_from_zero(amount: str, rounded: str) -> None:
    assert to_cents(Decimal(amount)) == Decimal(rounded)


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [("58.72", "20", "9.79"), ("40.35", "20", "6.73"), ("23.65", "5.5", "1.23"), ("0", "20", "0")],
)
def test_tax_is_taken_out_of_what_was_charged(gross: str, rate: str, tax: str) -> None:
    assert tax_included(Decimal(gross), Decimal(rate)) == Decimal(tax)


@given(total=cents, weights=st.lists(cents.filter(bool), min_size=1, max_size=8))
def test_spread_parts_sum_to_the_whole(total: Decimal, weights: list[Decimal]) -> None:
    parts = spread(total, weights)

    assert sum(parts) == total
    assert all(part >= 0 for part in parts)


@given(total=cents, weights=st.lists(cents.filter(bool), min_size=1, max_size=8))
def test_spread_is_within_a_cent_of_the_exact_share(total: Decimal, weights: list[Decimal]) -> None:
    whole = sum(weights)

    for part, weight in zip(spread(total, weights), weights, strict=True):
        assert abs(part - total * weight / whole) < Decimal("0.01")


def test_spread_keeps_a_discount_negative() -> None:
    goods, discount, shipping = spread(
        Decimal("48.93"), [Decimal("59.80"), Decimal("-5.98"), Decimal("4.90")]
    )

    assert (goods, discount, shipping) == (Decimal("49.83"), Decimal("-4.98"), Decimal("4.08"))


def test_spread_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread(Decimal("1.00"), [Decimal(0)])


@given(gross=cents, rate=rates)
def test_net_and_tax_make_the_gross(gross: Decimal, rate: Decimal) -> None:
    tax = tax_included(gross, rate)

    assert 0 <= tax <= gross
    assert abs(tax - gross * rate / (100 + rate)) <= Decimal("0.005")
