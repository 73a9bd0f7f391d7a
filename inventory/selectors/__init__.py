"""Reads of stock: positions, what was asked, what the ledger says of a past day."""

from inventory.selectors.demand import (
    Asked,
    Awaited,
    StockChange,
    asked_by_day,
    awaited_from_suppliers,
    first_days,
    stock_changes,
)
from inventory.selectors.past import (
    PastPosition,
    StockValue,
    positions_at,
    stock_by_day,
    stock_value,
)
from inventory.selectors.stock import (
    articles_without_sku,
    bundle_availability,
    dated_lots,
    expired_on_shelf,
    find_product,
    find_products,
    lots_on_shelf,
    not_out_yet,
    scanned_product,
    stock_positions,
)

__all__ = [
    "Asked",
    "Awaited",
    "PastPosition",
    "StockChange",
    "StockValue",
    "articles_without_sku",
    "asked_by_day",
    "awaited_from_suppliers",
    "bundle_availability",
    "dated_lots",
    "expired_on_shelf",
    "find_product",
    "find_products",
    "first_days",
    "lots_on_shelf",
    "not_out_yet",
    "positions_at",
    "scanned_product",
    "stock_by_day",
    "stock_changes",
    "stock_positions",
    "stock_value",
]
