"""Lots pass their date: what was set aside of them waits again."""

from datetime import date

from django.db import transaction
from django.db.models import Q, Sum

from inventory.allocations import Place, save_positions
from inventory.expiry import recount
from inventory.locks import lock_places
from inventory.models import LotPosition, StockPosition
from inventory.services.reservations import refill


@transaction.atomic
def expire_lots(*, on: date) -> int:
    """Take the lots that have expired by a day off sale, everywhere; the places that changed.

    What orders held of them is a backorder again, the last in the queue first. Locking a
    position does the same to it; this is for those that nobody touches. Twice is once.
    """
    stale = _stale(on)
    positions = lock_places(stale)
    recount(positions, on=on)
    refill(positions)
    save_positions(positions.values())
    return len(stale)


def _stale(on: date) -> set[Place]:
    """Where what a position says has expired isn't what its lots say."""
    columns = ("product_id", "warehouse_id")
    expired = {
        (row["lot__product"], row["warehouse"]): row["pieces"]
        for row in LotPosition.objects.filter(
            lot__product__tracks_lots=True, lot__best_before__lt=on, on_hand__gt=0
        )
        .values("lot__product", "warehouse")
        .annotate(pieces=Sum("on_hand"))
        .order_by()
    }
    known = {
        (product, warehouse): pieces
        for product, warehouse, pieces in StockPosition.objects.filter(
            Q(expired__gt=0) | Q(expires_next_on__lt=on)
        ).values_list(*columns, "expired")
    }
    return {
        place
        for place in expired.keys() | known.keys()
        if expired.get(place, 0) != known.get(place, 0)
    }
