"""What lies in which bin while stock moves: goods come in unplaced and are put away by hand.

Who picks takes from the product's usual bin first (`Product.location`), then along the walk, and
what hasn't been put away last; the picking list says the same (inventory.selectors.bins).
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from inventory.locks import Place
from inventory.models import BinStock, StockPosition
from inventory.selectors.bins import in_picking_order
from sphinx.core.bulk import update_rows

ZERO = Decimal(0)


class Bins:
    """The bins of some places while stock moves; the places' positions are locked."""

    def __init__(self, positions: Mapping[Place, StockPosition]) -> None:
        self._held: dict[Place, list[BinStock]] = defaultdict(list)
        self._changed: dict[int, BinStock] = {}
        products = {product_id for product_id, _w in positions}
        warehouses = {warehouse_id for _p, warehouse_id in positions}
        found = (
            BinStock.objects.select_for_update(of=("self",), no_key=True)
            .filter(product__in=products, bin__warehouse__in=warehouses)
            .select_related("bin", "product")
            .order_by("pk")
        )
        for held in in_picking_order(found):
            self._held[held.product_id, held.bin.warehouse_id].append(held)

    def held(self, position: StockPosition) -> Decimal:
        """Pieces that lie in bins."""
        return sum((h.on_hand for h in self._held[_place(position)]), ZERO)

    def held_in(self, position: StockPosition, bin_id: int) -> Decimal:
        """Pieces that lie in one bin."""
        held = self._held[_place(position)]
        return sum((h.on_hand for h in held if h.bin_id == bin_id), ZERO)

    def put(self, position: StockPosition, quantity: Decimal, bin_id: int | None) -> None:
        """Pieces into a bin; without one they wait to be put away."""
        if bin_id is not None:
            self._change(self._find(position, bin_id), quantity)

    def take(
        self,
        position: StockPosition,
        quantity: Decimal,
        *,
        bin_id: int | None = None,
        unplaced_first: bool = False,
    ) -> None:
        """Pieces out of a bin, and whatever it lacks out of the others as one picks; `position`
        still counts them."""
        held = self._held[_place(position)]
        if not held and bin_id is None:
            return
        left = quantity
        if unplaced_first:
            left -= min(left, max(position.on_hand - self.held(position), ZERO))
        for found in sorted(held, key=lambda h: h.bin_id != bin_id):
            taken = min(found.on_hand, left)
            if taken > 0:
                self._change(found, -taken)
                left -= taken

    def save(self) -> None:
        """Write what was taken and put."""
        update_rows(
            BinStock,
            ["on_hand"],
            [(h.pk, h.on_hand) for h in sorted(self._changed.values(), key=lambda h: h.pk)],
        )
        self._changed = {}

    def _find(self, position: StockPosition, bin_id: int) -> BinStock:
        held = self._held[_place(position)]
        known = next((h for h in held if h.bin_id == bin_id), None)
        if known is None:
            known, _created = BinStock.objects.get_or_create(
                product_id=position.product_id, bin_id=bin_id
            )
            held.append(known)
        return known

    def _change(self, found: BinStock, quantity: Decimal) -> None:
        found.on_hand += quantity
        self._changed[found.pk] = found


def _place(position: StockPosition) -> Place:
    return position.product_id, position.warehouse_id
