"""Products as orders meet them: found by SKU or another name, made when nobody knows them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from inventory.locks import lock_places
from inventory.models import Product, ProductAlias, ProductCategory, StockPosition
from inventory.services.styles import PLACED, leave_styles
from sphinx.core.bulk import update_rows
from sphinx.core.errors import BusinessRuleError
from sphinx.core.services import record
from sphinx.core.texts import clean, sku_key

_DROP_SHIP = Product.SupplyMode.DROP_SHIP


class ProductFacts(NamedTuple):
    """What an order needs to know of a product; `tax_rate` in percent, None when unknown."""

    pk: int
    tax_rate: Decimal | None
    is_drop_shipped: bool = False


def ensure_products(skus: Mapping[str, str]) -> dict[str, ProductFacts]:
    """Products by sku_key for SKU → label; unknown ones are made, to be completed by hand.

    A shop may sell what nobody entered yet: the order must not be lost for it.
    """
    wanted = {sku_key(sku): (sku, label) for sku, label in skus.items()}
    found = _product_facts(wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        Product.objects.bulk_create(
            (
                Product(
                    sku=clean(wanted[key][0], 80),
                    sku_key=key,
                    label=clean(wanted[key][1], 200),
                    is_incomplete=True,
                )
                for key in missing
            ),
            ignore_conflicts=True,
        )
        found |= _product_facts(missing)
    return found


def _product_facts(keys: Iterable[str]) -> dict[str, ProductFacts]:
    """By SKU or by another reference of the product."""
    wanted = set(keys)
    rows = Product.objects.filter(sku_key__any_of=wanted).values_list(
        "sku_key", "pk", "tax_rate", "category__tax_rate", "supply_mode"
    )
    others = ProductAlias.objects.filter(sku_key__any_of=wanted).values_list(
        "sku_key",
        "product_id",
        "product__tax_rate",
        "product__category__tax_rate",
        "product__supply_mode",
    )
    return {
        key: ProductFacts(pk, category_rate if own is None else own, mode == _DROP_SHIP)
        for key, pk, own, category_rate, mode in (*rows, *others)
    }


def known_skus(skus: Iterable[str]) -> set[str]:
    """Those of the SKU keys that name a product, by themselves or as an alias."""
    return set(_product_facts(sku_key(sku) for sku in skus))


def product_rates(keys: Iterable[str]) -> dict[str, Decimal | None]:
    """VAT rates (percent) of the known products by SKU key: their own or their category's."""
    return {key: facts.tax_rate for key, facts in _product_facts(keys).items()}


@transaction.atomic
def map_sku(*, sku: str, product_id: int) -> ProductAlias:
    """From now on `sku` names that product; twice is once.

    Raises:
        BusinessRuleError: the SKU is a product's own, with stock or orders of its own.
    """
    key = sku_key(sku)
    own = Product.objects.filter(sku_key=key).exclude(pk=product_id).first()
    if own is not None:
        if not own.is_incomplete or own.moves.exists():
            raise BusinessRuleError(
                _("« %(sku)s » est un article à part entière, il ne peut en désigner un autre.")
                % {"sku": own.sku},
                code="inventory.sku_taken",
            )
        # Made by an order before anybody said what it was: it steps aside.
        own.sku_key = f"{key}#{own.pk}"[:80]
        own.is_active = False
        leave_styles([own])
        own.save(update_fields=["sku_key", "is_active", *PLACED])
    alias, _created = ProductAlias.objects.update_or_create(
        sku_key=key, defaults={"product_id": product_id}
    )
    return alias


@transaction.atomic
def set_tax_rates(rates: Mapping[str, Decimal]) -> list[Product]:
    """Give products their VAT rates (SKU → percent), making those that are new."""
    found = ensure_products({sku: sku for sku in rates})
    wanted = {found[sku_key(sku)].pk: rate for sku, rate in rates.items()}
    products = list(
        Product.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    )
    for product in products:
        product.tax_rate = wanted[product.pk]
    bulk_update_with_history(products, Product, ["tax_rate"], batch_size=500)
    return products


@transaction.atomic
def set_category_rates(rates: Mapping[int, Decimal]) -> list[ProductCategory]:
    """Give categories (by id) their VAT rates in percent; products of their own rate keep it."""
    categories = list(
        ProductCategory.objects.select_for_update(no_key=True).filter(pk__in=rates).order_by("pk")
    )
    for category in categories:
        category.tax_rate = rates[category.pk]
    ProductCategory.objects.bulk_update(categories, ["tax_rate"])
    return categories


def set_tax_rate(*, sku: str, rate: Decimal) -> Product:
    """Give a product its VAT rate (percent), making the product when it is new."""
    return set_tax_rates({sku: rate})[0]


@transaction.atomic
def allow_negative_stock(*, product_id: int, allowed: bool, actor: Any = None) -> Product:
    """Let a product be sold and shipped without counted stock, or no longer.

    Raises:
        BusinessRuleError: its stock is below zero, or less than what orders hold, somewhere.
    """
    places = StockPosition.objects.filter(product_id=product_id, warehouse__is_direct=False)
    positions = lock_places(places.values_list("product_id", "warehouse_id"))
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id)
    short = [p for p in positions.values() if p.available < 0]
    if short and not allowed:
        raise BusinessRuleError(
            _(
                "%(product)s : %(missing)s pièces manquent en stock. Comptez-le d'abord, "
                "ensuite le stock négatif pourra être interdit."
            )
            % {"product": product, "missing": -min(p.available for p in short)},
            code="inventory.negative_now",
        )
    if product.allows_negative != allowed:
        product.allows_negative = allowed
        product.save(update_fields=["allows_negative"])
        record("product.negative_stock", [product], actor=actor, allowed=allowed)
    places.update(allows_negative=allowed)
    return product


def classify_products(classes: Mapping[int, str]) -> int:
    """Note the ABC class of products, by id; returns how many changed."""
    known = dict(Product.objects.exclude(abc_class="").values_list("pk", "abc_class"))
    changed = [(pk, found) for pk, found in classes.items() if known.get(pk, "") != found]
    update_rows(Product, ["abc_class"], sorted(changed))
    return len(changed)
