"""What customers asked for, day by day: served or not, cancelled orders out, bundles exploded."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, Min, Q, Sum, Value
from django.db.models.functions import TruncDate

from inventory.models import Reservation, StockMove, Warehouse
from inventory.standings import EXCEPTIONAL, ORDINARY, standing
from sphinx.core.clock import PARIS, business_date


class Awaited(NamedTuple):
    """Pieces of a product that a supplier has still to send to the customer of one order."""

    delivery_id: int
    product_id: int
    pieces: Decimal


def awaited_from_suppliers(delivery_ids: Iterable[int] | None = None) -> list[Awaited]:
    """What customers still await from suppliers, the oldest order first; of some orders only."""
    open_ones = Reservation.objects.filter(direct__isnull=False, quantity__gt=0)
    if delivery_ids is not None:
        open_ones = open_ones.filter(direct__delivery__in=list(delivery_ids))
    rows = (
        open_ones.values_list("direct__delivery_id", "product_id")
        .annotate(pieces=Sum("quantity"), first=Min("requested_at"))
        .order_by("first", "direct__delivery_id", "product_id")
    )
    return [Awaited(delivery, product, pieces) for delivery, product, pieces, _f in rows]


class Asked(NamedTuple):
    """`times` order lines of one civil day (Europe/Paris) that asked `pieces` each.

    `standing`: what a person called the orders of their customer (inventory.standings).
    """

    product_id: int
    day: date
    pieces: Decimal
    times: int
    standing: str = ""


def asked_by_day(
    product_ids: Sequence[int], warehouse: Warehouse, *, first: date, before: date
) -> list[Asked]:
    """Order lines by product, day and size, from `first` until the day before `before`.

    Sizes are kept apart so that a one-off bulk order can be told from ordinary ones.
    """
    rows: Any = (
        Reservation.objects.filter(
            product_id__in=list(product_ids),
            warehouse=warehouse,
            is_bundle=False,
            asked__gt=0,
            requested_at__gte=_start(first),
            requested_at__lt=_start(before),
        )
        .annotate(day=TruncDate("requested_at", tzinfo=PARIS))
        .order_by()
    )
    told = standing()
    if told is None:
        rows = rows.values_list("product_id", "day", "asked").annotate(times=Count("id"))
        return [Asked(*row) for row in rows]
    rows = rows.annotate(standing=told).values_list("product_id", "day", "asked", "standing")
    return [
        Asked(product_id, day, pieces, times, called)
        for product_id, day, pieces, called, times in rows.annotate(times=Count("id"))
    ]


class Outlier(NamedTuple):
    """An order line that asked unusually much, or whose customer's orders are exceptional."""

    order: str
    day: date
    pieces: Decimal
    standing: str


def large_lines(
    product_id: int,
    warehouse: Warehouse,
    *,
    over: Decimal | None,
    first: date,
    before: date,
    most: int,
) -> list[Outlier]:
    """Lines of more than `over` pieces, unless their customer's orders are ordinary, or of
    customers whose orders are exceptional; the latest `most` of them. Without `over`, the latter.
    """
    told = standing() or Value("")
    lines = Reservation.objects.filter(
        product_id=product_id,
        warehouse=warehouse,
        is_bundle=False,
        asked__gt=0,
        requested_at__gte=_start(first),
        requested_at__lt=_start(before),
    ).annotate(called=told)
    large = Q(called=EXCEPTIONAL)
    if over is not None:
        large |= Q(asked__gt=over) & ~Q(called=ORDINARY)
    rows = lines.filter(large).order_by("-requested_at", "-pk")
    return [
        Outlier(number, business_date(at), pieces, called)
        for number, at, pieces, called in rows.values_list(
            "origin_number", "requested_at", "asked", "called"
        )[:most]
    ]


def asked_between(product_ids: Iterable[int], *, first: date, before: date) -> dict[int, Decimal]:
    """Pieces asked for by product, wherever they lie, from `first` until the day before `before`;
    cancelled orders out, bundles as their components."""
    rows = (
        Reservation.objects.filter(
            product_id__in=list(product_ids),
            is_bundle=False,
            asked__gt=0,
            requested_at__gte=_start(first),
            requested_at__lt=_start(before),
        )
        .order_by()
        .values_list("product_id")
        .annotate(pieces=Sum("asked"))
    )
    return dict(rows)


class StockChange(NamedTuple):
    """What could be sold of a product rose by so many pieces on a day; None: before all of them."""

    product_id: int
    day: date | None
    pieces: Decimal


def stock_changes(
    product_ids: Sequence[int],
    warehouse: Warehouse,
    *,
    first: date,
    before: date,
    asked: Iterable[Asked],
) -> list[StockChange]:
    """What could be sold (on the shelf and promised to nobody), from `first` on, day by day.

    Goods that come, go or are counted change it, and what was `asked` from `first` on does; not
    what is sent for it. Opening stock counts before its date too.
    """
    moves = (
        StockMove.objects.filter(
            product_id__in=list(product_ids), warehouse=warehouse, at__lt=_start(before)
        )
        .exclude(kind=StockMove.Kind.SALE)
        .order_by()
    )
    opening = Q(kind=StockMove.Kind.OPENING)
    old = moves.filter(opening | Q(at__lt=_start(first))).values_list("product_id")
    new = moves.filter(at__gte=_start(first)).exclude(opening)
    older = (
        Reservation.objects.filter(
            product_id__in=list(product_ids),
            warehouse=warehouse,
            is_bundle=False,
            asked__gt=0,
            requested_at__lt=_start(first),
        )
        .order_by()
        .values_list("product_id")
    )
    found = [StockChange(pk, None, n) for pk, n in old.annotate(n=Sum("quantity"))]
    found += [StockChange(pk, None, -n) for pk, n in older.annotate(n=Sum("asked"))]
    by_day = new.annotate(day=TruncDate("at", tzinfo=PARIS)).values_list("product_id", "day")
    found += [StockChange(pk, day, n) for pk, day, n in by_day.annotate(n=Sum("quantity"))]
    found += [StockChange(a.product_id, a.day, -a.pieces * a.times) for a in asked]
    return found


def first_days(
    product_ids: Sequence[int], warehouse: Warehouse, *, moved_only: bool = False
) -> dict[int, date]:
    """The first day on which a product was stocked or asked for: its history begins there.

    With `moved_only` the first day of its ledger.
    """
    found: dict[int, datetime] = {}
    asked = Reservation.objects.filter(
        product_id__in=list(product_ids), warehouse=warehouse, asked__gt=0, is_bundle=False
    )
    moved = StockMove.objects.filter(product_id__in=list(product_ids), warehouse=warehouse)
    sources: list[Any] = [moved.values_list("product_id").annotate(first=Min("at"))]
    if not moved_only:
        sources.append(asked.values_list("product_id").annotate(first=Min("requested_at")))
    for rows in sources:
        for product_id, moment in rows.order_by():
            found[product_id] = min(found.get(product_id, moment), moment)
    return {product_id: business_date(moment) for product_id, moment in found.items()}


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=PARIS)
