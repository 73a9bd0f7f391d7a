"""The weeks to come: what would be ordered if level, trend and season hold.

The same methods as foretell the demand for products (purchasing/planning/forecasting.py), on the
firm's orders of a day. An estimate, in whole euros: nothing is booked from it.
"""

from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from typing import NamedTuple

import numpy as np
from django.db.models import Min, Sum

from purchasing.planning.forecasting import SHORT_WEEKS, forecast
from purchasing.planning.series import DAYS, MAX_WEEKS, Series
from sphinx.core.money import to_cents
from sphinx.dashboard.figures import Chosen, sold_in
from sphinx.dashboard.models import SalesDay
from sphinx.dashboard.periods import Period

WEEKS_SHOWN, WEEKS_AHEAD = 12, 6
# Of a normal spread, eight weeks in ten lie between these.
_EIGHT_IN_TEN = 1.2816


class ForetoldWeek(NamedTuple):
    """Ordered (EUR incl. tax) in a week that has passed, or foretold: value, low and high."""

    first_day: date
    ordered: Decimal | None
    foretold: tuple[Decimal | None, Decimal | None, Decimal | None]


def weeks_to_come(today: date, chosen: Chosen) -> list[ForetoldWeek]:
    """A quarter back and six weeks ahead, weeks beginning today; nothing of a short history.

    Nor of certain products: their orders aren't kept by day.
    """
    if chosen.is_of_products:
        return []
    width = MAX_WEEKS * DAYS
    past = Period(today - timedelta(days=width), today - timedelta(days=1))
    rows = sold_in(past, chosen).values("day").annotate(total=Sum("ordered_incl_tax"))
    daily = np.zeros((1, width))
    for row in rows:
        daily[0, (row["day"] - past.start).days] = float(row["total"])
    began = SalesDay.objects.filter(orders__gt=0).aggregate(day=Min("day"))["day"]
    first = min(max((began - past.start).days, 0), width) if began else width
    series = Series(daily, np.array([first]), np.zeros(1))
    if series.weeks[0] < SHORT_WEEKS:
        return []
    known = min(int(series.weeks[0]), WEEKS_SHOWN)
    weeks = [
        ForetoldWeek(today - timedelta(days=n * DAYS), _euros(series.weekly[0, -n]), (None,) * 3)
        for n in range(known, 0, -1)
    ]
    return weeks + _ahead(series, today)


def _ahead(series: Series, today: date) -> list[ForetoldWeek]:
    found = forecast(series)
    spread = float(found.spread_per_day[0]) * sqrt(DAYS) * _EIGHT_IN_TEN
    weeks = []
    for n in range(WEEKS_AHEAD):
        value = found.until(0, (n + 1) * DAYS) - found.until(0, n * DAYS)
        bounds = (_euros(value), _euros(max(value - spread, 0)), _euros(value + spread))
        weeks.append(ForetoldWeek(today + timedelta(days=n * DAYS), None, bounds))
    return weeks


def _euros(value: float) -> Decimal:
    return to_cents(Decimal(repr(float(value))))
