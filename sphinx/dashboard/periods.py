"""Periods of civil days in Europe/Paris."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sphinx.core.clock import PARIS

DAYS = 30


class Period(NamedTuple):
    """Civil days, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days + 1

    def before(self) -> "Period":
        """The period of the same length just before."""
        length = timedelta(days=self.days)
        return Period(self.start - length, self.end - length)

    def year_before(self) -> "Period":
        """The same days a year before."""
        return Period(_year_before(self.start), _year_before(self.end))


def _year_before(day: date) -> date:
    last_of_month = day.month == 2 and day.day == 29  # noqa: PLR2004 (29 February has no other)
    return day.replace(year=day.year - 1, day=28 if last_of_month else day.day)


def last_days(today: date, days: int = DAYS) -> Period:
    """The last `days` civil days, today included."""
    return Period(today - timedelta(days=days - 1), today)


def bounds(period: Period) -> tuple[datetime, datetime]:
    """The first moment of the period and the first after it."""
    start = datetime.combine(period.start, datetime.min.time(), PARIS)
    end = datetime.combine(period.end + timedelta(days=1), datetime.min.time(), PARIS)
    return start, end
