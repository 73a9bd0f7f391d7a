"""What another warehouse has too much of, moved before it is bought.

A warehouse has too much of a product where more is free or coming than its own order-up-to level:
it would order none before that is sold. Only what lies there free can leave.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from inventory.models import StockPosition, Warehouse
from inventory.selectors import transfers_refused
from purchasing.models import StockPolicy
from sphinx.core.money import ZERO, plain

ONE = Decimal(1)


class Surplus(NamedTuple):
    """Whole pieces that a warehouse can spare, above its own order-up-to level."""

    warehouse: Warehouse
    pieces: Decimal
    order_up_to: Decimal


class Move(NamedTuple):
    """Pieces of a product to bring from one warehouse to another, and why."""

    source: Warehouse
    destination: Warehouse
    product_id: int
    pieces: Decimal
    reason: dict[str, Any]


class Surpluses:
    """What warehouses can spare for each other; what is promised once isn't promised twice."""

    def __init__(self, warehouses: Sequence[Warehouse], product_ids: Iterable[int]) -> None:
        self._left: dict[int, list[Surplus]] = defaultdict(list)
        self.moves: list[Move] = []
        by_id = {w.pk: w for w in warehouses}
        ids = sorted(set(product_ids))
        levels = {
            (product, warehouse): up_to
            for product, warehouse, up_to in StockPolicy.objects.filter(
                product__in=ids, warehouse__in=by_id
            ).values_list("product", "warehouse", "order_up_to")
        }
        for position in StockPosition.objects.filter(
            product__in=ids, warehouse__in=by_id, on_hand__gt=0
        ).order_by("product", "warehouse"):
            place = (position.product_id, position.warehouse_id)
            if place in levels:
                spare = _spare(position, levels[place])
                if spare > 0:
                    self._left[position.product_id].append(
                        Surplus(by_id[position.warehouse_id], spare, levels[place])
                    )

    def take(
        self,
        product_id: int,
        destination: Warehouse,
        pieces: Decimal,
        refused: Iterable[int],
        figures: Mapping[str, str],
    ) -> Decimal:
        """Bring up to so many pieces to a warehouse, from whoever has most; how many.

        `refused` are warehouses from which people wanted none lately.
        """
        brought = ZERO
        left = self._left.get(product_id, [])
        for number, spare in sorted(enumerate(left), key=lambda pair: -pair[1].pieces):
            moved = min(spare.pieces, pieces - brought).to_integral_value(rounding=ROUND_FLOOR)
            if moved <= 0 or spare.warehouse == destination or spare.warehouse.pk in refused:
                continue
            reason = {
                **figures,
                "spare": plain(spare.pieces),
                "source_up_to": plain(spare.order_up_to),
            }
            self.moves.append(Move(spare.warehouse, destination, product_id, moved, reason))
            left[number] = spare._replace(pieces=spare.pieces - moved)
            brought += moved
        return brought


def _spare(position: StockPosition, order_up_to: Decimal) -> Decimal:
    free = position.available
    in_sight = free + position.incoming - position.backordered
    return max(min(free, in_sight - order_up_to), ZERO).to_integral_value(rounding=ROUND_FLOOR)


def refused_lately(destination: Warehouse, on: date) -> dict[int, set[int]]:
    """From which warehouses people wanted none of a product lately, by product."""
    found: dict[int, set[int]] = defaultdict(set)
    for product_id, source_id in transfers_refused(destination, on):
        found[product_id].add(source_id)
    return found
