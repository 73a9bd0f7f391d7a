"""What the ledger says of a past day: positions then, value then, the course of a product.

Goods on their way between two warehouses lie in neither, and are the firm's all the same: their
value is that of the transfers' moves, out less in.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q, Sum
from django.db.models.functions import TruncDate

from inventory.models import WORTH, Product, Reservation, StockMove, StockTransferLine, Warehouse
from sphinx.core.clock import PARIS
from sphinx.core.money import to_cents

ZERO = Decimal(0)


class PastPosition(NamedTuple):
    """Pieces on hand at the end of a day, and pieces that customers then still waited for
    (asked, not yet shipped)."""

    on_hand: Decimal
    owed: Decimal


class StockValue(NamedTuple):
    """Pieces and their value (EUR excl. tax, at weighted average cost), in a warehouse or on
    their way to it."""

    product: Product
    warehouse: Warehouse
    quantity: Decimal
    value: Decimal
    is_on_its_way: bool = False


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
    """What lay in stock at the end of a day, or was on its way between warehouses, and what it
    was worth, by SKU.

    Value = Σ of the valued moves up to then: entries at their cost, issues at the weighted
    average cost of their moment (PCG, art. 213-34), revaluations at theirs.
    """
    moves = StockMove.objects.filter(at__lt=_end(day))
    if warehouse is not None:
        moves = moves.filter(warehouse=warehouse)
    rows = (
        moves.order_by()
        .values("product", "warehouse")
        .annotate(pieces=Sum("quantity"), worth=WORTH)
    )
    lying = {
        (r["product"], r["warehouse"], False): (r["pieces"], r["worth"])
        for r in rows
        # Of a day before something that was entered late, value may stand without pieces.
        if r["pieces"] or to_cents(r["worth"])
    }
    found = lying | _on_their_way(day, warehouse)
    products = Product.objects.in_bulk({product for product, _w, _o in found})
    warehouses = Warehouse.objects.in_bulk({place for _p, place, _o in found})
    values = [
        StockValue(products[product], warehouses[place], pieces, to_cents(worth), moving)
        for (product, place, moving), (pieces, worth) in found.items()
    ]
    return sorted(values, key=lambda v: (v.product.sku, v.warehouse.code, v.is_on_its_way))


def _on_their_way(
    day: date, warehouse: Warehouse | None
) -> dict[tuple[int, int, bool], tuple[Decimal, Decimal]]:
    """Pieces and value (EUR) under way at the end of a day, by product and destination."""
    end = _end(day)
    lines = StockTransferLine.objects.filter(
        Q(transfer__received_at__isnull=True) | Q(transfer__received_at__gte=end),
        transfer__sent_at__lt=end,
    )
    if warehouse is not None:
        lines = lines.filter(transfer__destination=warehouse)
    places = {
        pk: (product, place)
        for pk, product, place in lines.values_list("pk", "product_id", "transfer__destination_id")
    }
    rows = (
        StockMove.objects.filter(
            at__lt=end,
            kind=StockMove.Kind.TRANSFER,
            product_id__in={product for product, _w in places.values()},
            origin_line__in=places,
        )
        .order_by()
        .values("origin_line")
        .annotate(pieces=Sum("quantity"), worth=WORTH)
    )
    found: dict[tuple[int, int, bool], tuple[Decimal, Decimal]] = {}
    for row in rows:
        key = (*places[row["origin_line"]], True)
        pieces, worth = found.get(key, (ZERO, ZERO))
        found[key] = (pieces - row["pieces"], worth - row["worth"])
    return {key: amounts for key, amounts in found.items() if amounts[0]}


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
