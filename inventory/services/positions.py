"""The figures of positions, written back under their locks."""

from collections.abc import Iterable

from inventory.models import StockPosition
from sphinx.core.bulk import update_rows


def save_positions(positions: Iterable[StockPosition]) -> None:
    """Write the figures of locked positions, ordered by product."""
    update_rows(
        StockPosition,
        ["on_hand", "reserved", "backordered", "incoming", "average_cost", "value"],
        [
            (p.pk, p.on_hand, p.reserved, p.backordered, p.incoming, p.average_cost, p.value)
            for p in sorted(positions, key=lambda p: (p.product_id, p.warehouse_id))
        ],
    )
