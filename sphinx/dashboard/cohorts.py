"""Who comes back: customers by the month of their first order, in each month since.

Cancelled orders don't count. Ordered amounts are EUR excl. tax, months civil in Europe/Paris.
Counted once a day: different customers of a month aren't a sum of days.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, DateField, F, OuterRef, Subquery, Sum
from django.db.models.functions import Cast, TruncMonth

from sales.models import Order
from sphinx.core.clock import PARIS
from sphinx.core.money import ZERO, to_cents
from sphinx.dashboard.models import Buyer, Cohort

MONTHS = 12


class MonthOfBuyers(NamedTuple):
    """Different customers of a month: those whose first order is of it, those known before."""

    month: date
    new: int
    returning: int


class CohortRow(NamedTuple):
    """Customers of a first month and, for it and each month since, the share that ordered
    (percent, one decimal) and what all have ordered per head until then (EUR excl. tax)."""

    month: date
    customers: int
    shares: list[Decimal]
    per_head: list[Decimal]


@transaction.atomic
def measure_cohorts() -> None:
    """Count every cohort anew; again is the same."""
    first = Buyer.objects.filter(customer=OuterRef("customer")).values("first_ordered_on")
    rows = (
        Order.objects.exclude(status=Order.Status.CANCELLED)
        .order_by()
        .annotate(
            first=TruncMonth(Subquery(first), output_field=DateField()),
            month=Cast(TruncMonth("placed_at", tzinfo=PARIS), DateField()),
        )
        .values_list("first", "month")
        .annotate(
            customers=Count("customer", distinct=True),
            orders=Count("pk"),
            ordered=Sum(F("total_incl_tax") - F("total_tax")),
        )
    )
    found = [
        Cohort(
            first_month=first_month,
            month=month,
            customers=customers,
            orders=orders,
            ordered_excl_tax=to_cents(ordered),
        )
        for first_month, month, customers, orders, ordered in rows
    ]
    Cohort.objects.all().delete()
    Cohort.objects.bulk_create(found, batch_size=2000)


def buyers_by_month(today: date) -> list[MonthOfBuyers]:
    """The last twelve months, this one included."""
    months = _last_months(today)
    new, returning = dict.fromkeys(months, 0), dict.fromkeys(months, 0)
    for cohort in Cohort.objects.filter(month__gte=months[0]):
        counts = new if cohort.first_month == cohort.month else returning
        if cohort.month in counts:
            counts[cohort.month] += cohort.customers
    return [MonthOfBuyers(month, new[month], returning[month]) for month in months]


def cohort_rows(today: date) -> list[CohortRow]:
    """Cohorts of the last twelve months, the oldest first; months without are left out."""
    months = _last_months(today)
    found: dict[date, dict[date, Cohort]] = {}
    for cohort in Cohort.objects.filter(first_month__gte=months[0]):
        found.setdefault(cohort.first_month, {})[cohort.month] = cohort
    return [_row(month, months, found[month]) for month in months if month in found]


def _row(first: date, months: list[date], cohorts: Mapping[date, Cohort]) -> CohortRow:
    size = cohorts[first].customers
    shares, per_head, ordered = [], [], ZERO
    for month in months:
        if month < first:
            continue
        came = cohorts[month].customers if month in cohorts else 0
        ordered += cohorts[month].ordered_excl_tax if month in cohorts else ZERO
        shares.append((Decimal(came * 100) / size).quantize(Decimal("0.1")))
        per_head.append(to_cents(ordered / size))
    return CohortRow(first, size, shares, per_head)


def _last_months(today: date) -> list[date]:
    whole = today.year * MONTHS + today.month - 1
    return [date(n // MONTHS, n % MONTHS + 1, 1) for n in range(whole - MONTHS + 1, whole + 1)]
