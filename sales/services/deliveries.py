"""From an order to the carrier: goods picked (draft note), then shipped.

Set-based: many orders are prepared or shipped in one transaction with a fixed number of
statements; the singular functions wrap the plural ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from inventory.errors import NotEnoughStock, SerialRefused
from inventory.locks import lock_places, places_of
from inventory.selectors import lots_of_serials
from inventory.services import Issue, expire_lots, issue_stock
from sales.errors import NoteNotDraft, RefundUnexplained
from sales.events import notes_shipped
from sales.locks import lock_notes, lock_orders
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.selectors import (
    lines_not_out_yet,
    lines_still_wanted,
    notes_in_doubt,
    notes_short_of_stock,
    orders_ready_to_deliver,
)
from sphinx.core.bulk import update_rows
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.services import allocate_numbers, record
from sphinx.core.texts import said

# What the ledger calls goods that left by a delivery note.
ORIGIN = "delivery_note"


def prepare_delivery(*, order_id: int, at: datetime, actor: Any = None) -> DeliveryNote | None:
    """The delivery note in preparation of one order; None when nothing is ready."""
    notes = prepare_deliveries(order_ids=[order_id], at=at, actor=actor)
    return (
        notes[0]
        if notes
        else DeliveryNote.objects.filter(
            order_id=order_id, status=DeliveryNote.Status.DRAFT
        ).first()
    )


@transaction.atomic
def prepare_deliveries(
    *, order_ids: Iterable[int], at: datetime, actor: Any = None
) -> list[DeliveryNote]:
    """Make a draft delivery note of what is set aside for each order, partial when short.

    Orders with nothing ready, or with a draft already, are passed over: twice is once.
    """
    expire_lots(on=business_date(at))
    orders = list(lock_orders(order_ids))
    ready = set(
        orders_ready_to_deliver(business_date(at))
        .filter(pk__in=[o.pk for o in orders])
        .values_list("pk", flat=True)
    )
    orders = [o for o in orders if o.pk in ready]
    if not orders:
        return []
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in (
        OrderLine.objects.filter(order__in=orders)
        .select_related("reservation")
        .order_by("order_id", "position")
    ):
        lines[line.order_id].append(line)
    later = lines_not_out_yet(OrderLine.objects.filter(order__in=orders), business_date(at))
    numbers = allocate_numbers(series="BL", on=business_date(at), count=len(orders))
    notes = DeliveryNote.objects.bulk_create(
        (
            DeliveryNote(
                number=number,
                order=order,
                created_at=at,
                source_file=order.source_file,
                source_sha256=order.source_sha256,
                source_line=order.source_line,
            )
            for number, order in zip(numbers, orders, strict=True)
        ),
        batch_size=1000,
    )
    DeliveryNoteLine.objects.bulk_create(
        (
            DeliveryNoteLine(delivery_note=note, order_line=line, quantity=quantity)
            for note in notes
            for line in lines[note.order_id]
            if line.pk not in later and (quantity := _pickable(line)) > 0
        ),
        batch_size=1000,
    )
    record("delivery_note.prepared", notes, actor=actor)
    return notes


def _pickable(line: OrderLine) -> Decimal:
    if line.reservation:
        return line.reservation.allocated
    if line.product_id is None:
        return line.quantity_wanted
    return Decimal(0)


@transaction.atomic
def ship_delivery_note(
    *,
    note_id: int,
    at: datetime,
    carrier: str = "",
    tracking_number: str = "",
    serials: Sequence[str] = (),
    actor: Any = None,
) -> DeliveryNote:
    """Ship one delivery note with its tracking number; a second call returns it as it was shipped.

    `serials` are the numbers scanned of its pieces that have one.

    Raises:
        NoteNotDraft: the note is cancelled.
        NotEnoughStock: what was picked is no longer set aside (a count, a loss, a priority).
        RefundUnexplained: the shop refunded a part, and nobody has said what becomes of the goods.
        SerialRefused: a serial number is missing, unknown, not in stock, or too many.
    """
    ship_delivery_notes(note_ids=[note_id], at=at, serials={note_id: serials}, actor=actor)
    note = DeliveryNote.objects.select_related("order").get(pk=note_id)
    if note.status == DeliveryNote.Status.DRAFT and note.order.refund_asked_incl_tax:
        raise RefundUnexplained(
            _(
                "Commande %(number)s : la boutique a remboursé %(amount)s € avant l'expédition. "
                "Dites d'abord, sur la commande, si des pièces sont retirées."
            )
            % said({"number": note.order.number, "amount": note.order.refund_asked_incl_tax})
        )
    if note.status == DeliveryNote.Status.DRAFT and not serials and _with_serials([note_id]):
        raise SerialRefused(
            _("Bon %s : scannez le numéro de série de chaque pièce dans son colis.") % note.number
        )
    if note.status == DeliveryNote.Status.DRAFT:
        raise NotEnoughStock(
            _(
                "Bon %(number)s : des pièces préparées ne sont plus en stock. Annulez ce bon, "
                "puis préparez ce qui reste."
            )
            % {"number": note.number}
        )
    if note.status == DeliveryNote.Status.CANCELLED:
        raise NoteNotDraft(
            _("Le bon de livraison %(number)s est annulé.") % {"number": note.number}
        )
    if (carrier and carrier != note.carrier) or tracking_number:
        note.carrier, note.tracking_number = carrier[:60], tracking_number[:60]
        note.save(update_fields=["carrier", "tracking_number"])
    return note


@transaction.atomic
def ship_delivery_notes(
    *,
    note_ids: Iterable[int],
    at: datetime,
    serials: Mapping[int, Sequence[str]] | None = None,
    actor: Any = None,
) -> list[DeliveryNote]:
    """Ship the notes that are still drafts: stock leaves, orders move on, in one transaction.

    Returns the notes that this call shipped: others were shipped or cancelled before, hold goods
    that are no longer set aside (`notes_short_of_stock`), or wait for a word on what the shop
    refunded (`notes_in_doubt`), or for the serial numbers of their pieces, by note id in `serials`;
    those stay in preparation.

    Raises:
        NotEnoughStock: only expired lots are left of a product (nothing is shipped then).
    """
    wanted = list(note_ids)
    # Whoever ships the same note needs the same positions: under their lock, what is still a
    # draft stays one until we are done.
    lock_places(places_of(_reservations_of(wanted)))
    orders = {
        o.pk: o
        for o in lock_orders(
            DeliveryNote.objects.filter(pk__in=wanted).values_list("order_id", flat=True)
        )
    }
    held = {
        pk
        for waiting in (notes_short_of_stock(), notes_in_doubt())
        for pk in waiting.filter(pk__in=wanted).values_list("pk", flat=True)
    }
    scanned = {pk: numbers for pk, numbers in (serials or {}).items() if numbers}
    with_serials = _with_serials(wanted)
    held |= with_serials.keys() - scanned.keys()
    drafts = lock_notes(wanted).filter(status=DeliveryNote.Status.DRAFT)
    notes = [note for note in drafts if note.pk not in held]
    if not notes:
        return []
    for note in notes:
        note.status, note.shipped_at = DeliveryNote.Status.SHIPPED, at
    named = {
        (note.number, product_id): lots
        for note in notes
        for product_id, lots in lots_of_serials(
            scanned.get(note.pk, ()), with_serials.get(note.pk, ())
        ).items()
    }
    leave(notes, orders, at=at, serials=named, actor=actor)
    return notes


def _with_serials(note_ids: Sequence[int]) -> dict[int, set[int]]:
    """The products of notes that have serial numbers, by note id; parts of bundles too."""
    found: dict[int, set[int]] = defaultdict(set)
    lines = DeliveryNoteLine.objects.filter(delivery_note__in=note_ids)
    for way in ("order_line__product", "order_line__reservation__components__product"):
        with_serials = lines.filter(Q((f"{way}__tracks_serials", True)))
        for note, product in with_serials.values_list("delivery_note", way):
            found[note].add(product)
    return found


def leave(
    notes: Sequence[DeliveryNote],
    orders: Mapping[int, Order],
    *,
    at: datetime,
    serials: Mapping[tuple[str, int], Sequence[int]] | None = None,
    actor: Any = None,
) -> None:
    """Take what shipped notes hold out of stock and move their orders on.

    Call with positions, orders and notes locked.
    """
    lines = list(
        DeliveryNoteLine.objects.filter(delivery_note__in=notes)
        .select_related("order_line", "delivery_note")
        .order_by("delivery_note_id", "pk")
    )
    issued = issue_stock(
        issues=[
            Issue(
                line.order_line.reservation_id or 0,
                line.quantity,
                line.delivery_note.number,
                line.order_line.position,
            )
            for line in lines
            if line.order_line.product_id
        ],
        at=at,
        origin_kind=ORIGIN,
        serials=serials,
        actor=actor,
    )
    for line in lines:
        left = issued.get((line.delivery_note.number, line.order_line.position))
        line.move = left.move if left else None
        line.unit_cost = left.unit_cost if left else None
        line.order_line.quantity_delivered += line.quantity
    update_rows(
        DeliveryNoteLine,
        ["move_id", "unit_cost"],
        [(line.pk, line.move_id, line.unit_cost) for line in lines],
    )
    update_rows(
        OrderLine,
        ["quantity_delivered"],
        [(line.order_line.pk, line.order_line.quantity_delivered) for line in lines],
    )
    update_rows(
        DeliveryNote, ["status", "shipped_at"], [(n.pk, n.status, n.shipped_at) for n in notes]
    )
    _move_orders_on({n.order_id: orders[n.order_id] for n in notes})
    record("delivery_note.shipped", notes, actor=actor)
    announce(notes_shipped, delivery_note_ids=[n.pk for n in notes])


def _reservations_of(note_ids: Sequence[int]) -> list[int]:
    held = OrderLine.objects.filter(
        delivery_lines__delivery_note__in=note_ids, reservation__isnull=False
    )
    return [pk for pk in held.values_list("reservation_id", flat=True) if pk is not None]


def _move_orders_on(orders: dict[int, Order]) -> None:
    """Delivered when no line wants more, else delivered in part."""
    incomplete = set(
        lines_still_wanted().filter(order__in=orders).values_list("order_id", flat=True)
    )
    for order in orders.values():
        if order.pk in incomplete:
            order.status = Order.Status.PARTIALLY_DELIVERED
        elif order.invoiced_elsewhere:
            order.status = Order.Status.INVOICED
        else:
            order.status = Order.Status.DELIVERED
    update_rows(Order, ["status"], [(o.pk, o.status) for o in orders.values()])


def mark_invoiced(*, order_ids: Sequence[int]) -> None:
    """Delivered orders, all of whose shipped notes are invoiced, become invoiced.

    The caller (invoicing) says so inside its own transaction, with the orders locked.
    """
    Order.objects.filter(pk__in=order_ids, status=Order.Status.DELIVERED).update(
        status=Order.Status.INVOICED
    )


def mark_kept(*, order_id: int) -> None:
    """An order of which nothing is left but what its shop keeps becomes invoiced.

    Called like `mark_invoiced`.
    """
    Order.objects.filter(pk=order_id, status=Order.Status.CONFIRMED).update(
        status=Order.Status.INVOICED
    )


@transaction.atomic
def cancel_delivery_note(*, note_id: int, actor: Any = None) -> DeliveryNote:
    """Undo a note in preparation; the goods stay set aside for the order. Twice is once.

    Raises:
        NoteNotDraft: the note has been shipped.
    """
    note = lock_notes([note_id]).get()
    if note.status == DeliveryNote.Status.CANCELLED:
        return note
    if note.status != DeliveryNote.Status.DRAFT:
        raise NoteNotDraft(
            _("Le bon de livraison %(number)s est déjà expédié : enregistrez un retour.")
            % {"number": note.number}
        )
    note.status = DeliveryNote.Status.CANCELLED
    note.save(update_fields=["status"])
    record("delivery_note.cancelled", [note], actor=actor)
    return note
