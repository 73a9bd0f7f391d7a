"""Goods set aside for orders: asked for, given back, handed on to who waits.

First come, first served by the order's date, priority by hand before. While stock is available
nobody waits for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Q

from inventory.allocations import (
    bundles_ready,
    held_in,
    save_allocations,
    save_positions,
    sync_bundles,
    waiting_first,
)
from inventory.locks import Place, lock_places, lock_reservations, places_of
from inventory.models import DirectDemand, Reservation, StockPosition, Warehouse
from inventory.services.bundles import Part, explode
from inventory.services.warehouses import direct_warehouse
from sphinx.core.bulk import insert_rows, reserve_ids, update_rows

ZERO = Decimal(0)


class Demand(NamedTuple):
    """Pieces of a product wanted by one order line.

    `gone` of them have left without our stock (sold before the shop's first day here, shipped
    from elsewhere): asked for, so that replenishment learns from them, never set aside. With
    `direct_delivery_id` the supplier sends them: no shelf is asked (a bundle's parts still are).
    """

    product_id: int
    quantity: Decimal
    requested_at: datetime
    origin_number: str
    gone: Decimal = ZERO
    direct_delivery_id: int | None = None

    @property
    def wanted(self) -> Decimal:
        """Pieces to set aside."""
        return self.quantity - self.gone


class Resize(NamedTuple):
    """What a reservation still wants, in pieces (or bundles), and the change in what is asked."""

    reservation_id: int
    quantity: Decimal
    asked_change: Decimal = ZERO


class Reserved(NamedTuple):
    """What `change_reservations` made: an id a demand, and the pieces set aside in all."""

    reservation_ids: list[int]
    allocated: Decimal


@transaction.atomic
def change_reservations(
    *,
    demands: Sequence[Demand],
    warehouse: Warehouse,
    release_ids: Iterable[int] = (),
    forgotten_ids: Iterable[int] = (),
    locked_ids: Iterable[int] = (),
    locked_places: Iterable[Place] = (),
) -> Reserved:
    """Free the reservations `release_ids`, set goods aside for `demands`, refill who waits.

    Oldest demand first. What isn't there waits and is served when goods arrive. Products in
    just-in-time supply are no exception: leftovers are used first, the rest is a shortage
    that purchasing sees. A bundle asks for its components. What is freed was not asked after
    all: replenishment forgets it; of `forgotten_ids`, which are freed too, it forgets what left
    as well. The positions of `locked_ids`, and `locked_places`, are locked with the others, for a
    caller who will change what is reserved there: positions are locked once a transaction.
    """
    forgotten = list(forgotten_ids)
    freed = [*release_ids, *forgotten]
    parts = explode(d.product_id for d in demands)
    demands = [d._replace(direct_delivery_id=None) if d.product_id in parts else d for d in demands]
    direct_id = _direct_id(demands)
    places = _places(demands, parts, warehouse, direct_id)
    places |= places_of([*freed, *locked_ids])
    if not places:
        return Reserved([], ZERO)
    positions = lock_places(places.union(locked_places))
    _release(lock_reservations(freed), positions)
    if forgotten:
        Reservation.objects.filter(Q(pk__in=forgotten) | Q(bundle__in=forgotten)).update(asked=ZERO)
    reserved = _allocate(demands, parts, warehouse, direct_id, positions)
    refill(positions)
    save_positions(positions.values())
    return reserved


def places_asked(demands: Sequence[Demand], warehouse: Warehouse) -> set[Place]:
    """Where goods would be set aside for demands: to lock those places before documents."""
    parts = explode(d.product_id for d in demands)
    return _places(demands, parts, warehouse, _direct_id(demands))


def _direct_id(demands: Sequence[Demand]) -> int:
    return direct_warehouse().pk if any(d.direct_delivery_id for d in demands) else 0


def _places(
    demands: Sequence[Demand],
    parts: Mapping[int, Sequence[Part]],
    warehouse: Warehouse,
    direct_id: int,
) -> set[Place]:
    whole = {
        (d.product_id, direct_id if d.direct_delivery_id else warehouse.pk)
        for d in demands
        if d.product_id not in parts
    }
    return whole | {(p.product_id, warehouse.pk) for found in parts.values() for p in found}


def _release(released: Sequence[Reservation], positions: Mapping[Place, StockPosition]) -> None:
    for reservation in released:
        if not reservation.is_bundle:
            position = positions[reservation.product_id, reservation.warehouse_id]
            position.reserved -= reservation.allocated
            position.backordered -= reservation.quantity - reservation.allocated
    Reservation.objects.filter(pk__in=[r.pk for r in released]).update(
        asked=F("asked") - F("quantity"), quantity=0, allocated=0
    )


def _allocate(
    demands: Sequence[Demand],
    parts: Mapping[int, Sequence[Part]],
    warehouse: Warehouse,
    direct_id: int,
    positions: Mapping[Place, StockPosition],
) -> Reserved:
    """Write a reservation a demand, the oldest first; a bundle's components after it."""
    ids = reserve_ids(
        Reservation, len(demands) + sum(len(parts.get(d.product_id, ())) for d in demands)
    )
    further = iter(ids[len(demands) :])
    rows: list[tuple[Any, ...]] = []
    bundles: list[tuple[Any, ...]] = []
    direct: list[tuple[Any, ...]] = []
    total = ZERO
    for index in sorted(range(len(demands)), key=lambda i: demands[i].requested_at):
        demand = demands[index]
        if demand.direct_delivery_id:
            positions[demand.product_id, direct_id].backordered += demand.wanted
            rows.append(_row(ids[index], demand, direct_id, ZERO))
            direct.append((ids[index], demand.direct_delivery_id))
            continue
        if demand.product_id not in parts:
            allocated = _take(positions[demand.product_id, warehouse.pk], demand.wanted)
            total += allocated
            rows.append(_row(ids[index], demand, warehouse.pk, allocated))
            continue
        ready = demand.wanted
        for part in parts[demand.product_id]:
            own = demand._replace(
                product_id=part.product_id,
                quantity=demand.quantity * part.quantity,
                gone=demand.gone * part.quantity,
            )
            allocated = _take(positions[part.product_id, warehouse.pk], own.wanted)
            ready = min(ready, bundles_ready(allocated, part.quantity))
            bundles.append(
                (*_row(next(further), own, warehouse.pk, allocated),
                 ids[index], part.quantity, False)
            )  # fmt: skip
        total += ready
        bundles.append((*_row(ids[index], demand, warehouse.pk, ready), None, None, True))
    insert_rows(Reservation, _COLUMNS, rows)
    if direct:
        insert_rows(DirectDemand, ["reservation_id", "delivery_id"], direct)
    if bundles:
        insert_rows(Reservation, [*_COLUMNS, "bundle_id", "per_bundle", "is_bundle"], bundles)
    return Reserved(ids[: len(demands)], total)


_COLUMNS = (
    "id product_id warehouse_id quantity allocated asked requested_at origin_number"
).split()


def _row(pk: int, demand: Demand, warehouse_id: int, allocated: Decimal) -> tuple[Any, ...]:
    return (
        pk,
        demand.product_id,
        warehouse_id,
        demand.wanted,
        allocated,
        demand.quantity,
        demand.requested_at,
        demand.origin_number,
    )


def _take(position: StockPosition, wanted: Decimal) -> Decimal:
    """Set aside what is there of `wanted` pieces, note the rest as waiting."""
    allocated = wanted
    if not position.allows_negative:
        allocated = min(wanted, max(position.available, ZERO))
    position.reserved += allocated
    position.backordered += wanted - allocated
    return allocated


def refill(positions: Mapping[Place, StockPosition]) -> None:
    """Give what became available to who waits for it, in their turn; positions are locked."""
    free = {
        place
        for place, p in positions.items()
        if p.backordered > 0 and (p.available > 0 or p.allows_negative)
    }
    if not free:
        return
    served = []
    for reservation in waiting_first(held_in(free, quantity__gt=F("allocated"))):
        position = positions[reservation.product_id, reservation.warehouse_id]
        wanted = reservation.quantity - reservation.allocated
        more = wanted if position.allows_negative else min(position.available, wanted)
        if more > 0:
            reservation.allocated += more
            position.reserved += more
            position.backordered -= more
            served.append(reservation)
    save_allocations(served)


@transaction.atomic
def resize_reservations(resizes: Sequence[Resize]) -> None:
    """Let orders want fewer pieces, or more: what is freed goes to who waits.

    What is set aside beyond the new quantity is given back; what is wanted more waits its turn.
    A bundle's components follow.
    """
    wanted = {r.reservation_id: r for r in resizes}
    if not wanted:
        return
    positions = lock_places(places_of(wanted))
    own = {r.pk: r for r in lock_reservations(wanted)}
    for reservation in own.values():
        resize = wanted.get(reservation.pk)
        if resize is None:
            # A component: as its bundle, in its own pieces.
            whole, pieces = wanted[reservation.bundle_id or 0], reservation.per_bundle or ZERO
            resize = Resize(reservation.pk, whole.quantity * pieces, whole.asked_change * pieces)
        _resize(reservation, resize, positions)
    update_rows(
        Reservation,
        ["quantity", "allocated", "asked"],
        [(r.pk, r.quantity, r.allocated, r.asked) for r in own.values()],
    )
    sync_bundles({r.pk for r in own.values() if r.is_bundle})
    refill(positions)
    save_positions(positions.values())


def _resize(
    reservation: Reservation, resize: Resize, positions: Mapping[Place, StockPosition]
) -> None:
    allocated = min(reservation.allocated, resize.quantity)
    if not reservation.is_bundle:
        position = positions[reservation.product_id, reservation.warehouse_id]
        waited = reservation.quantity - reservation.allocated
        position.reserved += allocated - reservation.allocated
        position.backordered += resize.quantity - allocated - waited
    reservation.quantity, reservation.allocated = resize.quantity, allocated
    reservation.asked = max(reservation.asked + resize.asked_change, ZERO)


@transaction.atomic
def prioritise(
    *, reservation_ids: Iterable[int], priority: int, kept_ids: Iterable[int] = ()
) -> None:
    """Serve these reservations before (above 0) or after (below 0) the others.

    Goods are handed round anew at once, but for `kept_ids`: those that are being packed.
    """
    wanted = list(reservation_ids)
    places = places_of(wanted)
    positions = lock_places(places)
    chosen = lock_reservations(wanted)
    Reservation.objects.filter(pk__in=[r.pk for r in chosen]).update(priority=priority)
    kept = {r.pk for r in lock_reservations(kept_ids)}
    changed = []
    free: dict[Place, Decimal] = defaultdict(Decimal)
    held = [r for r in waiting_first(held_in(places, quantity__gt=0)) if r.pk not in kept]
    for reservation in held:
        free[reservation.product_id, reservation.warehouse_id] += reservation.allocated
    for place in places:
        free[place] += max(positions[place].available, ZERO)
    for reservation in held:
        place = (reservation.product_id, reservation.warehouse_id)
        share = min(free[place], reservation.quantity)
        if positions[place].allows_negative:
            share = reservation.quantity
        free[place] -= share
        if share != reservation.allocated:
            positions[place].reserved += share - reservation.allocated
            positions[place].backordered -= share - reservation.allocated
            reservation.allocated = share
            changed.append(reservation)
    save_allocations(changed)
    save_positions(positions.values())
