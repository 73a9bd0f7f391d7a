"""From past demand to the demand of the next weeks, with its spread; many products at once.

Each product gets the simplest method that its own past bears out:
- intermittent or lumpy demand: Croston with Syntetos and Boylan's correction (SBA), Teunter,
  Syntetos and Babai's method (TSB) or a mean that forgets, whichever foretold the last year's
  months best, for the product and for its kind;
- else simple exponential smoothing, unless damped trend, yearly season or both foretold the last
  quarter clearly better, one week ahead;
- a short history is drawn towards what products of its kind sell, a variant's towards its share of
  what its model sells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from purchasing.planning.adjusting import Change
from purchasing.planning.calibration import Calibration, Setting, Undershoots, calibrate
from purchasing.planning.series import DAYS, YEAR, Floats, Ints, Series

# Syntetos, Boylan & Croston (2005): cut-off values of the four patterns.
ADI_CUT, CV2_CUT = 1.32, 0.49
# A whole year, so that its season is known however long the delay.
AHEAD_WEEKS = YEAR
HALF_YEAR = 26
HOLDOUT = 13
# A method must foretell the holdout with so much less squared error to be believed.
BETTER = 0.9
SHORT_WEEKS = 8
# A variant of which fewer days could be seen is foretold by its model's size curve.
LEAST_DAYS = SHORT_WEEKS * DAYS
# Smoothing begins at the mean of so many weeks; the demand a day is that of so many to come.
FIRST_WEEKS = 4
# A short history counts as much as this many days of what its kind sells.
PRIOR_DAYS = 30
# Dormant: nothing for half a year and for so many of the product's own intervals.
DORMANT_WEEKS, DORMANT_INTERVALS = 26, 6
CROSTON_ALPHA = 0.1
# Chance of a week with demand (TSB), and the mean that forgets.
TSB_BETAS = (0.02, 0.05, 0.1)
FORGETTING = (0.02, 0.05, 0.1, 0.2)
# Levels are judged over months, in the last year.
MONTH, JUDGED_WEEKS = 4, 52
# What the method did on all products of the pattern counts as so many products like this one.
KIND_WEIGHT = 10.0
# A sale lifts the level by α, over pieces a week its share: so much of it counts as error, since
# what a level bought that rose for a moment lies there until it is sold. Rarer than this
# (pieces a week), products are alike.
LIVELY, RAREST = 0.4, 0.05
# The spread of a product counts by its weeks with demand, that of its kind as so many.
KIND_WEEKS = 60.0
# A week of which fewer days were seen tells no error.
LEAST_SEEN = 3 / DAYS
SMOOTHING = (0.05, 0.1, 0.2, 0.3)
TRENDS = ((0.1, 0.05), (0.2, 0.1), (0.3, 0.1))
DAMPING = 0.9
# χ² with 6 degrees of freedom, 1 %: weekdays differ by more than chance.
CHI2_WEEKDAYS = 16.81
PROFILE_WEEKS = 26
PROFILE_PIECES = 60

PATTERNS = ("smooth", "erratic", "intermittent", "lumpy")
# Foretold with the help of others, for want of a past of its own.
BORROWED = ("prior", "curve")


@dataclass(frozen=True)
class Forecast:
    """Rows as in the series. Pieces a day; spreads are standard deviations."""

    pattern: list[str]
    method: list[str]
    per_day: Floats
    # Pieces from today on, summed over 0, 1, 2… days ahead.
    ahead: Floats
    # The same summed over 0, 1, 2… weeks ahead.
    weeks_ahead: Floats
    spread_per_day: Floats
    # Mean interval between weeks with demand; squared variation of the weeks with demand.
    interval: Floats
    variation2: Floats
    # Mean pieces of a week with demand.
    size: Floats
    # What trend and season were judged by: root mean squared error over simple smoothing's.
    gain: Floats
    # How wrong the level itself is over a month: standard deviation over its mean.
    level_error: Floats
    # Variance over mean of what is asked.
    ratio: Floats
    # How far stock is under the reorder point when it is seen to be: mean and spread (pieces).
    undershoot: Floats
    undershoot_spread: Floats
    calibration: Calibration
    # What people changed, by row (adjusting.py); the figures above stay as they were computed.
    changes: Mapping[int, Change] = field(default_factory=dict)

    def until(self, row: int, days: float) -> float:
        """Pieces asked over the next `days` days, as people changed it."""
        return self.computed_until(row, days) + self.changed(row, days, is_level=False)

    def level(self, row: int, days: float) -> float:
        """The same without weekdays: a level must hold whichever day it is looked at."""
        return self.computed_level(row, days) + self.changed(row, days)

    def rate(self, row: int) -> float:
        """Pieces a day of the weeks to come, as people changed it."""
        days = FIRST_WEEKS * DAYS
        return float(self.per_day[row]) + self.changed(row, days) / days

    def changed(self, row: int, days: float, *, is_level: bool = True) -> float:
        """Of the next `days` days' pieces, what people added or took off."""
        found = self.changes.get(row)
        return found.over(days, is_level=is_level) if found else 0.0

    def computed_until(self, row: int, days: float) -> float:
        """Pieces asked over the next `days` days, as computed."""
        course = self.ahead[row]
        years, days = divmod(max(days, 0.0), len(course) - 1)
        whole = int(days)
        part = course[whole] + (days - whole) * (course[whole + 1] - course[whole])
        return float(years * course[-1] + part)

    def computed_level(self, row: int, days: float) -> float:
        """The same without weekdays."""
        course = self.weeks_ahead[row]
        years, weeks = divmod(max(days, 0.0) / DAYS, len(course) - 1)
        whole = int(weeks)
        part = course[whole] + (weeks - whole) * (course[whole + 1] - course[whole])
        return float(years * course[-1] + part)


def forecast(
    series: Series, prior_per_day: Floats | None = None, share_per_day: Floats | None = None
) -> Forecast:
    """Forecast every row; `prior_per_day` is what products of its kind sell (pieces a day).

    `share_per_day` is what the size curve gives a variant of a model (curves.py; NaN: nothing): it
    goes before the kind where less than eight weeks of the variant's own demand could be seen.
    """
    weekly, seen, start, weeks = series.weekly, series.seen, series.first_week, series.weeks
    rows = len(weekly)
    prior = np.zeros(rows) if prior_per_day is None else prior_per_day
    interval, variation2, size = _pattern(weekly, start, seen)
    pattern = _quadrants(interval, variation2)
    known = _Known(weekly, seen, start)
    is_steady = pattern == PATTERNS[0]
    chosen, gain = _choose_by_pattern(known, weeks, pattern)
    method, path = chosen.method.astype(object), chosen.path
    ratios = _ratios(known, chosen, pattern)
    spread = np.where(is_steady, chosen.spread, np.sqrt(ratios[:, -1] * path[:, 0]))
    level_error = _level_error(known, chosen, pattern)

    known_days = series.known_days
    share = np.full(rows, np.nan) if share_per_day is None else share_per_day
    of_model = ~np.isnan(share) & (known_days < LEAST_DAYS)
    short = (weeks < SHORT_WEEKS) | of_model
    # Of what was never stocked nor asked for, nothing is presumed but by its model.
    presumed = np.where(of_model, share, np.where(known_days > 0, prior, 0.0))
    mean = (series.daily.sum(axis=1) + PRIOR_DAYS * presumed) / (known_days + PRIOR_DAYS)
    method[short] = "prior"
    method[of_model] = "curve"
    path[short] = mean[short, None] * DAYS
    spread[short] = np.sqrt(mean[short] * DAYS)
    level_error[short] = 0.0

    dormant = _dormant(known, weeks, interval)
    method[dormant] = "dormant"
    path[dormant], spread[dormant] = 0.0, 0.0

    profile = _weekdays(series.daily)
    days = (path[:, :, None] / DAYS) * profile[:, None, :]
    ahead = np.zeros((rows, AHEAD_WEEKS * DAYS + 1))
    ahead[:, 1:] = days.reshape(rows, -1).cumsum(axis=1)
    kind = np.array([PATTERNS.index(name) for name in pattern])
    setting = Setting(kind, chosen.month, ratios, level_error)
    usable = ~(short | dormant)
    undershoots = Undershoots(series, kind)
    undershoot, undershoot2 = undershoots.at(np.full(rows, series.daily.shape[1]))
    calibration = calibrate(
        series,
        replace(setting, month=np.where(usable[:, None], chosen.month, 0.0)),
        undershoots,
        len(PATTERNS),
    )
    return Forecast(
        pattern=list(pattern),
        method=list(method),
        per_day=path[:, :FIRST_WEEKS].mean(axis=1) / DAYS,
        ahead=ahead,
        weeks_ahead=np.concatenate([np.zeros((rows, 1)), path.cumsum(axis=1)], axis=1),
        spread_per_day=spread / np.sqrt(DAYS),
        interval=interval,
        variation2=variation2,
        size=size,
        gain=gain,
        level_error=level_error,
        ratio=ratios[:, -1],
        undershoot=undershoot,
        undershoot_spread=np.sqrt(undershoot2),
        calibration=calibration,
    )


# --- Patterns ----------------------------------------------------------------------------------


def _alive(weekly: Floats, start: Ints) -> NDArray[np.bool_]:
    return np.arange(weekly.shape[1])[None, :] >= start[:, None]


@dataclass(frozen=True)
class _Known:
    """Pieces a week, the share of the week that could be seen, the first week; rows, weeks."""

    weekly: Floats
    seen: Floats
    start: Ints

    def of(self, rows: Ints) -> "_Known":
        """Some rows only."""
        return _Known(self.weekly[rows], self.seen[rows], self.start[rows])

    @property
    def rate(self) -> Floats:
        """Pieces a week had all of it been seen; none where too little of it was."""
        enough = self.seen >= LEAST_SEEN
        return np.where(enough, self.weekly / np.maximum(self.seen, LEAST_SEEN), 0.0)

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Weeks of the history of which enough was seen."""
        return _alive(self.weekly, self.start) & (self.seen >= LEAST_SEEN)


def _pattern(
    weekly: Floats, start: Ints, seen: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Mean interval between weeks with demand, CV² and mean of those weeks' demand."""
    alive = _alive(weekly, start)
    asked = (weekly > 0) & alive
    count = asked.sum(axis=1)
    weeks = np.where(alive, 1.0 if seen is None else seen, 0.0).sum(axis=1)
    interval = np.where(count > 0, np.maximum(weeks / np.maximum(count, 1), 1.0), np.inf)
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
    """One method on every row: its one-week-ahead errors, the weeks to come (pieces a week).

    `month` is what it foretold, at the end of each week, for the four weeks after.
    """

    method: NDArray[np.str_]
    errors: Floats
    path: Floats
    month: Floats

    @property
    def spread(self) -> Floats:
        """Root mean squared error of the last half year, one week ahead."""
        return np.sqrt(_mean_square(self.errors, HALF_YEAR))

    def of(self, rows: NDArray[np.bool_]) -> "_Fit":
        """Some rows only."""
        return _Fit(self.method[rows], self.errors[rows], self.path[rows], self.month[rows])

    def put(self, other: "_Fit", rows: Ints) -> None:
        """Take over another's, for these rows."""
        self.method[rows], self.errors[rows] = other.method, other.errors
        self.path[rows], self.month[rows] = other.path, other.month

    def over(self, other: "_Fit", where: NDArray[np.bool_]) -> "_Fit":
        """This one `where` it is chosen, else the other."""
        return _Fit(
            np.where(where, self.method, other.method),
            np.where(where[:, None], self.errors, other.errors),
            np.where(where[:, None], self.path, other.path),
            np.where(where[:, None], self.month, other.month),
        )


def _mean_square(errors: Floats, last: int) -> Floats:
    recent = errors[:, -last:]
    known = ~np.isnan(recent)
    count = np.maximum(known.sum(axis=1), 1)
    return (np.where(known, recent, 0.0) ** 2).sum(axis=1) / count


def _level_at_start(weekly: Floats, start: Ints, seen: Floats) -> Floats:
    """Mean of the first weeks of each row's history."""
    ages = np.arange(weekly.shape[1])[None, :] - start[:, None]
    young = (ages >= 0) & (ages < FIRST_WEEKS)
    weeks = np.where(young, seen, 0).sum(axis=1)
    return np.where(young, weekly, 0).sum(axis=1) / np.maximum(weeks, LEAST_SEEN)


def _errors(known: _Known, error: Floats, week: int) -> Floats:
    """An error of a week of which only a part was seen, as that of a whole one."""
    seen = known.seen[:, week]
    telling = (week > known.start) & (seen >= LEAST_SEEN)
    return np.where(telling, error / np.sqrt(np.maximum(seen, LEAST_SEEN)), np.nan)


def _smooth(
    known: _Known, *, alpha: float, beta: float = 0.0, season: Floats | None = None
) -> _Fit:
    """Exponential smoothing, with a damped trend when `beta` is given (Gardner & McKenzie), of
    demand freed from its `season` (index by week) when that is given.
    """
    weekly, seen, start = known.weekly, known.seen, known.start
    rows, width = weekly.shape
    index = np.ones((rows, width + AHEAD_WEEKS)) if season is None else season
    plain = weekly / index[:, :width]
    level = _level_at_start(plain, start, seen)
    trend = np.zeros(rows)
    errors = np.full((rows, width), np.nan)
    levels = np.empty((rows, width))
    for week in range(width):
        alive = week >= start
        expected = level + DAMPING * trend
        # Days that couldn't be seen teach nothing: only the part seen is compared.
        error = np.where(alive, plain[:, week] - expected * seen[:, week], 0.0)
        errors[:, week] = _errors(known, error * index[:, week], week)
        level = np.where(alive, expected + alpha * error, level)
        trend = np.where(alive, DAMPING * trend + alpha * beta * error, trend)
        levels[:, week] = level
    steps = DAMPING * (1 - DAMPING ** np.arange(1, AHEAD_WEEKS + 1)) / (1 - DAMPING)
    path = np.maximum(level[:, None] + trend[:, None] * steps, 0.0) * index[:, width:]
    name = ("season_" if season is not None else "") + ("trend" if beta else "smoothing")
    month = levels * _ahead_sums(index, width)
    return _Fit(np.full(rows, name, dtype="U16"), errors, path, month)


def _ahead_sums(values: Floats, width: int) -> Floats:
    """Sum of the month after each of the first `width` weeks."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    sums[:, 1:] = values.cumsum(axis=1)
    ends = np.arange(1, width + 1)
    return sums[:, ends + MONTH] - sums[:, ends]


def _choose_by_pattern(
    known: _Known, weeks: Ints, pattern: NDArray[np.str_]
) -> tuple[_Fit, Floats]:
    """Steady demand: smoothing, trend or season. Else the methods for rare and uneven demand,
    unless it is erratic and has a trend or a season."""
    often = np.flatnonzero(np.isin(pattern, PATTERNS[:2]))
    uneven = np.flatnonzero(pattern != PATTERNS[0])
    rows, width = known.weekly.shape
    fit = _Fit(
        np.full(rows, "", dtype="U16"),
        np.full((rows, width), np.nan),
        np.zeros((rows, AHEAD_WEEKS)),
        np.zeros((rows, width)),
    )
    gain = np.ones(rows)
    if len(uneven):
        fit.put(_best_of_kind(known.of(uneven), pattern[uneven]), uneven)
    if len(often):
        some = known.of(often)
        steady, gain[often] = _choose(some, weeks[often], _best_smoothing(some))
        kept = (pattern[often] == PATTERNS[0]) | (gain[often] < 1)
        fit.put(steady.of(kept), often[kept])
    return fit, gain


def _best_smoothing(known: _Known) -> _Fit:
    return _best([_smooth(known, alpha=alpha) for alpha in SMOOTHING])


def _best(fits: list[_Fit]) -> _Fit:
    best = fits[0]
    for fit in fits[1:]:
        best = fit.over(best, fit.spread < best.spread)
    return best


def _choose(known: _Known, weeks: Ints, base: _Fit) -> tuple[_Fit, Floats]:
    """Simple smoothing, unless trend or season foretold the holdout clearly better."""
    simple = _mean_square(base.errors, HOLDOUT)
    best, least = base, simple * BETTER
    enough = weeks >= 2 * HOLDOUT
    trend = _best([_smooth(known, alpha=a, beta=b) for a, b in TRENDS])
    error = _mean_square(trend.errors, HOLDOUT)
    wins = enough & (error < least)
    best, least = trend.over(best, wins), np.where(wins, error, least)
    two_years = weeks >= 2 * YEAR
    if two_years.any():
        # Judged with an index that hasn't seen the holdout, then used with all that is known.
        blind = _season(known, unseen=HOLDOUT)
        whole = _season(known)
        for alpha, beta in ((0.1, 0.0), (0.2, 0.0), (0.2, 0.1)):
            tried = _smooth(known, alpha=alpha, beta=beta, season=blind)
            error = _mean_square(tried.errors, HOLDOUT)
            wins = two_years & (error < least)
            final = _smooth(known, alpha=alpha, beta=beta, season=whole)
            # The spread comes from the honest trial.
            honest = _Fit(final.method, tried.errors, final.path, tried.month)
            best = honest.over(best, wins)
            least = np.where(wins, error, least)
    judged = np.where(best.method == base.method, simple, least)
    gain = np.sqrt(judged / np.maximum(simple, 1e-12))
    return best, np.where(simple > 0, np.minimum(gain, 1.0), 1.0)


def _season(known: _Known, unseen: int = 0) -> Floats:
    """Index of each week of the year (mean 1), for the past weeks and those ahead.

    Ratio to a straight line through the history, averaged over the years, smoothed over five
    weeks (1, 2, 3, 2, 1) and drawn towards 1 where few pieces tell it.
    """
    weekly = known.rate
    rows, width = weekly.shape
    seen = width - unseen
    alive = known.alive[:, :seen]
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


# --- Rare or uneven demand ---------------------------------------------------------------------


def _best_of_kind(known: _Known, pattern: NDArray[np.str_]) -> _Fit:
    """Of the methods for rare demand the one that foretold the months of the last year best.

    A single product has too few of them to tell: what each method did on all products of the
    same pattern counts too. Of two alike, the one whose level moves less with each sale.
    """
    fits = [_sba(known), *(_tsb(known, beta) for beta in TSB_BETAS)]
    fits += [_forgetting(known, alpha) for alpha in FORGETTING]
    lively = np.array([CROSTON_ALPHA, *TSB_BETAS, *FORGETTING])
    scores = np.stack([_month_score(known, fit) for fit in fits])
    scores /= np.maximum(scores.mean(axis=0), 1e-12)
    seen = np.where(known.alive, known.seen, 0.0).sum(axis=1)
    per_week = np.maximum(known.weekly.sum(axis=1) / np.maximum(seen, 1.0), RAREST)
    scores *= 1 + LIVELY * lively[:, None] / per_week
    for kind in PATTERNS:
        of_kind = pattern == kind
        if of_kind.any():
            scores[:, of_kind] += KIND_WEIGHT * scores[:, of_kind].mean(axis=1, keepdims=True)
    chosen = scores.argmin(axis=0)
    best = fits[0]
    for number, fit in enumerate(fits[1:], start=1):
        best = fit.over(best, chosen == number)
    return best


def _month_errors(known: _Known, fit: _Fit) -> tuple[Floats, Floats]:
    """Errors over four weeks, and what was foretold, at each past week; NaN where not all seen."""
    width = known.weekly.shape[1]
    if width <= MONTH:
        return np.full((len(known.weekly), 0), np.nan), np.full((len(known.weekly), 0), np.nan)
    asked = _ahead_sums(known.rate, width - MONTH)
    ages = np.arange(width - MONTH)[None, :] - known.start[:, None]
    whole = _ahead_sums(known.alive.astype(float), width - MONTH) == MONTH
    foretold = fit.month[:, : width - MONTH]
    return np.where(whole & (ages >= MONTH), asked - foretold, np.nan), foretold


def _month_score(known: _Known, fit: _Fit) -> Floats:
    errors, _foretold = _month_errors(known, fit)
    return _mean_square(errors, JUDGED_WEEKS)


def _sba(known: _Known) -> _Fit:
    """Croston's method with Syntetos and Boylan's correction: d̂ = (1 − α/2)·ẑ/p̂.

    ẑ is the smoothed size of a week with demand, p̂ the smoothed interval between such weeks;
    both move only when there is demand (Syntetos & Boylan 2005).
    """
    weekly, seen, start = known.weekly, known.seen, known.start
    rows, width = weekly.shape
    alpha = CROSTON_ALPHA
    # Both are plain means at first, so that a short history isn't ruled by its first gap.
    size, gap = np.zeros(rows), np.full(rows, np.inf)
    since, count = np.ones(rows), np.zeros(rows)
    errors, rates = np.full((rows, width), np.nan), np.empty((rows, width))
    for week in range(width):
        alive = week >= start
        asked = alive & (weekly[:, week] > 0)
        expected = (1 - alpha / 2) * size / gap
        errors[:, week] = _errors(known, weekly[:, week] - expected * seen[:, week], week)
        count += asked
        step = np.maximum(alpha, 1 / np.maximum(count, 1))
        size = np.where(asked, size + step * (weekly[:, week] - size), size)
        known_gap = np.where(np.isfinite(gap), gap, since)
        gap = np.where(asked, known_gap + step * (since - known_gap), gap)
        since = np.where(asked, 1.0, np.where(alive, since + seen[:, week], since))
        rates[:, week] = (1 - alpha / 2) * size / gap
    return _flat("croston_sba", errors, rates)


def _tsb(known: _Known, beta: float) -> _Fit:
    """Teunter, Syntetos & Babai (2011): d̂ = p̂·ẑ, where p̂, the chance of a week with demand,
    falls in every week without: what dies out is seen to."""
    weekly, seen, start = known.weekly, known.seen, known.start
    rows, width = weekly.shape
    size, chance, age = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    errors, rates = np.full((rows, width), np.nan), np.empty((rows, width))
    sizes = np.zeros(rows)
    for week in range(width):
        alive = week >= start
        asked = alive & (weekly[:, week] > 0)
        error = weekly[:, week] - size * chance * seen[:, week]
        errors[:, week] = _errors(known, error, week)
        sizes += asked
        # A mean of what was seen at first, that forgets later.
        step = np.where(asked, np.maximum(CROSTON_ALPHA, 1 / np.maximum(sizes, 1)), 0.0)
        size = size + step * (weekly[:, week] - size)
        age = age + np.where(alive, seen[:, week], 0.0)
        gain = np.where(alive, np.maximum(beta, 1 / np.maximum(age, 1)), 0.0)
        chance = np.clip(chance + gain * (asked - chance * seen[:, week]), 0.0, 1.0)
        rates[:, week] = size * chance
    return _flat("tsb", errors, rates)


def _forgetting(known: _Known, alpha: float) -> _Fit:
    """The mean of what was seen, that forgets: α a week, more while the history is young."""
    weekly, seen, start = known.weekly, known.seen, known.start
    rows, width = weekly.shape
    level, age = np.zeros(rows), np.zeros(rows)
    errors, rates = np.full((rows, width), np.nan), np.empty((rows, width))
    for week in range(width):
        alive = week >= start
        error = np.where(alive, weekly[:, week] - level * seen[:, week], 0.0)
        errors[:, week] = _errors(known, error, week)
        age = age + np.where(alive, seen[:, week], 0.0)
        level = level + np.maximum(alpha, 1 / np.maximum(age, 1)) * error
        rates[:, week] = level
    return _flat("smoothing", errors, rates)


def _flat(name: str, errors: Floats, rates: Floats) -> _Fit:
    path = np.repeat(rates[:, -1:], AHEAD_WEEKS, axis=1)
    return _Fit(np.full(len(rates), name, dtype="U16"), errors, path, rates * MONTH)


def _dormant(known: _Known, weeks: Ints, interval: Floats) -> NDArray[np.bool_]:
    """Nothing for half a year, and for six times as long as usually passes between two."""
    width = known.weekly.shape[1]
    asked = known.weekly > 0
    last = np.where(asked.any(axis=1), width - np.argmax(asked[:, ::-1], axis=1), 0)
    ages = np.arange(width)[None, :]
    quiet = np.where(ages >= np.maximum(last, known.start)[:, None], known.seen, 0.0).sum(axis=1)
    own = np.where(np.isfinite(interval), interval * DORMANT_INTERVALS, 0.0)
    return (weeks >= DORMANT_WEEKS) & (quiet >= np.maximum(own, DORMANT_WEEKS))


# --- Spread ------------------------------------------------------------------------------------


def _ratios(known: _Known, fit: _Fit, pattern: NDArray[np.str_]) -> Floats:
    """Variance of a week around what was foretold over its mean, as known after each week.

    Of the year before; drawn towards that of the kind where few weeks with demand tell.
    """
    there = ~np.isnan(fit.errors)
    squares = _rolling(np.where(there, fit.errors, 0.0) ** 2)
    rates = _rolling(np.where(there, known.rate, 0.0))
    asked = _rolling(there & (known.weekly > 0))
    own = squares / np.maximum(rates, 1e-9)
    for kind in PATTERNS:
        rows = pattern == kind
        telling = rows & (asked[:, -1] > 0)
        if telling.any():
            usual = float(np.median(own[telling, -1]))
            own[rows] = (asked[rows] * own[rows] + KIND_WEEKS * usual) / (asked[rows] + KIND_WEEKS)
    return own


def _rolling(values: NDArray[np.generic]) -> Floats:
    """Sums of the last year's weeks, at each week."""
    sums: Floats = values.cumsum(axis=1, dtype=float)
    if sums.shape[1] > JUDGED_WEEKS:
        sums[:, JUDGED_WEEKS:] -= sums[:, :-JUDGED_WEEKS].copy()
    return sums


def _level_error(known: _Known, fit: _Fit, pattern: NDArray[np.str_]) -> Floats:
    """By how much of itself the level is wrong over a month, beyond what weeks by chance make.

    Learned over all products of a pattern: E₄² = 4·E₁² + κ²·F².
    """
    errors, foretold = _month_errors(known, fit)
    errors, foretold = errors[:, -JUDGED_WEEKS:], foretold[:, -JUDGED_WEEKS:]
    found = np.zeros(len(errors))
    if not errors.shape[1]:
        return found
    by_chance = MONTH * _mean_square(fit.errors, JUDGED_WEEKS)
    there = ~np.isnan(errors)
    count = np.maximum(there.sum(axis=1), 1)
    level2 = (np.where(there, foretold, 0.0) ** 2).sum(axis=1) / count
    beyond = _mean_square(errors, JUDGED_WEEKS) - by_chance
    for kind in PATTERNS:
        rows = (pattern == kind) & there.any(axis=1) & (level2 > 0)
        if rows.any():
            share = float(np.mean(beyond[rows] / level2[rows]))
            found[pattern == kind] = np.sqrt(max(share, 0.0))
    return found


def _weekdays(daily: Floats) -> Floats:
    """How demand spreads over the seven days of a block (mean 1), where it isn't by chance."""
    recent = daily[:, -PROFILE_WEEKS * DAYS :]
    sums = recent.reshape(len(daily), -1, DAYS).sum(axis=1)
    total = sums.sum(axis=1, keepdims=True)
    even = np.maximum(total / DAYS, 1e-12)
    chi2 = ((sums - even) ** 2 / even).sum(axis=1)
    telling = (chi2 > CHI2_WEEKDAYS) & (total[:, 0] >= PROFILE_PIECES)
    return np.where(telling[:, None], sums / even, 1.0)
