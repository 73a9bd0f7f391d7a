"""What is left of what came in: first in, first out."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal

from django.db.models import F, QuerySet, Sum, Window

from inventory.models import LotPosition, StockMove, StockPosition

ZERO = Decimal(0)
# Origin of goods lost between two warehouses: in and out at once, they never lay there.
LOST_ON_THE_WAY = "transfer_loss"
# A product, a warehouse, a lot or none.
_Shelf = tuple[int, int, int | None]
# What scrap went out of again, its document's number and line.
_Scrap = tuple[_Shelf, str, int]


def pieces_left(
    positions: Collection[StockPosition], *, sent_back: Mapping[int, Decimal] | None = None
) -> dict[int, Decimal]:
    """Pieces of each entry that still lie in some places, by move; entries of which none do are
    left out. Together they are what is on hand.

    The first that came left first; of a product with lots, within the lot. `sent_back` are pieces
    known to have left out of an entry, by move.
    """
    back = sent_back or {}
    on_hand = _shelves(positions)
    most = max(on_hand.values(), default=ZERO)
    if most <= 0:
        return {}
    places = {(p.product_id, p.warehouse_id) for p in positions}
    moves = StockMove.objects.filter(
        product_id__in={product for product, _w in places},
        warehouse_id__in={warehouse for _p, warehouse in places},
    ).exclude(origin_kind=LOST_ON_THE_WAY)
    scrapped = _scrapped(moves)
    newest_first = [F("at").desc(), F("pk").desc()]
    entries = (
        moves.filter(quantity__gt=0)
        .annotate(
            newer=Window(
                Sum("quantity"),
                partition_by=["product_id", "warehouse_id", "lot_id"],
                order_by=newest_first,
            )
        )
        # No more than can matter: what is there, and what went out of newer ones out of turn.
        .filter(
            newer__lt=F("quantity") + most + sum(back.values(), ZERO) + sum(scrapped.values(), ZERO)
        )
        .order_by(*newest_first)
        .values_list(
            "pk",
            "product_id",
            "warehouse_id",
            "lot_id",
            "quantity",
            "origin_number",
            "origin_line",
        )
    )
    found: dict[int, Decimal] = {}
    for pk, product, warehouse, lot, quantity, number, line in entries:
        shelf = (product, warehouse, lot)
        gone = back.get(pk, ZERO) + scrapped.get((shelf, number, line), ZERO)
        there = min(quantity - gone, on_hand.get(shelf, ZERO))
        if there > 0:
            found[pk] = there
            on_hand[shelf] -= there
    return found


def _shelves(positions: Collection[StockPosition]) -> dict[_Shelf, Decimal]:
    """Pieces on hand by lot; what has no lot, or isn't covered by its lots, under none."""
    left = {(p.product_id, p.warehouse_id): max(p.on_hand, ZERO) for p in positions}
    found: dict[_Shelf, Decimal] = {}
    lots = LotPosition.objects.filter(
        lot__product__in={product for product, _w in left},
        warehouse__in={warehouse for _p, warehouse in left},
        on_hand__gt=0,
    ).order_by("-lot_id")
    for lot, product, warehouse, pieces in lots.values_list(
        "lot_id", "lot__product_id", "warehouse_id", "on_hand"
    ):
        place = (product, warehouse)
        if place in left:
            found[product, warehouse, lot] = min(pieces, left[place])
            left[place] -= found[product, warehouse, lot]
    return found | {(*place, None): pieces for place, pieces in left.items()}


def _scrapped(moves: QuerySet[StockMove]) -> dict[_Scrap, Decimal]:
    """Pieces that came back from customers and went out at once as scrap."""
    found: dict[_Scrap, Decimal] = defaultdict(Decimal)
    for product, warehouse, lot, number, line, quantity in moves.filter(
        kind=StockMove.Kind.LOSS, origin_kind="return"
    ).values_list(
        "product_id", "warehouse_id", "lot_id", "origin_number", "origin_line", "quantity"
    ):
        found[(product, warehouse, lot), number.removesuffix("/R"), line] -= quantity
    return found
