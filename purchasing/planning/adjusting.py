"""Forecasts as a person changed them: by so many percent, or to so many pieces a week.

What was computed stays as it is; the difference that a change makes is worked out beside it, day
by day, each time it is used.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from purchasing.planning.series import DAYS, Bools, Floats
from sphinx.core.money import plain

_DAY = timedelta(days=1)


class Adjustment(NamedTuple):
    """From the first day to the last, both included: `percent` more (or less), or so many pieces a
    week instead (`weekly`).

    `rank`: the higher wins on a day that several want. Of exceptional days nothing is learned once
    they are past.
    """

    first: date
    last: date
    percent: Decimal | None
    weekly: Decimal | None
    reason: str
    by: str
    rank: tuple[int, int]
    is_exceptional: bool = False

    def as_json(self) -> dict[str, str]:
        return {
            "from": self.first.isoformat(),
            "until": self.last.isoformat(),
            "percent": "" if self.percent is None else plain(self.percent),
            "weekly": "" if self.weekly is None else plain(self.weekly),
            "reason": self.reason,
            "by": self.by,
        }


class Change(NamedTuple):
    """Pieces that a person adds to a forecast or takes off it, summed over 0, 1, 2… days ahead.

    `course` with weekdays as they differ, `level` evened out.
    """

    course: Floats
    level: Floats

    def over(self, days: float, *, is_level: bool) -> float:
        """Over the next `days` days; what lies beyond the year changes nothing."""
        course = self.level if is_level else self.course
        return float(np.interp(days, np.arange(len(course)), course))


def change_of(
    ahead: Floats, weeks_ahead: Floats, adjustments: Sequence[Adjustment], on: date
) -> Change | None:
    """What `adjustments` change of one forecast (pieces summed over 0, 1, 2… days and weeks from
    `on`); None when they lie in the past or beyond the year."""
    width = len(ahead) - 1
    chosen: list[Adjustment | None] = [None] * width
    for adjustment in sorted(adjustments, key=lambda a: a.rank):
        begin, end = _columns(adjustment, on, width)
        chosen[begin:end] = [adjustment] * (end - begin)
    if not any(chosen):
        return None
    courses = []
    for usual in (np.diff(ahead), np.repeat(np.diff(weeks_ahead) / DAYS, DAYS)):
        more = np.zeros(width)
        for adjustment in set(filter(None, chosen)):
            days = np.array([a is adjustment for a in chosen])
            more[days] = _more(usual[days], adjustment)
        courses.append(np.concatenate([[0.0], more.cumsum()]))
    return Change(*courses)


def _more(usual: Floats, adjustment: Adjustment) -> Floats:
    if adjustment.weekly is not None:
        return float(adjustment.weekly) / DAYS - usual
    return usual * float(adjustment.percent or 0) / 100


def _columns(adjustment: Adjustment, first: date, width: int) -> tuple[int, int]:
    begin = min(max((adjustment.first - first).days, 0), width)
    return begin, min(max((adjustment.last - first).days + 1, begin), width)


def in_force(adjustments: Sequence[Adjustment], on: date, days: float) -> list[Adjustment]:
    """Those that have a day from `on` on, within `days`; the strongest first."""
    last = on + timedelta(days=days)
    met = [a for a in adjustments if a.last >= on and a.first <= last]
    return sorted(met, key=lambda a: a.rank, reverse=True)


def days_called_special(
    periods: Sequence[Sequence[tuple[date, date]]], *, before: date, weeks: int
) -> Bools | None:
    """Which of the `weeks` weeks' days fall in a period, a row a product; None where none does."""
    width = weeks * DAYS
    first = before - timedelta(days=width)
    found = np.zeros((len(periods), width), dtype=bool)
    for row, some in enumerate(periods):
        for begins, ends in some:
            begin = max((begins - first).days, 0)
            found[row, begin : max((ends - first).days + 1, begin)] = True
    return found if found.any() else None
