"""What a shop did meanwhile with orders that are known: on the shelf, the worktop, the order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from sales.locks import lock_notes
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.services.deeds import Deeds, Standing, deeds_of, refund_to_explain
from sales.services.order_work import OrderChange, OrderResult, Work
from sales.services.pieces import resize_lines
from sphinx.core.bulk import update_rows
from sphinx.core.models import Shop
from sphinx.core.money import plain
from sphinx.core.services import record

Status = Order.Status
_COLUMNS = (
    "quantity_shipped quantity_refunded refunded_incl_tax quantity_removed removed_incl_tax "
    "quantity_gone"
).split()


class Changed(NamedTuple):
    """A line whose pieces stand otherwise than before."""

    order: Order
    line: OrderLine
    removed_before: Decimal


def tell_deeds(
    shop: Shop, work: Sequence[Work], orders: Mapping[int, Order], result: OrderResult
) -> None:
    """Bring the lines of known orders up to what their shop did; they are the lines it writes.

    Pieces taken out come off what is set aside and off notes in preparation at once. Call with
    the orders locked, and the positions of their reservations before them.
    """
    if not work:
        return
    lines = _lines_of(orders[w.known_pk] for w in work)
    known = _standings(lines)
    changed: list[Changed] = []
    for w in work:
        order, own = orders[w.known_pk], lines[w.known_pk]
        if len(own) != len(w.priced.lines):
            # Completed since by orders of their own: the file's lines aren't this order's.
            continue
        done = [
            deeds_of(
                w.draft,
                priced,
                known[line.pk],
                is_history=order.is_history,
                ships_itself=shop.ships_itself,
            )
            for line, priced in zip(own, w.priced.lines, strict=True)
        ]
        changed += _set(order, own, done)
        if order.status == Status.CONFIRMED and not (order.is_history or shop.ships_itself):
            order.refund_asked_incl_tax = refund_to_explain(
                w.draft, done, order.refund_settled_incl_tax
            )
    settle_lines(changed)
    update_rows(
        Order,
        ["refund_asked_incl_tax", "status"],
        [(o.pk, o.refund_asked_incl_tax, o.status) for o in map(orders.get, lines) if o],
    )
    result.changes += [
        OrderChange(c.order.number, _("pièces retirées"), plain(c.removed_before), _said(c.line))
        for c in changed
        if c.line.quantity_removed != c.removed_before
    ]


def _said(line: OrderLine) -> str:
    return f"{plain(line.quantity_removed)} × {line.sku or line.label}"


def _lines_of(orders: Iterable[Order]) -> dict[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = {order.pk: [] for order in orders}
    rows = OrderLine.objects.filter(order_id__in=found).select_related("reservation")
    for line in rows.order_by("order_id", "position"):
        found[line.order_id].append(line)
    return found


def _standings(lines: Mapping[int, Sequence[OrderLine]]) -> dict[int, Standing]:
    notes = DeliveryNote.objects.filter(order__in=lines).exclude(
        status=DeliveryNote.Status.CANCELLED
    )
    noted = set(notes.values_list("order_id", flat=True))
    return {
        line.pk: Standing(
            delivered=line.quantity_delivered,
            gone=line.quantity_gone,
            removed=line.quantity_removed,
            by_hand=line.quantity_removed_by_hand,
            has_note=order_id in noted,
        )
        for order_id, own in lines.items()
        for line in own
    }


def _set(order: Order, lines: Sequence[OrderLine], done: Sequence[Deeds]) -> list[Changed]:
    changed = []
    for line, deeds in zip(lines, done, strict=True):
        if Deeds(*(getattr(line, column) for column in _COLUMNS)) == deeds:
            continue
        before = line.quantity_removed
        for column, value in zip(_COLUMNS, deeds, strict=True):
            setattr(line, column, value)
        changed.append(Changed(order, line, before))
    return changed


def settle_lines(changed: Sequence[Changed]) -> None:
    """Write lines whose pieces stand otherwise, with what follows for stock, notes and states."""
    update_rows(
        OrderLine,
        [*_COLUMNS, "quantity_removed_by_hand"],
        [
            (c.line.pk, *(getattr(c.line, column) for column in _COLUMNS),
             c.line.quantity_removed_by_hand)
            for c in changed
        ],
    )  # fmt: skip
    resize_lines(
        [c.line for c in changed if c.order.status != Status.CANCELLED],
        {c.line.pk: c.removed_before - c.line.quantity_removed for c in changed},
    )
    _shrink_notes({c.line.pk: c.line.quantity_wanted for c in changed})
    _close_complete({c.order.pk: c.order for c in changed})


def _shrink_notes(wanted: Mapping[int, Decimal]) -> None:
    """Take out of notes in preparation what their order lines no longer want."""
    lines = [
        line
        for line in DeliveryNoteLine.objects.filter(
            order_line__in=wanted, delivery_note__status=DeliveryNote.Status.DRAFT
        )
        if line.quantity > wanted[line.order_line_id]
    ]
    if not lines:
        return
    notes = list(lock_notes({line.delivery_note_id for line in lines}))
    kept = [line for line in lines if wanted[line.order_line_id]]
    update_rows(DeliveryNoteLine, ["quantity"], [(ln.pk, wanted[ln.order_line_id]) for ln in kept])
    DeliveryNoteLine.objects.filter(
        pk__in=[line.pk for line in lines if not wanted[line.order_line_id]]
    ).delete()
    record("delivery_note.shrunk", notes)
    emptied = [note for note in notes if not note.lines.exists()]
    for note in emptied:
        note.status = DeliveryNote.Status.CANCELLED
    DeliveryNote.objects.bulk_update(emptied, ["status"])


def _close_complete(orders: Mapping[int, Order]) -> None:
    """Orders delivered in part of which nothing more is wanted are delivered."""
    partly = [o for o in orders.values() if o.status == Status.PARTIALLY_DELIVERED]
    if not partly:
        return
    short: dict[int, bool] = defaultdict(bool)
    for line in OrderLine.objects.filter(order__in=partly):
        short[line.order_id] |= line.quantity_wanted > 0
    for order in partly:
        if not short[order.pk]:
            order.status = Status.DELIVERED
    update_rows(Order, ["status"], [(o.pk, o.status) for o in partly])
