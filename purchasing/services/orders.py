"""The way of a purchase order from acceptance on."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import lock_places
from inventory.services import expect_incoming
from purchasing.errors import WrongState
from purchasing.locks import lock_purchase_orders
from purchasing.models import PurchaseOrder, PurchaseOrderLine
from sphinx.core.services import record

Status = PurchaseOrder.Status


def require(order: PurchaseOrder, allowed: Iterable[str]) -> None:
    """Raises WrongState: the order isn't in one of the states."""
    if order.status not in allowed:
        raise WrongState(
            _("La commande %(number)s est « %(status)s » : ce n'est plus possible.")
            % {"number": order.number, "status": order.get_status_display()}
        )


@transaction.atomic
def accept_proposal(*, order_id: int, at: datetime, actor: Any = None) -> PurchaseOrder:
    """Accept a proposal: its goods are expected from now on. A second call changes nothing.

    Raises:
        WrongState: it was refused or cancelled.
    """
    lines = list(PurchaseOrderLine.objects.filter(purchase_order=order_id))
    warehouse = PurchaseOrder.objects.get(pk=order_id).warehouse
    # Stock before documents: the lock order of the house. Two who accept at once take turns.
    lock_places((line.product_id, warehouse.pk) for line in lines)
    order = lock_purchase_orders([order_id]).get()
    if order.status in (Status.REFUSED, Status.CANCELLED):
        require(order, [Status.PROPOSED])
    if order.status != Status.PROPOSED:
        return order
    expect_incoming(
        quantities={line.product_id: line.quantity for line in lines}, warehouse=warehouse
    )
    order.status, order.accepted_at = Status.ACCEPTED, at
    order.save(update_fields=["status", "accepted_at"])
    record("purchase_order.accepted", [order], actor=actor)
    return order


@transaction.atomic
def send_order(*, order_id: int, at: datetime, actor: Any = None) -> PurchaseOrder:
    """Mark an accepted order as sent to the supplier. Twice is once.

    Raises:
        WrongState: it isn't accepted.
    """
    order = lock_purchase_orders([order_id]).get()
    if order.status == Status.SENT:
        return order
    require(order, [Status.ACCEPTED])
    order.status, order.sent_at = Status.SENT, at
    order.save(update_fields=["status", "sent_at"])
    record("purchase_order.sent", [order], actor=actor)
    return order
