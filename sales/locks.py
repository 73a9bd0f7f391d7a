"""The order in which documents of sales are locked: by id.

A quote is locked before anything else: it becomes an order in the same transaction.
"""

from collections.abc import Iterable

from django.db.models import QuerySet

from sales.models import DeliveryNote, Order, Quote
from sphinx.core.models import Shop


def lock_shop(shop: Shop) -> None:
    """Imports of one shop take turns: no two chunks of it see each other half-done."""
    Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)


def lock_shops_of(product_ids: Iterable[int]) -> None:
    """Imports of the shops that sell the products without a SKU wait until commit."""
    shops = Shop.objects.filter(articles__product_id__in=list(product_ids)).values("pk")
    list(Shop.objects.select_for_update(no_key=True).filter(pk__in=shops).order_by("pk"))


def lock_orders(pks: Iterable[int]) -> QuerySet[Order]:
    """The orders, locked until commit."""
    return (
        Order.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=list(pks))
        .order_by("pk")
    )


def lock_notes(pks: Iterable[int]) -> QuerySet[DeliveryNote]:
    """The delivery notes, locked until commit."""
    return (
        DeliveryNote.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=list(pks))
        .order_by("pk")
    )


def lock_quote(pk: int) -> Quote:
    """The quote, locked until commit."""
    locked: Quote = Quote.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
    return locked
