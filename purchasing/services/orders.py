"""What staff decide on a purchase order: accept, change, refuse, send."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from inventory.locks import lock_places
from inventory.services import expect_incoming
from purchasing.errors import WrongState
from purchasing.locks import lock_purchase_orders
from purchasing.models import PurchaseOrder, PurchaseOrderLine
from sphinx.core.money import ZERO, to_cents
from sphinx.core.services import record

Status = PurchaseOrder.Status


def _require(order: PurchaseOrder, allowed: Iterable[str]) -> None:
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
        _require(order, [Status.PROPOSED])
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
def refuse_proposal(*, order_id: int, reason: str = "", actor: Any = None) -> PurchaseOrder:
    """Refuse a proposal; the next run may propose again if the need is still there.

    Raises:
        WrongState: it was already accepted.
    """
    order = lock_purchase_orders([order_id]).get()
    if order.status == Status.REFUSED:
        return order
    _require(order, [Status.PROPOSED])
    order.status, order.note = Status.REFUSED, reason[:200]
    order.save(update_fields=["status", "note"])
    record("purchase_order.refused", [order], actor=actor, reason=reason)
    return order


@transaction.atomic
def set_quantity(*, line_id: int, quantity: Decimal, actor: Any = None) -> PurchaseOrderLine:
    """Change a proposed quantity (pieces) by hand; the reason keeps what was computed.

    Raises:
        WrongState: the order is no longer a proposal, or the quantity isn't positive.
    """
    line = PurchaseOrderLine.objects.select_related("purchase_order").get(pk=line_id)
    order = lock_purchase_orders([line.purchase_order_id]).get()
    _require(order, [Status.PROPOSED])
    if quantity <= 0:
        raise WrongState(_("La quantité doit être positive ; pour ne rien commander, refusez."))
    line.reason = {**line.reason, "computed": str(line.quantity), "set_by_hand": str(quantity)}
    line.quantity = quantity
    line.total_excl_tax = to_cents(quantity * line.unit_price_excl_tax)
    line.save(update_fields=["quantity", "total_excl_tax", "reason"])
    total = order.lines.aggregate(total=Sum("total_excl_tax"))["total"]
    order.total_excl_tax = to_cents(total or ZERO)
    order.save(update_fields=["total_excl_tax"])
    record("purchase_order.changed", [order], actor=actor, line=line_id, quantity=str(quantity))
    return line


@transaction.atomic
def send_order(*, order_id: int, at: datetime, actor: Any = None) -> PurchaseOrder:
    """Mark an accepted order as sent to the supplier. Twice is once.

    Raises:
        WrongState: it isn't accepted.
    """
    order = lock_purchase_orders([order_id]).get()
    if order.status == Status.SENT:
        return order
    _require(order, [Status.ACCEPTED])
    order.status, order.sent_at = Status.SENT, at
    order.save(update_fields=["status", "sent_at"])
    record("purchase_order.sent", [order], actor=actor)
    return order
