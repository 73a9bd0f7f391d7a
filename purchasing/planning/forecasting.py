"""From past demand to the demand of the next weeks, with its spread; many products at once.

Each product gets the simplest method that its own past bears out:
- intermittent or lumpy demand: Croston with Syntetos and Boylan's correction (SBA);
- else simple exponential smoothing, unless damped trend, yearly season or both foretold the last
  quarter clearly better, one week ahead;
- a short history is drawn towards what products of its kind sell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from purchasing.planning.series import DAYS, YEAR, Floats, Ints, Series

# Syntetos, Boylan & Croston (2005): cut-off values of the four patterns.
ADI_CUT, CV2_CUT = 1.32, 0.49
AHEAD_WEEKS = 26
HOLDOUT = 13
# A method must foretell the holdout with so much less squared error to be believed.
BETTER = 0.9
SHORT_WEEKS = 8
# Smoothing begins at the mean of so many weeks; the demand a day is that of so many to come.
FIRST_WEEKS = 4
# A short history counts as much as this many days of what its kind sells.
PRIOR_DAYS = 30
DORMANT_WEEKS = 26
CROSTON_ALPHA = 0.1
SMOOTHING = (0.05, 0.1, 0.2, 0.3)
TRENDS = ((0.1, 0.05), (0.2, 0.1), (0.3, 0.1))
DAMPING = 0.9
# χ² with 6 degrees of freedom, 1 %: weekdays differ by more than chance.
CHI2_WEEKDAYS = 16.81
PROFILE_WEEKS = 26
PROFILE_PIECES = 60

PATTERNS = ("smooth", "erratic", "intermittent", "lumpy")


@dataclass(frozen=True)
class Forecast:
    """Rows as in the series. Pieces a day; spreads are standard deviations."""

    pattern: list[str]
    method: list[str]
    per_day: Floats
    # Pieces from today on, summed over 0, 1, 2… days ahead.
    ahead: Floats
    spread_per_day: Floats
    # Mean interval between weeks with demand; squared variation of the weeks with demand.
    interval: Floats
    variation2: Floats
    # Mean pieces of a week with demand.
    size: Floats
    # What trend and season were judged by: root mean squared error over simple smoothing's.
    gain: Floats

    def until(self, row: int, days: float) -> float:
        """Pieces asked over the next `days` days."""
        course = self.ahead[row]
        days = min(max(days, 0.0), len(course) - 1)
        whole = int(days)
        if whole == len(course) - 1:
            return float(course[whole])
        return float(course[whole] + (days - whole) * (course[whole + 1] - course[whole]))


def forecast(series: Series, prior_per_day: Floats | None = None) -> Forecast:
    """Forecast every row; `prior_per_day` is what products of its kind sell (pieces a day)."""
    weekly, start, weeks = series.weekly, series.first_week, series.weeks
    rows = len(weekly)
    prior = np.zeros(rows) if prior_per_day is None else prior_per_day
    interval, variation2, size = _pattern(weekly, start)
    pattern = _quadrants(interval, variation2)
    base = _best_smoothing(weekly, start)
    chosen, gain = _choose(weekly, start, weeks, base)
    croston = _sba(weekly, start)
    is_intermittent = np.isin(pattern, PATTERNS[2:])
    method = np.where(is_intermittent, "croston_sba", chosen.method).astype(object)
    path = np.where(is_intermittent[:, None], croston.path, chosen.path)
    spread = np.where(is_intermittent, croston.spread, chosen.spread)

    short = weeks < SHORT_WEEKS
    known_days = np.maximum(series.daily.shape[1] - series.first, 0)
    # Of what was never stocked nor asked for, nothing is presumed.
    presumed = np.where(known_days > 0, prior, 0.0)
    mean = (series.daily.sum(axis=1) + PRIOR_DAYS * presumed) / (known_days + PRIOR_DAYS)
    method[short] = "prior"
    path[short] = mean[short, None] * DAYS
    spread[short] = np.sqrt(mean[short] * DAYS)

    recent = weekly[:, -DORMANT_WEEKS:].sum(axis=1)
    dormant = (weeks >= DORMANT_WEEKS) & (recent == 0)
    method[dormant] = "dormant"
    path[dormant], spread[dormant] = 0.0, 0.0

    profile = _weekdays(series.daily)
    days = (path[:, :, None] / DAYS) * profile[:, None, :]
    ahead = np.zeros((rows, AHEAD_WEEKS * DAYS + 1))
    ahead[:, 1:] = days.reshape(rows, -1).cumsum(axis=1)
    return Forecast(
        pattern=list(pattern),
        method=list(method),
        per_day=path[:, :FIRST_WEEKS].mean(axis=1) / DAYS,
        ahead=ahead,
        spread_per_day=spread / np.sqrt(DAYS),
        interval=interval,
        variation2=variation2,
        size=size,
        gain=gain,
    )


# --- Patterns ----------------------------------------------------------------------------------


def _alive(weekly: Floats, start: Ints) -> NDArray[np.bool_]:
    return np.arange(weekly.shape[1])[None, :] >= start[:, None]


def _pattern(weekly: Floats, start: Ints) -> tuple[Floats, Floats, Floats]:
    """Mean interval between weeks with demand, CV² and mean of those weeks' demand."""
    asked = (weekly > 0) & _alive(weekly, start)
    count = asked.sum(axis=1)
    weeks = np.maximum(weekly.shape[1] - start, 0)
    interval = np.where(count > 0, weeks / np.maximum(count, 1), np.inf)
    sums = np.where(asked, weekly, 0).sum(axis=1)
    mean = sums / np.maximum(count, 1)
    squares = np.where(asked, (weekly - mean[:, None]) ** 2, 0).sum(axis=1)
    variance = squares / np.maximum(count, 1)
    return interval, np.where(mean > 0, variance / np.maximum(mean, 1e-12) ** 2, 0.0), mean


def _quadrants(interval: Floats, variation2: Floats) -> NDArray[np.str_]:
    often, steady = interval <= ADI_CUT, variation2 <= CV2_CUT
    return np.select([often & steady, often, steady], PATTERNS[:3], default=PATTERNS[3])


# --- Methods -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fit:
    """One method on every row: its one-week-ahead errors, the weeks to come (pieces a week)."""

    method: NDArray[np.str_]
    errors: Floats
    path: Floats

    @property
    def spread(self) -> Floats:
        """Root mean squared error of the last half year, one week ahead."""
        return np.sqrt(_mean_square(self.errors, AHEAD_WEEKS))

    def over(self, other: "_Fit", where: NDArray[np.bool_]) -> "_Fit":
        """This one `where` it is chosen, else the other."""
        return _Fit(
            np.where(where, self.method, other.method),
            np.where(where[:, None], self.errors, other.errors),
            np.where(where[:, None], self.path, other.path),
        )


def _mean_square(errors: Floats, last: int) -> Floats:
    recent = errors[:, -last:]
    known = ~np.isnan(recent)
    count = np.maximum(known.sum(axis=1), 1)
    return (np.where(known, recent, 0.0) ** 2).sum(axis=1) / count


def _level_at_start(weekly: Floats, start: Ints) -> Floats:
    """Mean of the first weeks of each row's history."""
    ages = np.arange(weekly.shape[1])[None, :] - start[:, None]
    young = (ages >= 0) & (ages < FIRST_WEEKS)
    return np.where(young, weekly, 0).sum(axis=1) / np.maximum(young.sum(axis=1), 1)


def _smooth(
    weekly: Floats, start: Ints, *, alpha: float, beta: float = 0.0, season: Floats | None = None
) -> _Fit:
    """Exponential smoothing, with a damped trend when `beta` is given (Gardner & McKenzie), of
    demand freed from its `season` (index by week) when that is given.
    """
    rows, width = weekly.shape
    index = np.ones((rows, width + AHEAD_WEEKS)) if season is None else season
    plain = weekly / index[:, :width]
    level = _level_at_start(plain, start)
    trend = np.zeros(rows)
    errors = np.full((rows, width), np.nan)
    for week in range(width):
        alive = week >= start
        expected = level + DAMPING * trend
        error = np.where(alive, plain[:, week] - expected, 0.0)
        errors[:, week] = np.where(week > start, error * index[:, week], np.nan)
        level = np.where(alive, expected + alpha * error, level)
        trend = np.where(alive, DAMPING * trend + alpha * beta * error, trend)
    steps = DAMPING * (1 - DAMPING ** np.arange(1, AHEAD_WEEKS + 1)) / (1 - DAMPING)
    path = np.maximum(level[:, None] + trend[:, None] * steps, 0.0) * index[:, width:]
    name = ("season_" if season is not None else "") + ("trend" if beta else "smoothing")
    return _Fit(np.full(rows, name, dtype="U16"), errors, path)


def _best_smoothing(weekly: Floats, start: Ints) -> _Fit:
    fits = [_smooth(weekly, start, alpha=alpha) for alpha in SMOOTHING]
    return _best(fits)


def _best(fits: list[_Fit]) -> _Fit:
    best = fits[0]
    for fit in fits[1:]:
        best = fit.over(best, fit.spread < best.spread)
    return best


def _choose(weekly: Floats, start: Ints, weeks: Ints, base: _Fit) -> tuple[_Fit, Floats]:
    """Simple smoothing, unless trend or season foretold the holdout clearly better."""
    simple = _mean_square(base.errors, HOLDOUT)
    best, least = base, simple * BETTER
    enough = weeks >= 2 * HOLDOUT
    trend = _best([_smooth(weekly, start, alpha=a, beta=b) for a, b in TRENDS])
    error = _mean_square(trend.errors, HOLDOUT)
    wins = enough & (error < least)
    best, least = trend.over(best, wins), np.where(wins, error, least)
    two_years = weeks >= 2 * YEAR
    if two_years.any():
        # Judged with an index that hasn't seen the holdout, then used with all that is known.
        blind = _season(weekly, start, unseen=HOLDOUT)
        whole = _season(weekly, start)
        for alpha, beta in ((0.1, 0.0), (0.2, 0.0), (0.2, 0.1)):
            tried = _smooth(weekly, start, alpha=alpha, beta=beta, season=blind)
            error = _mean_square(tried.errors, HOLDOUT)
            wins = two_years & (error < least)
            final = _smooth(weekly, start, alpha=alpha, beta=beta, season=whole)
            # The spread comes from the honest trial.
            best = _Fit(final.method, tried.errors, final.path).over(best, wins)
            least = np.where(wins, error, least)
    judged = np.where(best.method == base.method, simple, least)
    gain = np.sqrt(judged / np.maximum(simple, 1e-12))
    return best, np.where(simple > 0, np.minimum(gain, 1.0), 1.0)


def _season(weekly: Floats, start: Ints, unseen: int = 0) -> Floats:
    """Index of each week of the year (mean 1), for the past weeks and those ahead.

    Ratio to a straight line through the history, averaged over the years, smoothed over five
    weeks (1, 2, 3, 2, 1) and drawn towards 1 where few pieces tell it.
    """
    rows, width = weekly.shape
    seen = width - unseen
    alive = _alive(weekly, start)[:, :seen]
    ratios = np.where(alive, weekly[:, :seen] / _line(weekly[:, :seen], alive), 0.0)
    # Week of the year, counted so that the first week ahead is number 0.
    number = (np.arange(seen) - width) % YEAR
    index = np.zeros((rows, YEAR))
    count = np.zeros((rows, YEAR))
    for week in range(seen):
        index[:, number[week]] += ratios[:, week]
        count[:, number[week]] += alive[:, week]
    index = np.where(count > 0, index / np.maximum(count, 1), 1.0)
    smoothed = np.zeros_like(index)
    for shift, weight in ((-2, 1), (-1, 2), (0, 3), (1, 2), (2, 1)):
        smoothed += weight / 9 * np.roll(index, shift, axis=1)
    index = smoothed
    index /= np.maximum(index.mean(axis=1, keepdims=True), 1e-12)
    pieces = np.where(alive, weekly[:, :seen], 0).sum(axis=1)
    trust = (pieces / (pieces + 2 * YEAR))[:, None]
    index = np.maximum(trust * index + (1 - trust), 0.05)
    weeks = (np.arange(width + AHEAD_WEEKS) - width) % YEAR
    return index[:, weeks]


def _line(weekly: Floats, alive: NDArray[np.bool_]) -> Floats:
    """Least squares line through each row's history, at least a tenth of its mean."""
    time = np.arange(weekly.shape[1])[None, :]
    count = np.maximum(alive.sum(axis=1, keepdims=True), 1)
    mean_time = np.where(alive, time, 0).sum(axis=1, keepdims=True) / count
    mean = np.where(alive, weekly, 0).sum(axis=1, keepdims=True) / count
    away = np.where(alive, time - mean_time, 0.0)
    slope = (away * weekly).sum(axis=1, keepdims=True) / np.maximum(
        (away**2).sum(axis=1, keepdims=True), 1e-12
    )
    return np.maximum(mean + slope * (time - mean_time), np.maximum(mean * 0.1, 1e-9))


def _sba(weekly: Floats, start: Ints) -> _Fit:
    """Croston's method with Syntetos and Boylan's correction: d̂ = (1 − α/2)·ẑ/p̂.

    ẑ is the smoothed size of a week with demand, p̂ the smoothed interval between such weeks;
    both move only when there is demand (Syntetos & Boylan 2005).
    """
    rows, width = weekly.shape
    alpha = CROSTON_ALPHA
    # Both begin at their mean over the history, so that a short one isn't ruled by its first gap.
    interval, _variation2, size = _pattern(weekly, start)
    gap = np.where(np.isfinite(interval), interval, 1.0)
    since = np.ones(rows)
    errors = np.full((rows, width), np.nan)
    for week in range(width):
        alive = week >= start
        asked = alive & (weekly[:, week] > 0)
        expected = (1 - alpha / 2) * size / gap
        errors[:, week] = np.where(week > start, weekly[:, week] - expected, np.nan)
        size = np.where(asked, size + alpha * (weekly[:, week] - size), size)
        gap = np.where(asked, gap + alpha * (since - gap), gap)
        since = np.where(asked, 1.0, np.where(alive, since + 1, since))
    rate = (1 - alpha / 2) * size / gap
    path = np.repeat(rate[:, None], AHEAD_WEEKS, axis=1)
    return _Fit(np.full(rows, "croston_sba", dtype="U16"), errors, path)


def _weekdays(daily: Floats) -> Floats:
    """How demand spreads over the seven days of a block (mean 1), where it isn't by chance."""
    recent = daily[:, -PROFILE_WEEKS * DAYS :]
    sums = recent.reshape(len(daily), -1, DAYS).sum(axis=1)
    total = sums.sum(axis=1, keepdims=True)
    even = np.maximum(total / DAYS, 1e-12)
    chi2 = ((sums - even) ** 2 / even).sum(axis=1)
    telling = (chi2 > CHI2_WEEKDAYS) & (total[:, 0] >= PROFILE_PIECES)
    return np.where(telling[:, None], sums / even, 1.0)
