"""What an order holds while nothing has left, and how it lets go of it."""

from collections.abc import Sequence

from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine

# Until something has left, an order may still become any of these.
OPEN_STATES = frozenset({Order.Status.DRAFT, Order.Status.CONFIRMED, Order.Status.CANCELLED})


def reservations_of(order_ids: Sequence[int]) -> list[int]:
    """The ids of the reservations that the orders' lines have."""
    held = OrderLine.objects.filter(order_id__in=order_ids, reservation__isnull=False)
    return [pk for pk in held.values_list("reservation_id", flat=True) if pk is not None]


def cancel_drafts(order_ids: Sequence[int]) -> None:
    """Drop what was picked for the orders and has not left; call with the orders locked.

    Notes undone by hand lose their lines too: the order's own lines may be written anew.
    """
    kept = DeliveryNote.Status.SHIPPED
    picked = DeliveryNoteLine.objects.filter(
        delivery_note__in=DeliveryNote.objects.filter(order_id__in=order_ids).exclude(status=kept)
    )
    picked._raw_delete("default")
    DeliveryNote.objects.filter(order_id__in=order_ids, status=DeliveryNote.Status.DRAFT).update(
        status=DeliveryNote.Status.CANCELLED
    )
