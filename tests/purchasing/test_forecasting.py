from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from inventory.selectors import Asked
from purchasing.planning.forecasting import Forecast, forecast
from purchasing.planning.series import Series, build_series

DAY = date(2026, 3, 2)


def of(daily: np.ndarray, *, first: int = 0, prior: float = 0.0) -> Forecast:
    series = Series(daily[None, :].astype(float), np.array([first]), np.zeros(1))
    return forecast(series, np.array([prior]))


def noise(rate: np.ndarray | float, days: int = 3 * 364, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).poisson(rate, days)


def test_steady_demand_is_smoothed() -> None:
    found = of(noise(5.0))

    assert (found.pattern[0], found.method[0]) == ("smooth", "smoothing")
    assert found.per_day[0] == pytest.approx(5, rel=0.15)
    # Poisson: the spread of a day is the root of its mean.
    assert found.spread_per_day[0] == pytest.approx(5**0.5, rel=0.35)


def test_a_yearly_season_is_seen_and_foretold() -> None:
    time = np.arange(3 * 364)
    rate = 6 * (1 + 0.8 * np.sin(2 * np.pi * time / 364))

    found = of(noise(rate))

    assert found.method[0].startswith("season")
    # The next quarter rises to the peak, the one after falls back.
    quarter, half = found.until(0, 91), found.until(0, 182)
    assert quarter == pytest.approx(6 * 91 * (1 + 0.8 * 2 / np.pi), rel=0.15)
    assert half - quarter == pytest.approx(quarter, rel=0.2)


def test_a_trend_is_followed_when_it_is_strong() -> None:
    days = 364
    rate = np.concatenate([np.full(182, 2.0), np.linspace(2, 40, days - 182)])

    found = of(noise(rate, days))

    assert found.method[0] == "trend"
    assert found.per_day[0] > 35


def test_demand_every_third_week_is_intermittent_and_corrected() -> None:
    """Six pieces every third week: 2 a week by Croston, 1.9 with Syntetos and Boylan's
    correction of 1 − α/2, α = 0.1."""
    daily = np.zeros(52 * 7)
    daily[6 :: 3 * 7] = 6

    found = of(daily)

    assert (found.pattern[0], found.method[0]) == ("intermittent", "croston_sba")
    assert found.per_day[0] * 7 == pytest.approx(1.9, rel=0.05)


@pytest.mark.parametrize(
    ("gap", "sizes", "pattern"),
    [(1, (10, 11), "smooth"), (1, (1, 60), "erratic"), (3, (1, 60), "lumpy")],
)
def test_patterns_are_told_apart_by_interval_and_size(
    gap: int, sizes: tuple[int, int], pattern: str
) -> None:
    """The four quadrants of Syntetos, Boylan & Croston (2005): 1.32 and 0.49."""
    daily = np.zeros(60 * 7)
    weeks = np.arange(0, 60, gap)
    daily[weeks * 7] = np.resize(sizes, len(weeks))

    assert of(daily).pattern[0] == pattern


def test_weekdays_that_differ_shape_the_days_to_come() -> None:
    time = np.arange(40 * 7)

    found = of(noise(np.where(time % 7 == 6, 20.0, 2.0), len(time)))

    assert found.until(0, 6) == pytest.approx(12, rel=0.4)
    assert found.until(0, 7) - found.until(0, 6) == pytest.approx(20, rel=0.4)


def test_a_new_product_leans_on_what_its_kind_sells() -> None:
    daily = np.zeros(20 * 7)
    daily[-10:] = 1

    found = of(daily, first=len(daily) - 10, prior=3.0)

    assert found.method[0] == "prior"
    # 10 pieces in 10 days, and 30 days of 3 a day.
    assert found.per_day[0] == pytest.approx((10 + 90) / 40)


def test_what_was_never_there_is_not_presumed_to_sell() -> None:
    daily = np.zeros(20 * 7)

    assert of(daily, first=len(daily), prior=3.0).per_day[0] == 0


def test_what_has_not_sold_for_half_a_year_is_dormant() -> None:
    daily = noise(3.0, 364)
    daily[-27 * 7 :] = 0

    found = of(daily)

    assert (found.method[0], found.per_day[0]) == ("dormant", 0)


def test_a_one_off_bulk_order_is_cut_to_an_ordinary_one() -> None:
    asked = [Asked(1, DAY - timedelta(days=n), Decimal(2), 1) for n in range(1, 21)]
    asked.append(Asked(1, DAY - timedelta(days=3), Decimal(500), 1))

    series = build_series([1], asked, {1: DAY - timedelta(days=30)}, before=DAY, weeks=8)

    assert series.daily.sum() < 60
    assert series.capped[0] > 480


def test_large_orders_that_come_back_are_no_accident() -> None:
    asked = [Asked(1, DAY - timedelta(days=n), Decimal(2), 1) for n in range(1, 13)]
    asked += [Asked(1, DAY - timedelta(days=n), Decimal(50), 1) for n in (2, 6, 10)]

    series = build_series([1], asked, {1: DAY - timedelta(days=30)}, before=DAY, weeks=8)

    assert series.capped[0] == 0
    assert series.daily.sum() == 24 + 150
