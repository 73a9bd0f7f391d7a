"""Positions as they are now."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from inventory.models import BundleComponent, LotPosition, Product, StockPosition, Warehouse
from sphinx.core.errors import InputError
from sphinx.core.texts import sku_key


def stock_positions(sku: str | None = None) -> QuerySet[StockPosition]:
    """Positions by SKU then warehouse; of one product when `sku` is given."""
    found = StockPosition.objects.select_related("product", "warehouse").order_by(
        "product__sku", "warehouse__code"
    )
    return found.filter(product__sku_key=sku_key(sku)) if sku is not None else found


def find_product(code: str) -> Product | None:
    """The product that a barcode, a SKU or another of its references names."""
    wanted, key = code.strip(), sku_key(code)
    if not wanted:
        return None
    return (
        Product.objects.filter(Q(sku_key=key) | Q(barcode=wanted) | Q(aliases__sku_key=key))
        .distinct()
        .order_by("pk")
        .first()
    )


def scanned_product(code: str) -> Product:
    """The same, for what lies on a shelf: a bundle doesn't.

    Raises:
        InputError: nobody knows the code, or it is a bundle's.
    """
    found = find_product(code)
    if found is None or found.components.exists():
        raise InputError(
            _("« %s » : aucun article n'a ce code-barres ni cette référence.") % code.strip()[:40],
            code="inventory.unknown_code",
        )
    return found


def lots_on_shelf(product_id: int, warehouse_id: int) -> list[LotPosition]:
    """What lies of a product's lots in a warehouse, the first to expire first."""
    return list(
        LotPosition.objects.filter(
            lot__product_id=product_id, warehouse_id=warehouse_id, on_hand__gt=0
        )
        .select_related("lot")
        .order_by(F("lot__best_before").asc(nulls_last=True), "lot_id")
    )


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
