"""The first day of a shop here: what it sold before comes in as history, or is taken over."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import lock_places, places_of
from sales.locks import lock_orders, lock_shop
from sales.models import DeliveryNote, Order, OrderLine
from sales.selectors import orders_to_take_over
from sales.services.pieces import write_gone
from sales.services.releasing import cancel_drafts, reservations_of
from sphinx.core.bulk import update_rows
from sphinx.core.clock import start_of
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop
from sphinx.core.money import ZERO
from sphinx.core.services import record

Status = Order.Status
BATCH = 1000


@transaction.atomic
def begin_history(*, shop_id: int, until: date, actor: Any = None) -> int:
    """Say that a shop's orders up to that day were handled elsewhere; how many of ours it is.

    Those that came in before, and of which nothing was delivered here, become history: what
    was set aside for them is free again.
    """
    shop = Shop.objects.get(pk=shop_id)
    lock_shop(shop)
    if shop.history_until != until:
        shop.history_until = until
        shop.save(update_fields=["history_until"])
        record("shop.history", [shop], actor=actor, until=until.isoformat())
    untouched = Order.objects.filter(
        shop=shop,
        is_history=False,
        status__in=(Status.DRAFT, Status.CONFIRMED),
        placed_at__lt=start_of(until + timedelta(days=1)),
    )
    ids = list(untouched.values_list("pk", flat=True))
    _make_history(ids, actor)
    return len(ids)


def _make_history(order_ids: Sequence[int], actor: Any) -> None:
    lock_places(places_of(reservations_of(order_ids)))
    orders = {o.pk: o for o in lock_orders(order_ids)}
    cancel_drafts(order_ids)
    lines = list(OrderLine.objects.filter(order_id__in=orders).select_related("reservation"))
    for line in lines:
        line.quantity_gone = line.quantity - line.quantity_removed
    write_gone(lines)
    left = _left_whole(lines)
    for order in orders.values():
        order.is_history, order.refund_asked_incl_tax = True, ZERO
        if order.status == Status.CONFIRMED and order.pk in left:
            order.status = Status.INVOICED
    _save(orders.values())
    record("order.history", list(orders.values()), actor=actor)


def _left_whole(lines: Iterable[OrderLine]) -> set[int]:
    """The orders of which the shop says that every piece left or was taken out."""
    left: dict[int, bool] = {}
    for line in lines:
        done = (line.quantity_shipped or ZERO) + line.quantity_refunded >= line.quantity
        left[line.order_id] = left.get(line.order_id, True) and done
    return {pk for pk, is_whole in left.items() if is_whole}


def _save(orders: Iterable[Order]) -> None:
    update_rows(
        Order,
        ["status", "is_history", "invoiced_elsewhere", "refund_asked_incl_tax"],
        [
            (o.pk, o.status, o.is_history, o.invoiced_elsewhere, o.refund_asked_incl_tax)
            for o in orders
        ],
    )


@transaction.atomic
def take_over(*, order_id: int, invoiced_elsewhere: bool, actor: Any = None) -> Order:
    """Ship an open order of before the first day from here; its goods are set aside in its turn.

    With `invoiced_elsewhere` its parcels make no invoice here.

    Raises:
        BusinessRuleError: it is no open order of before.
    """
    lock_places(places_of(reservations_of([order_id])))
    order = lock_orders([order_id]).get()
    if not orders_to_take_over().filter(pk=order_id).exists():
        raise _not_open(order)
    lines = list(OrderLine.objects.filter(order=order).select_related("reservation"))
    for line in lines:
        left = line.quantity_shipped or ZERO
        line.quantity_gone = min(left, line.quantity - line.quantity_removed)
    write_gone(lines)
    order.is_history, order.invoiced_elsewhere = False, invoiced_elsewhere
    _save([order])
    record("order.taken_over", [order], actor=actor, invoiced_elsewhere=invoiced_elsewhere)
    return order


@transaction.atomic
def leave_as_history(*, order_id: int, actor: Any = None) -> Order:
    """Say that an open order of before left from elsewhere: it is done with. Twice is once.

    Raises:
        BusinessRuleError: it isn't of before, or is cancelled.
    """
    order = lock_orders([order_id]).get()
    if order.is_history and order.status == Status.INVOICED:
        return order
    if not orders_to_take_over().filter(pk=order_id).exists():
        raise _not_open(order)
    order.status = Status.INVOICED
    _save([order])
    record("order.left_elsewhere", [order], actor=actor)
    return order


def leave_all_as_history(*, shop_id: int, actor: Any = None) -> int:
    """Say so of every paid order of before of a shop; how many. A transaction a thousand."""
    paid = orders_to_take_over().filter(
        shop_id=shop_id, status=Status.CONFIRMED, payment_status=Order.PaymentStatus.PAID
    )
    ids = list(paid.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        _leave(ids[start : start + BATCH], actor)
    return len(ids)


@transaction.atomic
def _leave(order_ids: Sequence[int], actor: Any) -> None:
    still_open = orders_to_take_over().filter(pk__in=order_ids).values_list("pk", flat=True)
    orders = list(lock_orders(still_open))
    for order in orders:
        order.status = Status.INVOICED
    _save(orders)
    record("order.left_elsewhere", orders, actor=actor)


@transaction.atomic
def make_history(*, order_id: int, actor: Any = None) -> Order:
    """Say that an order that the shop shipped was handled elsewhere altogether. Twice is once.

    Raises:
        BusinessRuleError: something of it was delivered here.
    """
    order = Order.objects.get(pk=order_id)
    noted = DeliveryNote.objects.filter(order=order, status=DeliveryNote.Status.SHIPPED)
    if order.is_history:
        return order
    if order.status != Status.CONFIRMED or noted.exists():
        raise BusinessRuleError(
            _("La commande %s est déjà livrée d'ici, en tout ou partie.") % order.number,
            code="sales.order_delivered",
        )
    _make_history([order_id], actor)
    return Order.objects.get(pk=order_id)


def _not_open(order: Order) -> BusinessRuleError:
    return BusinessRuleError(
        _("La commande %s n'est pas une commande de la reprise à traiter.") % order.number,
        code="sales.not_history",
    )
