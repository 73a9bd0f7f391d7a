"""What suppliers send straight to customers: asked for, and passed through the books."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.allocations import save_positions
from inventory.errors import NobodyWaits
from inventory.locks import lock_places, lock_reservations
from inventory.models import DirectDelivery, Product, Reservation, StockMove
from inventory.services.warehouses import direct_warehouse
from inventory.services.writer import Entry, Writer
from sphinx.core.bulk import reserve_ids, update_rows
from sphinx.core.money import ZERO, plain

_PLACE = "name company address1 address2 postcode city country phone".split()
_LIMITS = {f.name: f.max_length for f in DirectDelivery._meta.concrete_fields}


def open_direct_deliveries(places: Sequence[tuple[str, Mapping[str, str]]]) -> list[int]:
    """Make a direct delivery an order: its number, and where to (the columns of DirectDelivery)."""
    ids = reserve_ids(DirectDelivery, len(places))
    DirectDelivery.objects.bulk_create(
        (
            DirectDelivery(pk=pk, origin_number=number, **_fitted(place))
            for pk, (number, place) in zip(ids, places, strict=True)
        ),
        batch_size=1000,
    )
    return ids


def readdress_direct_deliveries(places: Mapping[int, Mapping[str, str]]) -> None:
    """Let orders go elsewhere: direct delivery id → where to."""
    rows = [(pk, *_fitted(place).values()) for pk, place in sorted(places.items())]
    if rows:
        update_rows(DirectDelivery, _PLACE, rows)


def forget_direct_deliveries(delivery_ids: Sequence[int]) -> int:
    """Blank where orders went; how many."""
    return DirectDelivery.objects.filter(pk__in=delivery_ids).update(**dict.fromkeys(_PLACE, ""))


def _fitted(place: Mapping[str, str]) -> dict[str, str]:
    return {name: place.get(name, "")[: _LIMITS[name]] for name in _PLACE}


@transaction.atomic
def pass_through(
    *,
    delivery_id: int,
    entries: Sequence[Entry],
    at: datetime,
    origin_kind: str,
    incoming: Mapping[int, Decimal],
    actor: Any = None,
) -> dict[tuple[str, int], StockMove]:
    """Take in what a supplier sent for one order, set aside for that order whoever else waits.

    It leaves again in the caller's transaction, at exactly what it cost: nothing else lies there.
    Returns the moves by (number, line). `incoming` lowers what is expected, by product.

    Raises:
        NobodyWaits: the order wants fewer pieces.
    """
    warehouse = direct_warehouse()
    positions = lock_places((entry.product_id, warehouse.pk) for entry in entries)
    waiting = defaultdict(list)
    asked = Reservation.objects.filter(direct__delivery=delivery_id, quantity__gt=0)
    for reservation in lock_reservations(asked.values_list("pk", flat=True)):
        waiting[reservation.product_id].append(reservation)
    writer = Writer(positions, at=at, origin_kind=origin_kind, actor=actor)
    moves = {}
    for entry in entries:
        position = positions[entry.product_id, warehouse.pk]
        moves[entry.origin_number, entry.origin_line] = writer.put(
            position, entry, StockMove.Kind.RECEIPT
        )
        _set_aside(entry, waiting[entry.product_id])
        position.reserved += entry.quantity
        position.backordered -= entry.quantity
        expected = incoming.get(entry.product_id, ZERO)
        position.incoming = max(position.incoming - expected, ZERO)
    writer.write()
    held = [r for found in waiting.values() for r in found]
    update_rows(Reservation, ["allocated"], [(r.pk, r.allocated) for r in held])
    save_positions(positions.values())
    return moves


def _set_aside(entry: Entry, waiting: Sequence[Reservation]) -> None:
    left = entry.quantity
    for reservation in waiting:
        more = min(left, reservation.quantity - reservation.allocated)
        reservation.allocated += more
        left -= more
    if left:
        raise NobodyWaits(
            _(
                "%(product)s : %(left)s pièces de trop, le client n'en veut plus autant. "
                "Faites-les revenir chez vous, ou retirez-les de la confirmation."
            )
            % {"product": Product.objects.get(pk=entry.product_id), "left": plain(left)}
        )
