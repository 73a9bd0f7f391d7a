"""Positions as they are now."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

from django.db.models import QuerySet

from inventory.models import BundleComponent, Product, StockPosition, Warehouse
from sphinx.core.texts import sku_key


def stock_positions(sku: str | None = None) -> QuerySet[StockPosition]:
    """Positions by SKU then warehouse; of one product when `sku` is given."""
    found = StockPosition.objects.select_related("product", "warehouse").order_by(
        "product__sku", "warehouse__code"
    )
    return found.filter(product__sku_key=sku_key(sku)) if sku is not None else found


def find_product(sku: str) -> Product | None:
    """The product that a SKU or another of its references names."""
    key = sku_key(sku)
    own = Product.objects.filter(sku_key=key).first()
    return own or Product.objects.filter(aliases__sku_key=key).first()


def bundle_availability(bundle_ids: Iterable[int], warehouse: Warehouse) -> dict[int, Decimal]:
    """Whole bundles that what is free of their components makes, by bundle."""
    parts = list(
        BundleComponent.objects.filter(bundle_id__in=list(bundle_ids)).values_list(
            "bundle_id", "component_id", "quantity"
        )
    )
    free = {
        p.product_id: p.available
        for p in StockPosition.objects.filter(
            warehouse=warehouse, product_id__in={component for _b, component, _q in parts}
        )
    }
    ready: dict[int, Decimal] = {}
    for bundle, component, quantity in parts:
        pieces = max(free.get(component, Decimal(0)), Decimal(0)) / quantity
        whole = pieces.to_integral_value(rounding=ROUND_FLOOR)
        ready[bundle] = min(ready.get(bundle, whole), whole)
    return ready
