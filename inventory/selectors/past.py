"""What the ledger says of a past day: positions then, value then, the course of a product."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import DecimalField, F, Q, Sum
from django.db.models.functions import TruncDate

from inventory.models import Product, Reservation, StockMove, Warehouse
from sphinx.core.clock import PARIS
from sphinx.core.money import to_cents

ZERO = Decimal(0)


class PastPosition(NamedTuple):
    """Pieces on hand at the end of a day, and pieces that customers then still waited for
    (asked, not yet shipped)."""

    on_hand: Decimal
    owed: Decimal


class StockValue(NamedTuple):
    """Pieces and their value (EUR excl. tax, at weighted average cost)."""

    product: Product
    warehouse: Warehouse
    quantity: Decimal
    value: Decimal


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=PARIS)


def positions_at(
    product_ids: Sequence[int], warehouse: Warehouse, day: date
) -> dict[int, PastPosition]:
    """Positions at the end of a civil day (Europe/Paris).

    Opening stock is what was there when the books began: it counts before its date too.
    """
    wanted = list(product_ids)
    moves = StockMove.objects.filter(
        Q(at__lt=_end(day)) | Q(kind=StockMove.Kind.OPENING),
        product_id__in=wanted,
        warehouse=warehouse,
    ).order_by()
    on_hand = dict(moves.values_list("product_id").annotate(total=Sum("quantity")))
    sold = dict(
        moves.filter(kind=StockMove.Kind.SALE)
        .values_list("product_id")
        .annotate(total=Sum("quantity"))
    )
    asked = dict(
        Reservation.objects.filter(
            product_id__in=wanted,
            warehouse=warehouse,
            is_bundle=False,
            requested_at__lt=_end(day),
        )
        .order_by()
        .values_list("product_id")
        .annotate(total=Sum("asked"))
    )
    return {
        pk: PastPosition(on_hand.get(pk, ZERO), max(asked.get(pk, ZERO) + sold.get(pk, ZERO), ZERO))
        for pk in wanted
    }


def stock_value(day: date, warehouse: Warehouse | None = None) -> list[StockValue]:
    """What lay in stock at the end of a day and what it was worth, by SKU.

    Value = Σ of the valued moves up to then: entries at their cost, issues at the weighted
    average cost of their moment (PCG, art. 213-34), revaluations at theirs.
    """
    moves = StockMove.objects.filter(at__lt=_end(day))
    if warehouse is not None:
        moves = moves.filter(warehouse=warehouse)
    worth = DecimalField(max_digits=24, decimal_places=9)
    rows = (
        moves.order_by()
        .values("product", "warehouse")
        .annotate(
            pieces=Sum("quantity"),
            worth=Sum(F("quantity") * F("unit_cost"), output_field=worth),
            changed=Sum("value_change"),
        )
    )
    found = {(r["product"], r["warehouse"]): r for r in rows}
    products = Product.objects.in_bulk({p for p, _w in found})
    warehouses = Warehouse.objects.in_bulk({w for _p, w in found})
    values = [
        StockValue(
            products[product],
            warehouses[place],
            row["pieces"],
            to_cents(row["worth"] + row["changed"]) if row["pieces"] else to_cents(ZERO),
        )
        for (product, place), row in found.items()
        if row["pieces"]
    ]
    return sorted(values, key=lambda v: (v.product.sku, v.warehouse.code))


def stock_by_day(
    product_id: int, warehouse: Warehouse, *, first: date, last: date
) -> list[tuple[date, Decimal]]:
    """Pieces on hand at the end of each day from `first` to `last`."""
    moves = StockMove.objects.filter(
        product_id=product_id, warehouse=warehouse, at__lt=_end(last)
    ).order_by()
    start = datetime.combine(first, time(), tzinfo=PARIS)
    level = moves.filter(at__lt=start).aggregate(n=Sum("quantity"))["n"] or ZERO
    changes = dict(
        moves.filter(at__gte=start)
        .annotate(day=TruncDate("at", tzinfo=PARIS))
        .values_list("day")
        .annotate(n=Sum("quantity"))
    )
    course = []
    for day in _days(first, last):
        level += changes.get(day, ZERO)
        course.append((day, level))
    return course


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
