"""What people do to an order themselves: confirm it, cancel it, take it out with its run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import Place, lock_places, places_of
from inventory.models import Product
from inventory.services import (
    Demand,
    change_reservations,
    default_warehouse,
    places_asked,
    prioritise,
    warehouse_of,
)
from sales.locks import lock_orders
from sales.models import DeliveryNote, DirectOrder, Order, OrderLine
from sales.services.direct import delivery_of_order, forget_deliveries, keep_deliveries
from sales.services.releasing import OPEN_STATES, cancel_drafts, reservations_of
from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError, ConflictError
from sphinx.core.services import record

Status = Order.Status


def confirm_order(*, order_id: int, actor: Any = None) -> Order:
    """Confirm an order that waited (payment seen elsewhere) and set its goods aside, once.

    Raises:
        BusinessRuleError: the order is cancelled.
    """
    (order,) = confirm_orders(order_ids=[order_id], actor=actor)
    return order


@transaction.atomic
def confirm_orders(*, order_ids: Sequence[int], actor: Any = None) -> list[Order]:
    """Confirm several, all or none; those that are confirmed already stay as they are.

    Raises:
        BusinessRuleError: one of them is cancelled.
    """
    orders = _locked_with_goods(order_ids)
    for order in orders:
        if order.status == Status.CANCELLED:
            raise BusinessRuleError(
                _("La commande %(number)s est annulée : elle ne peut plus être confirmée.")
                % {"number": order.number},
                code="sales.order_cancelled",
            )
    # What waits is known with the orders locked: who came second finds it confirmed.
    waiting = [order for order in orders if order.status == Status.DRAFT]
    for order in waiting:
        _set_aside(order)
        order.status = Status.CONFIRMED
        order.save(update_fields=["status"])
    record("order.confirmed", waiting, actor=actor)
    return orders


def _places_asked_by(order_ids: Sequence[int]) -> set[Place]:
    waiting = Order.objects.filter(pk__in=order_ids, status=Status.DRAFT).select_related("shop")
    return {
        place
        for order in waiting
        for place in places_asked(
            _demands(order, _unreserved(order), _ANY_DELIVERY), warehouse_of(order.shop)
        )
    }


def _places_held_by(order_ids: Sequence[int]) -> set[Place]:
    """Where goods are set aside, or will be if somebody confirms first."""
    return places_of(reservations_of(order_ids)) | _places_asked_by(order_ids)


def _locked_with_goods(order_ids: Sequence[int]) -> list[Order]:
    """The orders, locked after all places where their goods are or would be set aside.

    Raises:
        ConflictError: one of them is gone, or somebody changed their lines meanwhile, and other
            places would be needed.
    """
    places = _places_held_by(order_ids)
    lock_places(places)
    orders = list(lock_orders(order_ids).select_related("shop", "customer"))
    if len(orders) < len(set(order_ids)):
        raise ConflictError(_("La commande vient d'être retirée : rechargez la page."))
    if not _places_held_by(order_ids) <= places:
        raise ConflictError(
            _("La commande %(number)s vient de changer : à relire.") % {"number": orders[0].number}
        )
    return orders


# Where a supplier's part goes is decided with the order locked; the place is the same.
_ANY_DELIVERY = -1


def _set_aside(order: Order) -> None:
    lines = _unreserved(order)
    delivery_id = delivery_of_order(order) if _direct_lines(order, lines) else None
    reserved = change_reservations(
        demands=_demands(order, lines, delivery_id), warehouse=warehouse_of(order.shop)
    )
    for line, reservation_id in zip(lines, reserved.reservation_ids, strict=True):
        line.reservation_id = reservation_id
    OrderLine.objects.bulk_update(lines, ["reservation"])
    if delivery_id:
        keep_deliveries({order.pk: delivery_id})


def _unreserved(order: Order) -> list[OrderLine]:
    lines = order.lines.filter(product__isnull=False, reservation__isnull=True)
    return list(lines.select_related("product"))


def _demands(order: Order, lines: Sequence[OrderLine], delivery_id: int | None) -> list[Demand]:
    direct = _direct_lines(order, lines)
    return [
        Demand(
            line.product_id or 0,
            line.quantity - line.quantity_removed,
            order.placed_at,
            order.number,
            gone=line.quantity_gone,
            direct_delivery_id=delivery_id if line in direct else None,
        )
        for line in lines
    ]


def _direct_lines(order: Order, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that their supplier sends."""
    if order.shop.ships_itself or order.is_history:
        return []
    mode = Product.SupplyMode.DROP_SHIP
    return [line for line in lines if line.product and line.product.supply_mode == mode]


@transaction.atomic
def cancel_order(*, order_id: int, at: datetime, actor: Any = None) -> Order:
    """Cancel an order of which nothing has left; its goods go to who waits. Twice is once.

    Raises:
        BusinessRuleError: something has been delivered.
    """
    (order,) = _locked_with_goods([order_id])
    if order.status == Status.CANCELLED:
        return order
    if order.status not in OPEN_STATES:
        raise BusinessRuleError(
            _("La commande %(number)s est déjà livrée : faites un retour ou un avoir.")
            % {"number": order.number},
            code="sales.order_delivered",
        )
    change_reservations(
        demands=[], warehouse=warehouse_of(order.shop), release_ids=reservations_of([order_id])
    )
    cancel_drafts([order_id])
    # It no longer stands as the file says: its rows are read each time.
    order.status, order.cancelled_at, order.raw_hash = Status.CANCELLED, at, ""
    order.save(update_fields=["status", "cancelled_at", "raw_hash"])
    record("order.cancelled", [order], actor=actor)
    return order


@transaction.atomic
def withdraw_orders(*, order_ids: Sequence[int], actor: Any = None) -> int:
    """Take orders out as if they had never come; their goods go to who waits.

    For the undoing of a run. An order of which a delivery note was ever made is cancelled
    instead, so that the note keeps its order.

    Raises:
        BusinessRuleError: one of them has been delivered or invoiced.
    """
    orders = _locked_with_goods(order_ids)
    gone = [o for o in orders if o.status not in OPEN_STATES and not o.is_history]
    if gone:
        raise BusinessRuleError(
            _("La commande %(number)s est déjà livrée ou facturée.") % {"number": gone[0].number},
            code="sales.order_delivered",
        )
    change_reservations(
        demands=[], warehouse=default_warehouse(), forgotten_ids=reservations_of(order_ids)
    )
    noted = set(
        DeliveryNote.objects.filter(order_id__in=order_ids).values_list("order_id", flat=True)
    )
    cancel_drafts(order_ids)
    record("order.withdrawn", orders, actor=actor)
    free = [order.pk for order in orders if order.pk not in noted]
    forget_deliveries(free)
    DirectOrder.objects.filter(order_id__in=free).delete()
    OrderLine.objects.filter(order_id__in=free)._raw_delete("default")
    Order.objects.filter(pk__in=free)._raw_delete("default")
    # A hash that nothing has: the same file read again brings the order back to life.
    Order.objects.filter(pk__in=noted).exclude(status=Status.CANCELLED).update(
        status=Status.CANCELLED, cancelled_at=clock.now(), content_hash="", raw_hash=""
    )
    return len(orders)


@transaction.atomic
def prioritise_orders(*, order_ids: Sequence[int], priority: int, actor: Any = None) -> int:
    """Serve these orders before (above 0), after (below 0) or in turn with (0) the others.

    Goods set aside change hands at once, but for what is being packed.
    """
    packing = OrderLine.objects.filter(
        reservation__isnull=False,
        delivery_lines__delivery_note__status=DeliveryNote.Status.DRAFT,
    ).values_list("reservation_id", flat=True)
    prioritise(
        reservation_ids=reservations_of(order_ids),
        priority=priority,
        kept_ids=[pk for pk in packing if pk is not None],
    )
    orders = list(lock_orders(order_ids))
    record("order.prioritised", orders, actor=actor, priority=priority)
    return len(orders)
