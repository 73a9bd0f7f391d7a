"""Bundles: sold under one SKU, drawn from the stock of their components."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.models import BundleComponent, Product, Reservation
from sphinx.core.errors import BusinessRuleError
from sphinx.core.services import record


class Part(NamedTuple):
    """A component of a bundle and the pieces of it that one bundle takes."""

    product_id: int
    quantity: Decimal


def explode(product_ids: Iterable[int]) -> dict[int, list[Part]]:
    """The components of those products that are bundles."""
    parts: dict[int, list[Part]] = defaultdict(list)
    for bundle, component, quantity in (
        BundleComponent.objects.filter(bundle__pk__any_of=set(product_ids))
        .order_by("bundle_id", "component_id")
        .values_list("bundle_id", "component_id", "quantity")
    ):
        parts[bundle].append(Part(component, quantity))
    return dict(parts)


@transaction.atomic
def set_components(
    *, bundle_id: int, parts: Mapping[int, Decimal], actor: Any = None
) -> list[BundleComponent]:
    """Say what a bundle is made of (product id → pieces); nothing makes it a product again.

    Orders already taken keep the components that they asked for.

    Raises:
        BusinessRuleError: the bundle has stock or orders of its own, is itself a component, or
            a component is a bundle.
    """
    product = Product.objects.select_for_update(no_key=True).get(pk=bundle_id)
    known = {c.component_id: c for c in product.components.all()}
    if parts and not known:
        _check_may_become_bundle(product)
    nested = BundleComponent.objects.filter(bundle_id__in=parts).select_related("bundle").first()
    if bundle_id in parts or nested is not None:
        raise BusinessRuleError(
            _("Un composant est un article simple : « %(sku)s » est lui-même un lot.")
            % {"sku": nested.bundle.sku if nested else product.sku},
            code="inventory.nested_bundle",
        )
    product.components.exclude(component_id__in=parts).delete()
    for component_id, quantity in parts.items():
        BundleComponent.objects.update_or_create(
            bundle=product, component_id=component_id, defaults={"quantity": quantity}
        )
    record(
        "product.components",
        [product],
        actor=actor,
        components={str(pk): str(quantity) for pk, quantity in parts.items()},
    )
    return list(product.components.all())


def _check_may_become_bundle(product: Product) -> None:
    has_orders = Reservation.objects.filter(product=product, quantity__gt=0).exists()
    if product.positions.exclude(on_hand=0).exists() or has_orders:
        raise BusinessRuleError(
            _(
                "« %(sku)s » a du stock ou des commandes à son nom : videz-le avant d'en faire un "
                "lot de composants."
            )
            % {"sku": product.sku},
            code="inventory.bundle_has_stock",
        )
    if product.part_of.exists():
        raise BusinessRuleError(
            _("« %(sku)s » est lui-même un composant d'un autre lot.") % {"sku": product.sku},
            code="inventory.nested_bundle",
        )
