"""The clock, read at the edges only (tasks, views, commands); services take the time given."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils import timezone

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """This moment, aware."""
    return timezone.now()


def business_date(moment: datetime) -> date:
    """The civil day in Europe/Paris on which `moment` falls."""
    return moment.astimezone(PARIS).date()


def today() -> date:
    """The current civil day in Europe/Paris."""
    return business_date(now())


def start_of(day: date) -> datetime:
    """The first moment of a civil day in Europe/Paris."""
    return datetime.combine(day, time(), tzinfo=PARIS)
