"""Articles made for lines without a SKU become the real ones, in open orders too."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db import transaction

from inventory.models import DirectDemand, Product
from inventory.services import Demand, change_reservations, merge_articles
from sales.locks import lock_orders, lock_shops_of
from sales.models import OrderLine
from sales.services.releasing import cancel_drafts


@transaction.atomic
def gather_articles(
    *, product_ids: Collection[int], into_id: int, actor: Any = None
) -> tuple[Product, int]:
    """Make one of made-up products and a real one; returns it, and how many lines moved.

    Their orders ask for the real one from now on, in their turn; what was being picked for
    them is to be prepared again.

    Raises:
        BusinessRuleError: a product wasn't made up or has stock of its own, or the real one is
            out of use.
    """
    made = set(product_ids) - {into_id}
    lock_shops_of([*made, into_id])
    lines = list(
        OrderLine.objects.filter(product_id__in=made)
        .select_related("order", "reservation__warehouse")
        .order_by("pk")
    )
    _ask_for(into_id, lines)
    open_orders = {line.order_id for line in lines if line.reservation_id}
    list(lock_orders(open_orders))
    cancel_drafts(sorted(open_orders))
    for line in lines:
        line.product_id = into_id
    OrderLine.objects.bulk_update(lines, ["product", "reservation"], batch_size=500)
    return merge_articles(product_ids=made, into_id=into_id, actor=actor), len(lines)


def _ask_for(product_id: int, lines: Collection[OrderLine]) -> None:
    """Give back what the lines hold, where it was asked, and ask for the product instead."""
    direct = dict(
        DirectDemand.objects.filter(
            reservation__in=[line.reservation_id for line in lines if line.reservation_id]
        ).values_list("reservation_id", "delivery_id")
    )
    by_place = defaultdict(list)
    for line in lines:
        if line.reservation and line.reservation.quantity:
            by_place[line.reservation.warehouse_id].append(line)
    for _warehouse_id, held in sorted(by_place.items()):
        reservations = [line.reservation for line in held if line.reservation]
        asked = change_reservations(
            demands=[
                Demand(
                    product_id,
                    r.quantity,
                    r.requested_at,
                    r.origin_number,
                    direct_delivery_id=direct.get(r.pk),
                )
                for r in reservations
            ],
            warehouse=reservations[0].warehouse,
            release_ids=[r.pk for r in reservations],
        )
        for line, reservation_id in zip(held, asked.reservation_ids, strict=True):
            line.reservation_id = reservation_id
