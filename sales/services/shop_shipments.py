"""What a shop, or its logistician, shipped itself becomes delivery notes here."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.errors import NotEnoughStock
from inventory.locks import lock_places, places_of
from sales.locks import lock_orders
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.selectors import shipped_by_shops
from sales.services.deliveries import ship_delivery_notes
from sales.services.pieces import write_gone
from sales.services.releasing import cancel_drafts, reservations_of
from sphinx.core.clock import business_date
from sphinx.core.money import ZERO
from sphinx.core.services import allocate_number, record

Status = Order.Status


def ship_as_shops_did(
    *, at: datetime, order_ids: Iterable[int] | None = None
) -> list[DeliveryNote]:
    """Delivery notes of what shops that ship themselves say has left, one transaction an order.

    Where the stock here doesn't cover it the order waits, for a count or a receipt: it stands
    among the differences meanwhile.
    """
    orders = shipped_by_shops().filter(shop__ships_itself=True)
    if order_ids is not None:
        orders = orders.filter(pk__in=list(order_ids))
    made = []
    for order_id in orders.values_list("pk", flat=True):
        try:
            made.append(ship_as_shop_did(order_id=order_id, at=at))
        except NotEnoughStock:
            continue
    return [note for note in made if note is not None]


@transaction.atomic
def ship_as_shop_did(*, order_id: int, at: datetime, actor: Any = None) -> DeliveryNote | None:
    """The delivery note of what a shop says has left, shipped on its day; None when there is none.

    A second call finds nothing left. Stock moves now, the note bears the shop's day, carrier and
    tracking number.

    Raises:
        NotEnoughStock: our stock doesn't cover what left.
    """
    lock_places(places_of(reservations_of([order_id])))
    order = lock_orders([order_id]).get()
    lines = _left(order)
    if not lines:
        return None
    cancel_drafts([order_id])
    _take_stock_for(lines)
    note = DeliveryNote.objects.create(
        number=allocate_number(series="BL", on=business_date(at)),
        order=order,
        created_at=at,
        carrier=order.shop_carrier,
        tracking_number=order.shop_tracking_number,
        is_shops_own=True,
        source_file=order.source_file,
        source_sha256=order.source_sha256,
        source_line=order.source_line,
    )
    DeliveryNoteLine.objects.bulk_create(
        DeliveryNoteLine(delivery_note=note, order_line=line, quantity=pieces)
        for line, pieces in lines
    )
    record("delivery_note.prepared", [note], actor=actor)
    if not ship_delivery_notes(note_ids=[note.pk], at=at, actor=actor):
        raise _short(order)
    note.refresh_from_db()
    said = order.shop_shipped_at
    if said and order.placed_at <= said <= at:
        note.shipped_at = said
        note.save(update_fields=["shipped_at"])
    return note


def _left(order: Order) -> list[tuple[OrderLine, Decimal]]:
    """Lines with the pieces that left, says the shop, beyond our notes."""
    if order.is_history or order.status not in (Status.CONFIRMED, Status.PARTIALLY_DELIVERED):
        return []
    return left_without_note(OrderLine.objects.filter(order=order).select_related("reservation"))


def left_without_note(lines: Iterable[OrderLine]) -> list[tuple[OrderLine, Decimal]]:
    """The lines with pieces that their shop says have left, beyond our notes; how many."""
    found = []
    for line in lines:
        missing = (line.quantity_shipped or ZERO) - line.quantity_delivered
        pieces = min(missing, line.quantity_wanted + line.quantity_gone)
        if pieces > 0:
            found.append((line, pieces))
    return found


def _take_stock_for(lines: list[tuple[OrderLine, Decimal]]) -> None:
    """What was said to have left without our stock leaves with it after all."""
    gone = [line for line, _pieces in lines if line.quantity_gone]
    for line in gone:
        line.quantity_gone = ZERO
    write_gone(gone)


def _short(order: Order) -> NotEnoughStock:
    return NotEnoughStock(
        _(
            "Commande %s : la boutique l'a expédiée, mais le stock d'ici ne la couvre pas. Comptez "
            "les articles, ou saisissez leur réception."
        )
        % order.number
    )
