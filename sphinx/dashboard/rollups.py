"""Sums of sales a day, kept up to date so that a page of figures costs the same after years.

Triggers lay down each day that an order, a document or a parcel touches, in the writer's own
transaction (`StaleDay`); `refresh` makes those days anew from their sources (rollup_sql.py).
Nothing is forgotten, whichever code wrote, and a day made twice is the same day.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from sphinx.core import clock
from sphinx.core.replica import is_reading_copy
from sphinx.dashboard.models import BuyersOfPeriod, RollupLock, StaleDay
from sphinx.dashboard.periods import Period, bounds
from sphinx.dashboard.rollup_sql import (
    AFFECTED,
    BUYER,
    PRODUCT_DAY,
    PRODUCT_MONTH,
    SALES_DAY,
    Rollup,
    fill,
    source_of,
)

_ALL = (SALES_DAY, PRODUCT_DAY, PRODUCT_MONTH, BUYER)
# Days nearer to each other than this are made anew together, those between too.
_GAP = timedelta(days=7)


class Difference(NamedTuple):
    """How many rows a table keeps, and how many are not what the sources say."""

    table: str
    rows: int
    wrong: int


def refresh() -> int:
    """Make anew the days that something touched; how many there were.

    Safe to run twice and at once: who comes second waits, and finds nothing left to do. Pages read
    from a copy of the database refresh nothing: beat does, each minute.
    """
    if is_reading_copy() or not StaleDay.objects.exists():
        return 0
    with transaction.atomic():
        lock()
        marks = list(StaleDay.objects.values_list("pk", "day"))
        # These marks only: one laid down from now on speaks of what we may not see yet.
        _forget([pk for pk, _day in marks])
        days = {day for _pk, day in marks}
        for span in _spans(days):
            _renew(span)
    return len(days)


@transaction.atomic
def rebuild() -> None:
    """Forget every sum and make all of them from their sources."""
    lock()
    StaleDay.objects.all().delete()
    BuyersOfPeriod.objects.all().delete()
    with connection.cursor() as cursor:
        for rollup in _ALL:
            cursor.execute(f"DELETE FROM {rollup.table}")
            _insert(cursor, rollup, {})


@transaction.atomic
def differences() -> list[Difference]:
    """Each table beside what its sources say now, days that wait made anew first."""
    refresh()
    return [_difference(rollup) for rollup in _ALL]


def lock() -> None:
    """Hold the kept sums until the transaction ends: nobody else refreshes them."""
    RollupLock.objects.get_or_create(pk=1)
    lock = RollupLock.objects.select_for_update().get(pk=1)
    lock.refreshed_at = clock.now()
    lock.save(update_fields=["refreshed_at"])


def _forget(marks: list[int]) -> None:
    for start in range(0, len(marks), 10_000):
        StaleDay.objects.filter(pk__in=marks[start : start + 10_000]).delete()


def _spans(days: Iterable[Any]) -> Iterator[Period]:
    """The days as few periods."""
    start = end = None
    for day in sorted(days):
        if end is None or day - end > _GAP:
            if start is not None and end is not None:
                yield Period(start, end)
            start = day
        end = day
    if start is not None and end is not None:
        yield Period(start, end)


def _renew(span: Period) -> None:
    # As the database keeps moments: SQLite compares them as texts, in UTC.
    first, after = map(connection.ops.adapt_datetimefield_value, bounds(span))
    places = {"start": span.start, "end": span.end, "first": first, "after": after}
    months = Period(span.start.replace(day=1), _last_of_month(span.end))
    by_month = {"start": months.start, "end": months.end}
    between = "BETWEEN %(start)s AND %(end)s"
    with connection.cursor() as cursor:
        for rollup in (SALES_DAY, PRODUCT_DAY):
            cursor.execute(f"DELETE FROM {rollup.table} WHERE day {between}", places)
            _insert(cursor, rollup, places)
        cursor.execute(f"DELETE FROM {PRODUCT_MONTH.table} WHERE month {between}", by_month)
        _insert(cursor, PRODUCT_MONTH, by_month)
        _insert(cursor, BUYER, places)
        cursor.execute(_buyers_no_more(), places)
    BuyersOfPeriod.objects.filter(end__gte=span.start).delete()


def _buyers_no_more() -> str:
    affected = fill(AFFECTED, some=True)
    return (
        f"DELETE FROM dashboard_buyer WHERE customer_id IN ({affected}) AND NOT EXISTS ("
        "SELECT 1 FROM sales_order o WHERE o.customer_id = dashboard_buyer.customer_id "
        "AND o.status <> 'cancelled')"
    )


def _insert(cursor: Any, rollup: Rollup, places: dict[str, Any]) -> None:
    sql = f"INSERT INTO {rollup.table} ({rollup.columns}) "
    sql += source_of(rollup, some=bool(places))
    if rollup is BUYER:
        renewed = ", ".join(f"{name} = excluded.{name}" for name in rollup.sums)
        # Who is as before isn't written anew: most who ordered on a day that is made again are.
        other = " OR ".join(f"{rollup.table}.{name} <> excluded.{name}" for name in rollup.sums)
        sql += f" ON CONFLICT (customer_id) DO UPDATE SET {renewed} WHERE {other}"
    cursor.execute(sql, places or None)


def _last_of_month(day: Any) -> Any:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _difference(rollup: Rollup) -> Difference:
    """Kept rows less the sources' rows must leave nothing.

    SQLite keeps decimals as binary numbers: what is less than a millionth is no difference.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {rollup.table}")
        rows = cursor.fetchone()[0]
        if rollup is BUYER:
            cursor.execute(_other_buyers())
        else:
            cursor.execute(_other_sums(rollup))
        wrong = cursor.fetchone()[0]
    return Difference(rollup.table, rows, wrong)


def _other_sums(rollup: Rollup) -> str:
    keys = ", ".join(rollup.keys)
    negative = ", ".join(f"-{name} AS {name}" for name in rollup.sums)
    apart = " OR ".join(f"ABS(SUM({name})) > 0.000001" for name in rollup.sums)
    return (
        f"SELECT COUNT(*) FROM (SELECT {keys} FROM (SELECT {rollup.columns} FROM {rollup.table} "
        f"UNION ALL SELECT {keys}, {negative} FROM ({source_of(rollup, some=False)}) AS said) "
        f"AS both_ways GROUP BY {keys} HAVING COUNT(*) <> 2 OR {apart}) AS wrong"
    )


def _other_buyers() -> str:
    return (
        f"SELECT COUNT(*) FROM (SELECT {BUYER.columns}, COUNT(*) FROM (SELECT {BUYER.columns} "
        f"FROM {BUYER.table} UNION ALL {source_of(BUYER, some=False)}) AS both_ways "
        f"GROUP BY {BUYER.columns} HAVING COUNT(*) <> 2) AS wrong"
    )
