"""Lines that a supplier sends straight to the customer: asked for, then delivered."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.drafts import AddressDraft
from inventory.locks import lock_places, places_of
from inventory.models import DirectDemand
from inventory.services import (
    ProductFacts,
    forget_direct_deliveries,
    open_direct_deliveries,
    readdress_direct_deliveries,
)
from sales.drafts import OrderDraft
from sales.errors import NotDeliverable
from sales.locks import lock_orders
from sales.models import DeliveryNote, DeliveryNoteLine, DirectOrder, Order, OrderLine
from sales.selectors import DELIVERABLE
from sales.services.deliveries import leave
from sales.services.order_work import Work
from sphinx.core.clock import business_date
from sphinx.core.models import Shop
from sphinx.core.services import allocate_number


def is_sent_by_supplier(shop: Shop, product: ProductFacts) -> bool:
    """What a shop ships itself leaves from its shelves, whoever supplies it."""
    return product.is_drop_shipped and not shop.ships_itself


def deliveries_of_work(work: Sequence[Work]) -> list[int]:
    """The direct delivery of each order: the one that it has, else a new one to be kept with it."""
    known = _known_deliveries(w.existing.pk for w in work if w.existing)
    fresh = [w for w in work if w.existing is None or w.existing.pk not in known]
    made = iter(open_direct_deliveries([(w.draft.number, _place_of_draft(w.draft)) for w in fresh]))
    return [known.get(w.existing.pk if w.existing else 0) or next(made) for w in work]


def _known_deliveries(order_ids: Iterable[int]) -> dict[int, int]:
    wanted = list(order_ids)
    if not wanted:
        return {}
    found = DirectOrder.objects.filter(order__in=wanted)
    return dict(found.values_list("order_id", "delivery_id"))


def readdress(work: Sequence[Work]) -> None:
    """Let what suppliers send go where their orders now go."""
    known = _known_deliveries(w.known_pk for w in work)
    readdress_direct_deliveries(
        {known[w.known_pk]: _place_of_draft(w.draft) for w in work if w.known_pk in known}
    )


def _place_of_draft(draft: OrderDraft) -> dict[str, str]:
    address: AddressDraft = draft.shipping if draft.shipping.address1 else draft.billing
    phone = draft.shipping.phone or draft.billing.phone or draft.customer.phone
    return {**address._asdict(), "phone": phone}


def delivery_of_order(order: Order) -> int:
    """The direct delivery of an order in the books; made when it has none."""
    known = _known_deliveries([order.pk])
    if not known:
        use = "shipping" if order.shipping_address1 else "billing"
        place = {
            name: getattr(order, f"{use}_{name}")
            for name in "name company address1 address2 postcode city country".split()
        }
        place["phone"] = order.customer.phone
        known[order.pk] = open_direct_deliveries([(order.number, place)])[0]
    return known[order.pk]


def keep_deliveries(deliveries: Mapping[int, int]) -> None:
    """Note the direct delivery of orders: order id → its id."""
    if deliveries:
        DirectOrder.objects.bulk_create(
            (DirectOrder(order_id=pk, delivery_id=delivery) for pk, delivery in deliveries.items()),
            batch_size=1000,
            ignore_conflicts=True,
        )


def forget_deliveries(order_ids: Sequence[int]) -> None:
    """Blank where suppliers sent their part of the orders."""
    forget_direct_deliveries(list(_known_deliveries(order_ids).values()))


@transaction.atomic
def ship_from_supplier(
    *,
    delivery_id: int,
    at: datetime,
    carrier: str = "",
    tracking_number: str = "",
    actor: Any = None,
) -> DeliveryNote | None:
    """The shipped note of what suppliers sent for an order and came into the books; else None.

    A note in preparation, for what leaves from our shelves, stays as it is. Twice is once.

    Raises:
        NotDeliverable: the order was cancelled, or a refund leaves in doubt what is to leave.
    """
    order_id = DirectOrder.objects.get(delivery=delivery_id).order_id
    # Of the order's other lines nothing is touched: who holds these positions asks for no more.
    sent = DirectDemand.objects.filter(delivery=delivery_id)
    lock_places(places_of(sent.values_list("reservation_id", flat=True)))
    order = lock_orders([order_id]).get()
    lines = list(
        OrderLine.objects.filter(
            order=order,
            reservation__direct__delivery=delivery_id,
            reservation__allocated__gt=0,
        )
        .select_related("reservation")
        .order_by("position")
    )
    if not lines:
        return None
    if order.status not in DELIVERABLE or order.refund_asked_incl_tax:
        raise NotDeliverable(
            _(
                "Commande %s : elle est annulée, ou un remboursement reste à expliquer. Répondez "
                "d'abord sur la commande."
            )
            % order.number
        )
    note = DeliveryNote.objects.create(
        number=allocate_number(series="BL", on=business_date(at)),
        order=order,
        status=DeliveryNote.Status.SHIPPED,
        is_direct=True,
        created_at=at,
        shipped_at=at,
        carrier=carrier.strip()[:60],
        tracking_number=tracking_number.strip()[:60],
        source_file=order.source_file,
        source_sha256=order.source_sha256,
        source_line=order.source_line,
    )
    DeliveryNoteLine.objects.bulk_create(
        DeliveryNoteLine(delivery_note=note, order_line=line, quantity=line.reservation.allocated)
        for line in lines
        if line.reservation
    )
    leave([note], {order.pk: order}, at=at, actor=actor)
    return note
