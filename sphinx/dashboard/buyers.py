"""Who bought in a period: new customers and those who came back.

How many different customers there are isn't a sum of days. Asked once, the answer for all sales is
remembered until something touches a day of the period or before it (`rollups.refresh`).
"""

from typing import NamedTuple

from django.db import transaction

from sphinx.core.replica import is_reading_copy
from sphinx.dashboard.figures import EVERYTHING, Chosen, orders_in
from sphinx.dashboard.models import Buyer, BuyersOfPeriod
from sphinx.dashboard.periods import Period
from sphinx.dashboard.rollups import lock

_REMEMBERED = 1000


class Buyers(NamedTuple):
    """Customers whose very first order is of the period, and those who had ordered before."""

    new: int
    returning: int


def buyers_in(period: Period, chosen: Chosen = EVERYTHING) -> Buyers:
    """New and returning customers among those who ordered; cancelled orders don't count."""
    if chosen != EVERYTHING:
        return _counted(period, chosen)
    known = BuyersOfPeriod.objects.filter(start=period.start, end=period.end).first()
    if known is None and is_reading_copy():
        # Nothing can be kept there: counted each time, and as of the copy's moment.
        return _counted(period, chosen)
    if known is None:
        known = _remember(period)
    return Buyers(known.new, known.returning)


@transaction.atomic
def _remember(period: Period) -> BuyersOfPeriod:
    # Under the lock of those who refresh: what we count now can't be out of date when kept.
    lock()
    counted = _counted(period, EVERYTHING)
    if BuyersOfPeriod.objects.count() > _REMEMBERED:
        BuyersOfPeriod.objects.all().delete()
    known, _is_new = BuyersOfPeriod.objects.update_or_create(
        start=period.start, end=period.end, defaults=counted._asdict()
    )
    return known


def _counted(period: Period, chosen: Chosen) -> Buyers:
    orders = orders_in(period, chosen).values("customer")
    first = Buyer.objects.filter(first_ordered_on__range=(period.start, period.end))
    if chosen != EVERYTHING:
        first = first.filter(customer__in=orders)
    elif not Buyer.objects.filter(last_ordered_on__gt=period.end).exists():
        # Up to the last order: whoever ordered last in the period or later, ordered in it.
        new = first.count()
        return Buyers(new, Buyer.objects.filter(last_ordered_on__gte=period.start).count() - new)
    new = first.count()
    return Buyers(new, orders.distinct().count() - new)
