"""What lies in which bin, what waits to be put away, and where to take it from."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from inventory.allocations import Place
from inventory.models import Bin, BinStock, Product, StockPosition, Warehouse

ZERO = Decimal(0)


class PutAway(NamedTuple):
    """Pieces of a product that lie in no bin yet, and the bin where they would best go."""

    product: Product
    quantity: Decimal
    bin: Bin | None


class Step(NamedTuple):
    """Pieces to take from one place; no bin: from what hasn't been put away."""

    bin: Bin | None
    quantity: Decimal


def natural_key(code: str) -> list[tuple[int, int, str]]:
    """Sorts codes as people do: A2 before A10."""
    parts = re.findall(r"\d+|\D+", code.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]


def in_picking_order(held: Iterable[BinStock]) -> list[BinStock]:
    """The bins of each product in the order in which one takes from them: its usual one, then
    along the walk."""

    def order(found: BinStock) -> tuple[bool, int, int]:
        usual = found.bin.code.casefold() == found.product.location.casefold()
        return (not usual, found.bin.position, found.bin_id)

    return sorted(held, key=order)


def bins_by_code(warehouse: Warehouse) -> dict[str, Bin]:
    """The warehouse's bins by what tells their codes apart: case doesn't count."""
    return {b.code.casefold(): b for b in Bin.objects.filter(warehouse=warehouse)}


def empty_bins(warehouse: Warehouse) -> QuerySet[Bin]:
    """The warehouse's bins in which nothing lies, along the walk."""
    full = BinStock.objects.filter(on_hand__gt=0, bin=OuterRef("pk"))
    return Bin.objects.filter(~Exists(full), warehouse=warehouse)


def usual_places(warehouse: Warehouse) -> list[str]:
    """The places written on the articles that lie in a warehouse, as people sort them."""
    found = Product.objects.filter(positions__warehouse=warehouse).exclude(location="")
    return sorted(set(found.values_list("location", flat=True)), key=natural_key)


def bin_contents(warehouse: Warehouse, search: str = "") -> QuerySet[BinStock]:
    """What lies in the bins, along the walk; of a bin or an article when `search` names one."""
    found = (
        BinStock.objects.filter(bin__warehouse=warehouse, on_hand__gt=0)
        .select_related("bin", "product")
        .order_by("bin__position", "bin_id", "product__sku")
    )
    if search:
        found = found.filter(bin__code__istartswith=search) | found.filter(
            product__sku__istartswith=search
        )
    return found


def unplaced(warehouse: Warehouse) -> QuerySet[StockPosition]:
    """Positions with pieces in no bin (`waiting`), in the order of their arrival; a warehouse
    without bins has none."""
    placed = (
        BinStock.objects.filter(product=OuterRef("product"), bin__warehouse=OuterRef("warehouse"))
        .order_by()
        .values("product")
        .annotate(n=Sum("on_hand"))
        .values("n")
    )
    if not Bin.objects.filter(warehouse=warehouse).exists():
        return StockPosition.objects.none()
    return (
        StockPosition.objects.filter(warehouse=warehouse, on_hand__gt=0, allows_negative=False)
        .annotate(waiting=F("on_hand") - Coalesce(Subquery(placed), ZERO))
        .filter(waiting__gt=0)
        .select_related("product")
        .order_by("product__sku")
    )


def to_put_away(warehouse: Warehouse, limit: int) -> list[PutAway]:
    """What waits to be put away, each with its usual bin, else the one that holds (or last held)
    the most of it."""
    waiting = list(unplaced(warehouse)[:limit])
    by_code = bins_by_code(warehouse)
    best: dict[int, BinStock] = {}
    for held in BinStock.objects.filter(
        bin__warehouse=warehouse, product_id__in=[p.product_id for p in waiting]
    ).select_related("bin"):
        known = best.get(held.product_id)
        if known is None or (held.on_hand, held.pk) > (known.on_hand, known.pk):
            best[held.product_id] = held
    rows = []
    for position in waiting:
        proposed = by_code.get(position.product.location.casefold())
        if proposed is None and position.product_id in best:
            proposed = best[position.product_id].bin
        pieces: Decimal = position.waiting  # type: ignore[attr-defined]  # annotated
        rows.append(PutAway(position.product, pieces, proposed))
    return rows


def places_to_pick(asked: Mapping[Place, Decimal]) -> dict[Place, list[Step]]:
    """Where to take pieces from, by product and warehouse, as shipping will take them.

    Places without bins aren't in the answer.
    """
    held: dict[Place, list[BinStock]] = defaultdict(list)
    for found in in_picking_order(
        BinStock.objects.filter(
            product_id__in={product_id for product_id, _w in asked},
            bin__warehouse_id__in={warehouse_id for _p, warehouse_id in asked},
            on_hand__gt=0,
        ).select_related("bin", "product")
    ):
        held[found.product_id, found.bin.warehouse_id].append(found)
    steps: dict[Place, list[Step]] = {}
    for place, quantity in asked.items():
        left = quantity
        for found in held.get(place, ()):
            taken = min(found.on_hand, left)
            if taken > 0:
                steps.setdefault(place, []).append(Step(found.bin, taken))
                left -= taken
        if left > 0 and place in steps:
            steps[place].append(Step(None, left))
    return steps
