"""When a supplier takes orders and delivers: days of the week, and times when it is closed.

Days of the week are kept as a sum: Monday 1, Tuesday 2, Wednesday 4 … Sunday 64; none is all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

WEEK = 7
ALL_WEEK = 2**WEEK - 1
_DAY = timedelta(days=1)


def weekdays_of(kept: int) -> list[int]:
    """Days of the week of a sum, Monday being 0."""
    return [day for day in range(WEEK) if kept >> day & 1]


def kept_as(weekdays: Iterable[int]) -> int:
    """The sum of days of the week, Monday being 0."""
    return sum(1 << day for day in set(weekdays))


class Closure(NamedTuple):
    """Closed from the first day to the last, both included."""

    first: date
    last: date
    note: str = ""


@dataclass(frozen=True)
class Calendar:
    """Days of the week on which orders are taken and goods come, and closures by date."""

    order_days: int = 0
    delivery_days: int = 0
    closures: tuple[Closure, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Open every day: nothing to count."""
        return not (self.closures or self._limits(self.order_days, self.delivery_days))

    @property
    def always_open(self) -> "Calendar":
        """The same without its closures."""
        return replace(self, closures=())

    def is_open(self, day: date) -> bool:
        """Nothing is taken, made or sent while it is closed."""
        return not any(c.first <= day <= c.last for c in self.closures)

    def next_order(self, on: date) -> date:
        """The first day from `on` that takes orders."""
        return self._next(on, self.order_days)

    def arrival(self, ordered: date, days: int) -> date:
        """The day on which goods ordered that day are here, `days` open days later."""
        day = ordered
        while days > 0:
            day += _DAY
            days -= self.is_open(day)
        return self._next(day, self.delivery_days)

    def arrives(self, on: date, days: int) -> date:
        """The day on which goods wanted that day are here: by the next order day, and the delay."""
        return self.arrival(self.next_order(on), days)

    def closed_days(self, first: date, last: date) -> int:
        """Closed days after `first`, until `last` included."""
        return sum(
            max((min(c.last, last) - max(c.first, first + _DAY)).days + 1, 0) for c in self.closures
        )

    def closure_between(self, first: date, last: date) -> Closure | None:
        """The first closure with a day from `first` to `last`."""
        met = (c for c in self.closures if c.first <= last and c.last >= first)
        return min(met, default=None)

    def _next(self, day: date, weekdays: int) -> date:
        wanted = weekdays or ALL_WEEK
        while not (wanted >> day.weekday() & 1 and self.is_open(day)):
            day += _DAY
        return day

    @staticmethod
    def _limits(*kept: int) -> bool:
        return any(0 < days < ALL_WEEK for days in kept)


OPEN = Calendar()
