"""The order in which stock rows are locked: positions by product id, then warehouse id."""

from collections.abc import Iterable

from inventory.allocations import Place
from inventory.expiry import pass_dates
from inventory.models import Product, Reservation, StockPosition, Warehouse

__all__ = ["Place", "lock_places", "lock_reservations", "places_of"]


def lock_places(places: Iterable[Place]) -> dict[Place, StockPosition]:
    """Positions of products in warehouses, made where missing, locked until commit.

    Lots whose date has passed since are expired by then, and what orders held of them waits.
    """
    wanted = set(places)
    found = _locked(wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        # What suppliers send is never served before it came.
        direct = set(
            Warehouse.objects.filter(
                pk__in={warehouse_id for _p, warehouse_id in missing}, is_direct=True
            ).values_list("pk", flat=True)
        )
        unbounded = set(
            Product.objects.filter(
                pk__in={product_id for product_id, _w in missing}, allows_negative=True
            ).values_list("pk", flat=True)
        )
        StockPosition.objects.bulk_create(
            (
                StockPosition(
                    product_id=p, warehouse_id=w, allows_negative=p in unbounded and w not in direct
                )
                for p, w in missing
            ),
            ignore_conflicts=True,
        )
        found |= _locked(set(missing))
    pass_dates(found)
    return found


def _locked(places: set[Place]) -> dict[Place, StockPosition]:
    if not places:
        return {}
    positions = (
        StockPosition.objects.select_for_update(of=("self",), no_key=True)
        .filter(
            product_id__in=sorted({product_id for product_id, _w in places}),
            warehouse_id__in=sorted({warehouse_id for _p, warehouse_id in places}),
        )
        .order_by("product_id", "warehouse_id")
    )
    found = {(p.product_id, p.warehouse_id): p for p in positions}
    # Between several warehouses a few more are locked than asked, in the same order.
    return {place: position for place, position in found.items() if place in places}


def places_of(reservation_ids: Iterable[int]) -> set[Place]:
    """Where reservations draw on, a bundle's through its components. Read before any lock."""
    wanted = list(reservation_ids)
    if not wanted:
        return set()
    own = Reservation.objects.filter(pk__in=wanted, is_bundle=False)
    parts = Reservation.objects.filter(bundle_id__in=wanted)
    columns = ("product_id", "warehouse_id")
    return {*own.values_list(*columns), *parts.values_list(*columns)}


def lock_reservations(reservation_ids: Iterable[int]) -> list[Reservation]:
    """Reservations and the components of bundles among them, locked by id.

    Call it with their positions locked: products first, then documents.
    """
    wanted = list(reservation_ids)
    if not wanted:
        return []
    parts = Reservation.objects.filter(bundle_id__in=wanted).values_list("pk", flat=True)
    return list(
        Reservation.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[*wanted, *parts])
        .order_by("pk")
    )
