"""Reads of stock."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import QuerySet

from inventory.models import Product, ReorderRule, StockPosition, Warehouse


class Need(NamedTuple):
    """A product that may have to be bought, with what is known of its stock (pieces)."""

    product: Product
    position: StockPosition
    rule: ReorderRule | None


def stock_positions(sku: str | None = None) -> QuerySet[StockPosition]:
    """Positions by SKU then warehouse; of one product when `sku` is given."""
    found = StockPosition.objects.select_related("product", "warehouse").order_by(
        "product__sku", "warehouse__code"
    )
    return found.filter(product__sku_key=sku.strip().casefold()) if sku is not None else found


def reorder_candidates(warehouse: Warehouse) -> Iterable[Need]:
    """Active products with a reorder rule, or for which customers wait."""
    rules = {r.product_id: r for r in ReorderRule.objects.filter(warehouse=warehouse)}
    positions = (
        StockPosition.objects.filter(warehouse=warehouse, product__is_active=True)
        .select_related("product")
        .order_by("product__sku")
    )
    for position in positions:
        rule = rules.get(position.product_id)
        if rule or position.backordered > 0:
            yield Need(position.product, position, rule)
