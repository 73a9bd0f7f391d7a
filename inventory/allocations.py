"""What reservations hold of positions: read, taken back, written; the positions are locked."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from inventory.models import Reservation, StockPosition
from sphinx.core.bulk import update_rows

# A product's id and a warehouse's.
Place = tuple[int, int]
_FIGURES = (
    "on_hand reserved backordered incoming expired expires_next_on average_cost value"
).split()


def save_positions(positions: Iterable[StockPosition]) -> None:
    """Write the figures of locked positions, ordered by product."""
    update_rows(
        StockPosition,
        _FIGURES,
        [
            (p.pk, *(getattr(p, name) for name in _FIGURES))
            for p in sorted(positions, key=lambda p: (p.product_id, p.warehouse_id))
        ],
    )


def waiting_first(reservations: Iterable[Reservation]) -> list[Reservation]:
    """In the order in which they are served: priority by hand, then date, then arrival."""
    return sorted(reservations, key=lambda r: (-r.priority, r.requested_at, r.pk))


def bundles_ready(pieces: Decimal, per_bundle: Decimal) -> Decimal:
    """Whole bundles that `pieces` of one component make."""
    return (pieces / per_bundle).to_integral_value(rounding=ROUND_FLOOR)


def take_back(positions: Mapping[Place, StockPosition]) -> None:
    """Where orders hold more than can be sold, the last in the queue wait again.

    For goods that a count or a loss shows to be gone, or whose date has passed; positions are
    locked.
    """
    short = {place for place, p in positions.items() if p.available < 0 and not p.allows_negative}
    if not short:
        return
    shortened = []
    for reservation in reversed(waiting_first(held_in(short, allocated__gt=0))):
        position = positions[reservation.product_id, reservation.warehouse_id]
        less = min(-position.available, reservation.allocated)
        if less > 0:
            reservation.allocated -= less
            position.reserved -= less
            position.backordered += less
            shortened.append(reservation)
    save_allocations(shortened)


def held_in(places: Iterable[Place], **conditions: Any) -> list[Reservation]:
    """Reservations of goods in some places, locked by id."""
    products = {product_id for product_id, _w in places}
    warehouses = {warehouse_id for _p, warehouse_id in places}
    found = (
        Reservation.objects.select_for_update(of=("self",), no_key=True)
        .filter(
            product_id__in=products,
            warehouse_id__in=warehouses,
            is_bundle=False,
            **conditions,
        )
        .order_by("pk")
    )
    wanted = set(places)
    return [r for r in found if (r.product_id, r.warehouse_id) in wanted]


def save_allocations(changed: Sequence[Reservation]) -> None:
    """Write what reservations hold, and how many bundles that makes."""
    update_rows(Reservation, ["allocated"], [(r.pk, r.allocated) for r in changed])
    sync_bundles({r.bundle_id for r in changed if r.bundle_id})


def sync_bundles(bundle_ids: Iterable[int | None]) -> None:
    """As many bundles are ready as their scarcest component allows."""
    wanted = [pk for pk in bundle_ids if pk]
    if not wanted:
        return
    ready: dict[int, Decimal] = {}
    for part in Reservation.objects.filter(bundle_id__in=wanted):
        assert part.bundle_id is not None and part.per_bundle is not None  # noqa: S101, PT018
        count = bundles_ready(part.allocated, part.per_bundle)
        ready[part.bundle_id] = min(ready.get(part.bundle_id, count), count)
    update_rows(Reservation, ["allocated"], list(ready.items()))
