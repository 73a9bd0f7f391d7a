from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from inventory.selectors import Asked
from purchasing.planning.forecasting import PATTERNS, Forecast, forecast
from purchasing.planning.levels import LeadTime, Rules, plan_levels
from purchasing.planning.ordering import Costs
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


# --- Days without stock ------------------------------------------------------------------------


def without(daily: np.ndarray, out: np.ndarray) -> Forecast:
    """The sale closed on days without stock: the demand of those days was never seen."""
    seen = np.where(out, 0, daily)
    return forecast(Series(seen[None].astype(float), np.array([0]), np.zeros(1), out[None]))


@pytest.mark.parametrize("days", [28, 56, 120])
def test_days_without_stock_are_not_days_without_demand(days: int) -> None:
    daily = noise(3.0, 364)
    out = np.arange(364) >= 364 - days

    assert of(np.where(out, 0, daily)).per_day[0] < 2.0
    found = without(daily, out)

    assert found.method[0] != "dormant"
    assert found.per_day[0] == pytest.approx(3.0, rel=0.15)


def test_a_rare_product_without_stock_is_not_dormant() -> None:
    daily = np.zeros(2 * 364)
    daily[10::70] = 1
    out = np.arange(len(daily)) >= len(daily) - 300

    found = without(daily, out)

    assert found.method[0] != "dormant"
    # A piece in ten weeks of those that could be seen.
    assert found.per_day[0] == pytest.approx(1 / 70, rel=0.4)


def test_a_week_of_which_a_part_was_seen_counts_as_that_part() -> None:
    """Four pieces a day, out of stock on three days of every week: still four."""
    daily = np.full(40 * 7, 4.0)
    out = np.tile([True, True, True, True, False, False, False], 40)
    # The first day without stock began with some: it sold its four.
    seen = np.where(out & np.roll(out, 1), 0, daily)
    found = forecast(Series(seen[None], np.array([0]), np.zeros(1), out[None]))

    assert found.per_day[0] == pytest.approx(4.0, rel=0.01)


def test_where_orders_come_on_days_without_stock_every_day_tells() -> None:
    daily = noise(0.3, 364)
    out = np.arange(364) % 28 < 20
    series = Series(daily[None].astype(float), np.array([0]), np.zeros(1), out[None])

    assert series.known.all()
    assert forecast(series).per_day[0] == of(daily).per_day[0]


# --- Levels ------------------------------------------------------------------------------------


def test_a_delay_of_a_year_is_foretold_as_long_as_it_lasts() -> None:
    found = of(np.full(364, 2.0))

    assert found.until(0, 182) == pytest.approx(364, rel=0.01)
    assert found.until(0, 270) == pytest.approx(540, rel=0.01)
    assert found.until(0, 500) == pytest.approx(1000, rel=0.01)
    assert found.level(0, 500) == pytest.approx(1000, rel=0.01)


def test_a_rare_product_is_not_dormant_within_its_own_interval() -> None:
    """Once in ten weeks; nothing for 40 weeks is four intervals, for 70 seven."""
    daily = np.zeros(156 * 7)
    daily[: 116 * 7 : 70] = 1
    assert of(daily).method[0] != "dormant"

    daily = np.zeros(226 * 7)
    daily[: 116 * 7 : 70] = 1
    assert of(daily).method[0] == "dormant"


def test_what_dies_out_is_foretold_less() -> None:
    """TSB or a mean that forgets, not Croston's, which waits for the next demand."""
    draw = np.random.default_rng(4)
    daily = (draw.random((40, 104 * 7)) < np.linspace(0.12, 0.004, 104 * 7)).astype(float)

    found = forecast(Series(daily, np.zeros(40, dtype=np.int64), np.zeros(40)))

    assert "croston_sba" not in found.method
    assert found.per_day.mean() < 0.03


def test_a_sale_of_a_rare_product_hardly_lifts_its_level() -> None:
    """Once in seven weeks on average, falling a little: a mean that forgets soon foretells the
    months slightly better; one sale would lift it by a third, and what that buys lies for months.
    """
    draw = np.random.default_rng(3)
    chance = np.linspace(0.03, 0.01, 160 * 7)
    daily = (draw.random((80, 160 * 7)) < chance).astype(float)
    sold = daily.copy()
    sold[:, -1] += 1
    never = np.zeros(80, dtype=np.int64)

    before = forecast(Series(daily, never, np.zeros(80)))
    after = forecast(Series(sold, never, np.zeros(80)))

    alive = before.per_day > 0
    assert np.median(after.per_day[alive] / before.per_day[alive]) < 1.25


def bursts(rows: int, seed: int) -> np.ndarray:
    """One a week in two weeks of eight, several in a row, none between."""
    draw = np.random.default_rng(seed)
    active = np.repeat(draw.random((rows, 26)) < 0.25, 28, axis=1)
    return np.where(active, draw.poisson(0.25, active.shape), 0).astype(float)


def test_demand_that_comes_in_bursts_is_expected_after_a_sale() -> None:
    found = forecast(Series(bursts(120, 1), np.zeros(120, dtype=np.int64), np.zeros(120)))
    even = np.random.default_rng(2).poisson(0.0625, (120, 728)).astype(float)
    calm = forecast(Series(even, np.zeros(120, dtype=np.int64), np.zeros(120)))
    kind = PATTERNS.index("intermittent")

    assert found.calibration.burst_of(kind, 9) > 1.3
    assert calm.calibration.burst_of(kind, 9) == pytest.approx(1.0, abs=0.15)


def test_levels_hold_as_often_as_asked() -> None:
    """Learned on two years; tried on what came after each sale of the half year that follows."""
    draw = np.random.default_rng(9)
    rows = 150
    daily = np.where(
        draw.random((rows, 910)) < 0.3, draw.negative_binomial(1, 0.12, (rows, 910)), 0
    )
    daily = daily.astype(float)
    found = forecast(Series(daily[:, :728], np.zeros(rows, dtype=np.int64), np.zeros(rows)))
    held = total = 0
    for row in range(rows):
        plan = plan_levels(
            found,
            row,
            lead_time=LeadTime(10, 0, 9),
            terms=None,
            rules=Rules({"C": Decimal(95)}, 1, 14, 180, Decimal(60), Costs(None, Decimal(20))),
            abc="C",
            shelf_life_days=None,
        )
        point = float(plan.levels.reorder_point)
        for day in range(728, 880, 11):
            sold = np.flatnonzero(daily[row, day:]) + day
            day_sold = sold[0]
            place = draw.integers(0, int(daily[row, day_sold]))
            held += place + daily[row, day_sold + 1 : day_sold + 10].sum() <= point
            total += 1

    assert held / total == pytest.approx(0.95, abs=0.02)
