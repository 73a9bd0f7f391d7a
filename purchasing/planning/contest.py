"""Levels against simple rules over a past that somebody brought: which stock for which service?

Every rule meets the same demand, delays and packs; it knows of each day what was before it. A rule
with more stock serves better: rules are compared at the service level that ours achieved, on the
line between the two nearest trials of the other.
"""

from decimal import Decimal
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from purchasing.planning.backtest import History, Outcome, Policy, learned_policy, simulate
from purchasing.planning.forecasting import forecast
from purchasing.planning.levels import Rules
from purchasing.planning.series import DAYS, MAX_WEEKS, Floats, Ints, Series

# Service levels asked, in percent.
ASKED = (90, 95, 98, 99)
# A fixed minimum: the delay and so many days of the mean so far.
BUFFERS = (0, 7, 14, 30, 60)
# The normal law over the mean and spread of so many days.
WINDOWS = (91, 182, 364)


class Trial(NamedTuple):
    """A rule at one setting: service level achieved (0 to 1), served at once, stock in EUR."""

    rule: str
    asked: int
    achieved: float
    served: float
    value: float
    outcome: Outcome


def contest(
    history: History, first: Ints, costs: Floats, rules: Rules, *, start: int
) -> list[Trial]:
    """All rules at all settings from day `start` on; `costs` in EUR a piece."""
    found = []
    for asked in ASKED:
        wished = rules._replace(service_levels=dict.fromkeys("ABC", Decimal(asked)))
        ours = learned_policy(history, first, wished)
        found.append(_trial("learned", asked, history, ours, costs, start))
    cover = rules.cover_days
    for buffer in BUFFERS:
        fixed = _fixed(history, first, start, buffer, cover)
        found.append(_trial("fixed", buffer, history, fixed, costs, start))
    for window in WINDOWS:
        for asked in ASKED:
            normal = _normal(history, asked, window, cover)
            found.append(_trial(f"normal_{window}", asked, history, normal, costs, start))
    return found


def value_at(trials: list[Trial], rule: str, achieved: float) -> float | None:
    """Stock in EUR with which `rule` achieves as much; none where no setting of it does."""
    points = sorted((trial.achieved, trial.value) for trial in trials if trial.rule == rule)
    if not points or not points[0][0] <= achieved <= points[-1][0]:
        return None
    levels, values = zip(*points, strict=True)
    return float(np.interp(achieved, levels, values))


def patterns(history: History, first: Ints, *, start: int) -> list[str]:
    """The pattern of each row, as known on day `start`."""
    since = max(start - min(start // DAYS, MAX_WEEKS) * DAYS, 0)
    seen = history.daily[:, since:start]
    began = np.clip(first - since, 0, seen.shape[1])
    return forecast(Series(seen, began, np.zeros(len(seen)))).pattern


def _trial(
    rule: str, asked: int, history: History, policy: Policy, costs: Floats, start: int
) -> Trial:
    outcome = simulate(rule, history, policy, start=start)
    achieved = 1 - float(outcome.short.sum()) / max(float(outcome.arrivals.sum()), 1.0)
    value = float((outcome.stock * costs).sum())
    return Trial(rule, asked, achieved, outcome.fill_rate, value, outcome)


def _fixed(history: History, first: Ints, start: int, buffer: int, cover: int) -> Policy:
    mean = history.daily[:, :start].sum(axis=1) / np.maximum(start - first, 1)
    point = np.ceil(mean * (history.lead_days + buffer))
    top = point + np.maximum(np.ceil(mean * cover), 1.0)
    return lambda _day: (point, top)


def _normal(history: History, asked: int, window: int, cover: int) -> Policy:
    z = NormalDist().inv_cdf(asked / 100)
    over = history.lead_days + 1

    def levels(day: int) -> tuple[Floats, Floats]:
        past = history.daily[:, max(day - window, 0) : day]
        mean, spread = past.mean(axis=1), past.std(axis=1, ddof=1)
        deviation = np.sqrt(over * spread**2 + mean**2 * history.lead_spread**2)
        point = np.ceil(mean * over + z * deviation)
        return point, point + np.maximum(np.ceil(mean * cover), 1.0)

    return levels
