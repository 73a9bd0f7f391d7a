"""The order in which stock rows are locked: positions by product id, then warehouse id."""

from collections.abc import Iterable

from inventory.models import StockPosition


def lock_positions(*, product_ids: Iterable[int], warehouse_id: int) -> dict[int, StockPosition]:
    """Positions of the products in a warehouse, made where missing, locked until commit."""
    wanted = sorted(set(product_ids))
    positions = StockPosition.objects.select_for_update(of=("self",), no_key=True).order_by(
        "product_id", "warehouse_id"
    )
    found = {
        p.product_id: p for p in positions.filter(product_id__in=wanted, warehouse_id=warehouse_id)
    }
    missing = [product_id for product_id in wanted if product_id not in found]
    if missing:
        StockPosition.objects.bulk_create(
            (StockPosition(product_id=p, warehouse_id=warehouse_id) for p in missing),
            ignore_conflicts=True,
        )
        found |= {
            p.product_id: p
            for p in positions.filter(product_id__in=missing, warehouse_id=warehouse_id)
        }
    return found
