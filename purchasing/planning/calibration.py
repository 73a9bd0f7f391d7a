"""What the past says of the levels: how often they would have held, and what to ask for instead.

Orders are placed when something has been sold. So the past is looked at from each day with demand,
as if an order had been placed that evening: what was asked until the goods would have come is
compared with the level that would have been set, knowing no more than was known that day. From
this come, for products of one pattern together (a single product tells too little),

- how much more is asked after a day with demand than on average: where customers come in
  bursts, an order is always late for the burst;
- how often a level so many standard deviations high really held, and hence which one to set for
  a service level asked.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from purchasing.planning.series import DAYS, YEAR, Floats, Ints, Series

# Days of protection that are tried; between them what they say is drawn on a line.
HORIZONS = (4, 9, 20, 41)
# Levels tried, in standard deviations of a normal law.
STEPS = np.linspace(-1.0, 5.0, 25)
_EVEN = np.array([NormalDist().cdf(z) for z in STEPS])
# So many orders a product are looked at, at most, of the last year.
LOOKS = 60
# Weeks of history before a level is judged.
LEARNING_WEEKS = 4
# Orders as many as which a pattern is drawn towards all of them, and all towards the law itself.
ORDERS_OF_ALL, ORDERS_OF_LAW = 40.0, 30.0
# Order quantity by which looks are weighed: a day that sells more triggers more orders.
CYCLE_DAYS = 14
MOST_BURST = 4.0
# Days with demand as many as which a product's lumps are drawn towards its pattern's.
KIND_SALES = 30.0
# Share of orders kept for what the past hasn't shown yet.
UNSHOWN = 0.008


@dataclass(frozen=True)
class Calibration:
    """By pattern and horizon: demand after a sale over the mean, and shares of levels that held."""

    burst: Floats
    held: Floats
    orders: Floats

    def burst_of(self, pattern: int, days: float) -> float:
        """Demand over `days` after a day with demand, over what is foretold."""
        return float(np.interp(days, HORIZONS, self.burst[pattern]))

    def deviations(self, pattern: int, days: float, service_level: float) -> float:
        """Standard deviations to set so that the share of levels asked for holds."""
        aim = service_level + min(UNSHOWN, (1 - service_level) / 2)
        asked = [np.interp(aim, held, STEPS) for held in self.held[pattern]]
        return float(np.interp(days, HORIZONS, asked))

    def achieved(self, pattern: int, days: float, deviations: float) -> float:
        """Share of levels so many standard deviations high that held."""
        held = [np.interp(deviations, STEPS, one) for one in self.held[pattern]]
        return float(np.interp(days, HORIZONS, held))


def untried(patterns: int) -> Calibration:
    """Without a past: the law as it is."""
    shape = (patterns, len(HORIZONS))
    return Calibration(np.ones(shape), np.tile(_EVEN, (*shape, 1)), np.zeros(patterns))


@dataclass(frozen=True)
class Setting:
    """What sets a level, by row: pattern, what was foretold for the month after each week,
    variance over mean as known after each week, the level's own error."""

    pattern: Ints
    month: Floats
    ratio: Floats
    level_error: Floats


def calibrate(
    series: Series, setting: Setting, undershoots: "Undershoots", patterns: int
) -> Calibration:
    """Try the levels on the last year's days with demand."""
    looks = _looks(series)
    if not len(looks[0]):
        return untried(patterns)
    burst = np.ones((patterns, len(HORIZONS)))
    held = np.empty((patterns, len(HORIZONS), len(STEPS)))
    orders = np.zeros(patterns)
    sums = np.zeros((len(series.daily), series.daily.shape[1] + 1))
    sums[:, 1:] = series.asked.cumsum(axis=1)
    unseen = _unseen(series)
    for number, days in enumerate(HORIZONS):
        found = _try(series, setting, undershoots, looks, sums, unseen, days)
        burst[:, number], held[:, number], orders = _by_pattern(found, patterns)
    return Calibration(burst, held, orders)


def _looks(series: Series) -> tuple[Ints, Ints, Floats]:
    """Rows, columns and weights of the days with demand from which the past is looked at."""
    width = series.daily.shape[1]
    first = max(width - YEAR * DAYS, 0)
    sold = series.daily[:, first:] > 0
    columns = np.arange(first, width)[None, :]
    sold &= columns >= (series.first + LEARNING_WEEKS * DAYS)[:, None]
    count = sold.sum(axis=1)
    stride = count // LOOKS + 1
    # Every seventh day would always be the same day of the week.
    stride = np.where(stride % DAYS == 0, stride + 1, stride)
    chosen = sold & (sold.cumsum(axis=1) % stride[:, None] == 0)
    rows, days = np.nonzero(chosen)
    return rows, days + first, stride[rows].astype(float)


def _unseen(series: Series) -> Floats | None:
    if series.all_known:
        return None
    found = np.zeros((len(series.daily), series.daily.shape[1] + 1))
    found[:, 1:] = (~series.known).cumsum(axis=1)
    return found


@dataclass(frozen=True)
class _Tried:
    pattern: Ints
    weight: Floats
    asked: Floats
    foretold: Floats
    below: Floats
    setting: tuple[Floats, Floats, Floats, Floats]


def _try(
    series: Series,
    setting: Setting,
    undershoots: "Undershoots",
    looks: tuple[Ints, Ints, Floats],
    sums: Floats,
    unseen: Floats | None,
    days: int,
) -> _Tried:
    rows, columns, stride = looks
    weeks = columns // DAYS - 1
    ends = columns + 1 + days
    usable = (ends < sums.shape[1]) & (weeks >= 0)
    ends = np.minimum(ends, sums.shape[1] - 1)
    if unseen is not None:
        usable &= unseen[rows, ends] == unseen[rows, columns + 1]
    foretold = setting.month[rows, np.maximum(weeks, 0)] / (4 * DAYS)
    usable &= foretold > 0
    rows, columns, ends, foretold = (a[usable] for a in (rows, columns, ends, foretold))
    pieces = series.asked[rows, columns]
    asked = sums[rows, ends] - sums[rows, columns + 1]
    # Somewhere in the last sale stock passed the reorder point: all places alike.
    quantity = np.maximum(np.ceil(foretold * CYCLE_DAYS), 1.0)
    place = (columns * 0.6180339887) % 1.0
    reached = np.ceil((1 - place) * np.minimum(pieces, quantity))
    undershoot, undershoot2 = undershoots.at(columns + 1, rows)
    return _Tried(
        setting.pattern[rows],
        stride[usable] * np.minimum(pieces / quantity, 1.0),
        asked,
        foretold * days,
        pieces - reached,
        (
            setting.ratio[rows, columns // DAYS - 1],
            setting.level_error[rows] * np.sqrt(days / 28),
            undershoot,
            undershoot2,
        ),
    )


class Undershoots:
    """How far stock is under the reorder point when it is seen to be, as a year shows it.

    Of what was asked on a day (x pieces): E[x²] / (2·E[x]), less half a piece since pieces are
    whole (SPT ch. 6.13; Karlin's renewal argument). Drawn towards the median of the pattern where
    few days with demand tell.
    """

    def __init__(self, series: Series, pattern: Ints) -> None:
        self._pattern = pattern
        # Days with demand and sums of x, x² and x³ up to each day.
        self._passed = np.zeros((4, len(series.daily), series.daily.shape[1] + 1))
        power = np.ones_like(series.daily) * (series.daily > 0)
        for passed in self._passed:
            np.cumsum(power, axis=1, out=passed[:, 1:])
            power *= series.daily

    def at(self, ends: Ints, rows: Ints | None = None) -> tuple[Floats, Floats]:
        """Mean and variance (pieces) by the year before each of the columns `ends`."""
        rows = np.arange(self._passed.shape[1]) if rows is None else rows
        begins = np.maximum(ends - YEAR * DAYS, 0)
        count, whole, squares, cubes = (p[rows, ends] - p[rows, begins] for p in self._passed)
        whole = np.maximum(whole, 1e-9)
        lump, lump2 = squares / whole, cubes / whole
        mean = np.maximum(lump / 2 - 0.5, 0.0)
        variance = np.maximum(lump2 / 3 - lump**2 / 4 - 1 / 12, 0.0)
        for kind in np.unique(self._pattern[rows]):
            of_kind = (self._pattern[rows] == kind) & (count > 0)
            if not of_kind.any():
                continue
            for values in (mean, variance):
                usual = float(np.median(values[of_kind]))
                own = count[of_kind] * values[of_kind]
                values[of_kind] = (own + KIND_SALES * usual) / (count[of_kind] + KIND_SALES)
        return mean, variance


def _by_pattern(tried: _Tried, patterns: int) -> tuple[Floats, Floats, Floats]:
    weight, kind = tried.weight, tried.pattern
    orders: Floats = np.bincount(kind, weight, patterns).astype(float)
    scale = 1 / max(float(tried.foretold.mean()), 1e-9) if len(weight) else 0.0
    asked = np.bincount(kind, weight * tried.asked * scale, patterns)
    foretold = np.bincount(kind, weight * tried.foretold * scale, patterns)
    of_all = (asked.sum() + ORDERS_OF_LAW) / (foretold.sum() + ORDERS_OF_LAW)
    burst = (asked + ORDERS_OF_ALL * of_all) / (foretold + ORDERS_OF_ALL)
    burst = np.clip(burst, 1 / MOST_BURST, MOST_BURST)
    ratio, level_error, undershoot, undershoot2 = tried.setting
    expected = tried.foretold * burst[kind]
    mean = expected + undershoot
    variance = ratio * expected + (level_error * expected) ** 2 + undershoot2
    # The number of the first step whose level, rounded up to pieces, would have held.
    total = np.ceil(tried.asked + tried.below)
    part = variance / (9 * np.maximum(mean, 1e-9) ** 2)
    root = np.cbrt(np.maximum(total - 1, 0.0) / np.maximum(mean, 1e-9)) - 1 + part
    step = root / np.sqrt(np.maximum(part, 1e-12))
    # One piece is always kept.
    needed = np.where(total <= 1, 0, np.searchsorted(STEPS, step, side="right"))
    width = len(STEPS) + 1
    found = np.bincount(kind * width + needed, weight, patterns * width).reshape(patterns, width)
    own = found.cumsum(axis=1)[:, :-1]
    law = ORDERS_OF_LAW
    all_held = (own.sum(axis=0) + law * _EVEN) / (orders.sum() + law)
    held = (own + ORDERS_OF_ALL * all_held) / (orders + ORDERS_OF_ALL)[:, None]
    # Told apart by steps however small, so that each share asked for has one answer.
    return burst, held + np.arange(len(STEPS)) * 1e-9, orders
