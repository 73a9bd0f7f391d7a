from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from sphinx.core.territories import EU_COUNTRIES
from sphinx.core.vat_rates import CURRENT_RATES, START, rate_periods, rates_in


@pytest.mark.parametrize(
    ("country", "day", "standard"),
    [
        ("DE", date(2026, 11, 1), "19"),
        ("EE", date(2023, 12, 31), "20"),
        ("EE", date(2024, 1, 1), "22"),
        ("EE", date(2025, 7, 1), "24"),
        ("FI", date(2024, 8, 31), "24"),
        ("FI", date(2024, 9, 1), "25.5"),
        ("LU", date(2023, 6, 1), "16"),
        ("LU", date(2024, 6, 1), "17"),
        ("RO", date(2025, 8, 1), "21"),
        ("SK", date(2024, 12, 31), "20"),
        ("SK", date(2025, 1, 1), "23"),
    ],
)
def test_the_standard_rate_is_the_one_of_that_day(country: str, day: date, standard: str) -> None:
    assert max(rates_in(country, day)) == Decimal(standard)


def test_food_in_austria_is_cheaper_since_july_2026() -> None:
    assert Decimal("4.90") in rates_in("AT", date(2026, 7, 1))
    assert Decimal("4.90") not in rates_in("AT", date(2026, 6, 30))


def test_no_rate_is_known_out_of_the_union_or_before_the_one_stop_shop() -> None:
    assert not rates_in("CH", date(2026, 1, 1))
    assert not rates_in("DE", date(2021, 6, 30))


def test_every_other_member_state_has_rates_without_a_day_between() -> None:
    periods = list(rate_periods())

    assert {p.country for p in periods} == EU_COUNTRIES - {"FR"}
    for country in EU_COUNTRIES - {"FR"}:
        own = [p for p in periods if p.country == country]
        assert own[0].start == START
        assert [p.end for p in own] == [*[p.start for p in own[1:]], None]
        assert all(a.start < b.start for a, b in pairwise(own))


def test_a_rate_told_from_amounts_may_be_any_in_force() -> None:
    assert {Decimal("11.00"), Decimal("25.50"), Decimal("13.50")} <= set(CURRENT_RATES)
    assert Decimal("7.50") not in CURRENT_RATES
