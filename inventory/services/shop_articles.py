"""Articles that shops sell without a SKU: made once a shop, made one with real ones later."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from inventory.article_keys import MADE_UP
from inventory.models import Product, ProductAlias, ShopArticle
from inventory.services.products import ProductFacts
from inventory.services.styles import PLACED, leave_styles
from sphinx.core.bulk import reserve_ids
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop
from sphinx.core.services import record
from sphinx.core.texts import clean, sku_key


class ShopArticles(NamedTuple):
    """Products by article key, and the keys for which one was made just now."""

    products: dict[str, ProductFacts]
    made: frozenset[str]


def articles_of_shop(
    shop: Shop, labels: Mapping[str, str], *, only_known: Collection[str] = ()
) -> ShopArticles:
    """The products of a shop's articles, for `article_key` → label; unknown ones are made.

    Not those of `only_known`. The caller holds the shop's lock.
    """
    if not labels:
        return ShopArticles({}, frozenset())
    found = _known(shop, labels)
    missing = [key for key in labels if key not in found and key not in only_known]
    if missing:
        found |= _make(shop, {key: labels[key] for key in missing})
    return ShopArticles(found, frozenset(missing))


def _make(shop: Shop, labels: Mapping[str, str]) -> dict[str, ProductFacts]:
    ids = dict(zip(labels, reserve_ids(Product, len(labels)), strict=True))
    Product.objects.bulk_create(
        Product(
            pk=pk,
            sku=f"{MADE_UP}{pk}",
            sku_key=sku_key(f"{MADE_UP}{pk}"),
            label=clean(labels[key], 200),
            is_incomplete=True,
        )
        for key, pk in ids.items()
    )
    ShopArticle.objects.bulk_create(
        ShopArticle(shop=shop, key=key, product_id=pk) for key, pk in ids.items()
    )
    return {key: ProductFacts(pk, None) for key, pk in ids.items()}


def _known(shop: Shop, keys: Iterable[str]) -> dict[str, ProductFacts]:
    rows = ShopArticle.objects.filter(shop=shop, key__any_of=set(keys)).values_list(
        "key",
        "product_id",
        "product__tax_rate",
        "product__category__tax_rate",
        "product__supply_mode",
    )
    return {
        key: ProductFacts(
            pk, category_rate if own is None else own, mode == Product.SupplyMode.DROP_SHIP
        )
        for key, pk, own, category_rate, mode in rows
    }


@transaction.atomic
def merge_articles(*, product_ids: Collection[int], into_id: int, actor: Any = None) -> Product:
    """From now on what shops sell as the made-up products is the real one; returns that.

    The caller holds the locks of the shops that sell them, and has moved what is reserved.

    Raises:
        BusinessRuleError: a product wasn't made up or has stock of its own, or the real one is
            out of use.
    """
    locked = (
        Product.objects.select_for_update(of=("self",), no_key=True)
        .order_by("pk")
        .in_bulk([*product_ids, into_id])
    )
    real = locked.pop(into_id)
    made = list(locked.values())
    _check_may_merge(made, real)
    ShopArticle.objects.filter(product__in=made).update(product=real)
    ProductAlias.objects.filter(product__in=made).update(product=real)
    # A file that gives the made-up SKU means the real article too.
    ProductAlias.objects.bulk_create(ProductAlias(sku_key=p.sku_key, product=real) for p in made)
    for product in made:
        product.sku_key = f"{product.sku_key}#{product.pk}"
        product.is_active = False
    _hand_over_style(made, real)
    Product.objects.bulk_update(made, ["sku_key", "is_active", *PLACED])
    record("product.merged", [real], actor=actor, merged=[product.sku for product in made])
    return real


def _hand_over_style(made: Sequence[Product], real: Product) -> None:
    """The real one takes the place of a made-up one in its model, unless it has one."""
    first = next((product for product in made if product.style_id), None)
    options = first and (first.style, first.option1, first.option2, first.option3)
    leave_styles(made)
    if options and real.style_id is None:
        Product.objects.bulk_update(made, PLACED)
        real.style, real.option1, real.option2, real.option3 = options
        real.save(update_fields=PLACED)


def _check_may_merge(made: Sequence[Product], real: Product) -> None:
    if not real.is_active:
        raise BusinessRuleError(
            _("« %(product)s » n'est plus actif : choisissez un autre article.")
            % {"product": real},
            code="inventory.not_active",
        )
    kept = [product for product in made if not is_made_up(product)]
    if kept:
        raise BusinessRuleError(
            _("« %(product)s » n'a pas été créé pour une ligne sans référence : il reste seul.")
            % {"product": kept[0]},
            code="inventory.not_made_up",
        )
    held = Product.objects.filter(pk__in=[product.pk for product in made]).filter(
        Q(moves__isnull=False) | Q(components__isnull=False) | Q(part_of__isnull=False)
    )
    if first := held.first():
        raise BusinessRuleError(
            _(
                "« %(product)s » a des mouvements de stock, ou fait partie d'un lot : il ne peut "
                "plus être réuni. Donnez-lui sa vraie référence sur sa fiche."
            )
            % {"product": first},
            code="inventory.has_moves",
        )


def is_made_up(product: Product) -> bool:
    """True for one that was made for a line without a SKU and has got no other since."""
    return product.is_active and product.sku.startswith(MADE_UP)
