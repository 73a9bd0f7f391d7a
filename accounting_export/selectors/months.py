"""Months and fiscal years of the accounts."""

from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import Coalesce

from accounting_export.models import ClosedMonth, JournalEntry, JournalLine
from sphinx.core.money import ZERO, to_cents


def first_open_day() -> date | None:
    """The day after the last closed month; None while none is closed."""
    last = ClosedMonth.objects.aggregate(last=Max("month"))["last"]
    return next_month(last) if last else None


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_to_close() -> date | None:
    """The first day of the month that closes next; None before there is any entry."""
    open_from = first_open_day()
    if open_from:
        return open_from
    first = JournalEntry.objects.aggregate(first=Min("entry_date"))["first"]
    return first.replace(day=1) if first else None


def fiscal_year(day: date, end_month: int) -> tuple[date, date]:
    """First and last day of the fiscal year that `day` is in, years ending with `end_month`."""
    ends = day.year if day.month <= end_month else day.year + 1
    last = next_month(date(ends, end_month, 1)) - timedelta(days=1)
    return next_month(date(ends - 1, end_month, 1)), last


def fiscal_years(end_month: int) -> list[tuple[date, date]]:
    """The fiscal years with entries, the latest first."""
    days = JournalEntry.objects.aggregate(first=Min("entry_date"), last=Max("entry_date"))
    if days["first"] is None:
        return []
    found = [fiscal_year(days["last"], end_month)]
    while found[-1][0] > days["first"]:
        found.append(fiscal_year(found[-1][0] - timedelta(days=1), end_month))
    return found


def month_sums(month: date) -> tuple[int, Decimal, Decimal]:
    """Entries dated in the month that begins on `month`, their debit and credit (EUR)."""
    lines = JournalLine.objects.filter(
        entry__entry_date__gte=month, entry__entry_date__lt=next_month(month)
    ).aggregate(
        count=Count("entry", distinct=True),
        debit=Coalesce(Sum("debit"), ZERO),
        credit=Coalesce(Sum("credit"), ZERO),
    )
    return lines["count"], to_cents(lines["debit"]), to_cents(lines["credit"])
