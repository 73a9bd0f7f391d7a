"""Positions as they are now."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from inventory.article_keys import MADE_UP
from inventory.models import (
    BundleComponent,
    LotPosition,
    Product,
    StockPosition,
    StockTransfer,
    StockTransferLine,
    Warehouse,
)
from sphinx.core.clock import start_of
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
    return find_products([code]).get(code)


def find_products(codes: Iterable[str]) -> dict[str, Product]:
    """The products that codes name, as `find_product`, in one query; who names none is left out."""
    keys = {code: sku_key(code) for code in codes if code.strip()}
    if not keys:
        return {}
    rows = (
        Product.objects.filter(
            Q(sku_key__in=keys.values())
            | Q(barcode__in=[code.strip() for code in keys])
            | Q(aliases__sku_key__in=keys.values())
        )
        .select_related("category")
        .annotate(alias=F("aliases__sku_key"))
        .order_by("-pk")
    )
    # The oldest wins where several go by one name.
    named: dict[str, Product] = {}
    for product in rows:
        for name in (product.sku_key, product.barcode, product.alias):
            if name:
                named[name] = product
    found = {code: named.get(key) or named.get(code.strip()) for code, key in keys.items()}
    return {code: product for code, product in found.items() if product}


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


# Somebody who cancels a proposed transfer isn't asked again for so long.
REFUSED_DAYS = 30


def transfers_refused(destination: Warehouse, on: date) -> list[tuple[int, int]]:
    """What people didn't want to be brought lately: product and source."""
    since = start_of(on - timedelta(days=REFUSED_DAYS))
    lines = StockTransferLine.objects.filter(
        transfer__destination=destination,
        transfer__is_proposed=True,
        transfer__status=StockTransfer.Status.CANCELLED,
        transfer__created_at__gte=since,
    )
    return list(lines.values_list("product_id", "transfer__source_id"))


def lots_on_shelf(product_id: int, warehouse_id: int) -> list[LotPosition]:
    """What lies of a product's lots in a warehouse, the first to expire first."""
    return list(
        LotPosition.objects.filter(
            lot__product_id=product_id, warehouse_id=warehouse_id, on_hand__gt=0
        )
        .select_related("lot")
        .order_by(F("lot__best_before").asc(nulls_last=True), "lot_id")
    )


def expired_on_shelf(on: date) -> QuerySet[LotPosition]:
    """Lots whose date has passed by a day and that still lie somewhere, the oldest first; `place`
    is the position's id."""
    position = StockPosition.objects.filter(
        product=OuterRef("lot__product"), warehouse=OuterRef("warehouse")
    )
    return (
        LotPosition.objects.filter(
            lot__product__tracks_lots=True, lot__best_before__lt=on, on_hand__gt=0
        )
        .select_related("lot__product", "warehouse")
        .annotate(place=Subquery(position.values("pk")[:1]))
        .order_by("lot__best_before", "pk")
    )


def dated_lots(
    product_ids: Iterable[int], warehouse: Warehouse
) -> dict[int, list[tuple[date, Decimal]]]:
    """What lies in lots with a date, by product: (best before, pieces), the first to expire
    first."""
    found: dict[int, list[tuple[date, Decimal]]] = {}
    rows = LotPosition.objects.filter(
        lot__product_id__in=list(product_ids),
        lot__best_before__isnull=False,
        warehouse=warehouse,
        on_hand__gt=0,
    ).order_by("lot__best_before", "lot_id")
    for product_id, limit, pieces in rows.values_list(
        "lot__product_id", "lot__best_before", "on_hand"
    ):
        if limit is not None:
            found.setdefault(product_id, []).append((limit, pieces))
    return found


def free_stock(product_ids: Iterable[int]) -> dict[int, Decimal]:
    """Pieces that can be sold, in all warehouses together; of what has been in one."""
    found: dict[int, Decimal] = {}
    positions = StockPosition.objects.filter(
        product_id__in=list(product_ids), warehouse__is_direct=False
    )
    for position in positions:
        found[position.product_id] = found.get(position.product_id, Decimal(0)) + position.available
    return found


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


def articles_without_sku(search: str = "") -> QuerySet[Product]:
    """The products made for lines without a SKU that nobody has named yet, by name."""
    found = Product.objects.filter(
        is_active=True, sku__startswith=MADE_UP, shop_articles__isnull=False
    )
    if search:
        found = found.filter(Q(label__icontains=search) | Q(sku__iexact=search))
    return found.distinct().order_by("label", "pk").prefetch_related("shop_articles__shop")


def not_out_yet(on: date) -> dict[str, date]:
    """Active products, and bundles with one in them, that come out later: SKU → the day."""
    found = Product.objects.filter(is_active=True).annotate(
        day=Greatest(
            Coalesce("released_on", on), Coalesce(Max("components__component__released_on"), on)
        )
    )
    return dict(found.filter(day__gt=on).values_list("sku", "day"))
