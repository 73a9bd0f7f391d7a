"""The order in which documents of purchasing are locked: by id, after stock positions."""

from collections.abc import Iterable

from django.db.models import QuerySet

from purchasing.models import PurchaseOrder


def lock_purchase_orders(pks: Iterable[int]) -> QuerySet[PurchaseOrder]:
    """The purchase orders, locked until commit."""
    return (
        PurchaseOrder.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=list(pks))
        .order_by("pk")
    )
