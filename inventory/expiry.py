"""Lots whose date has passed: no longer for sale, though still on hand until they are destroyed.

A lot sells until the end of its best-before day (Europe/Paris). The day it is, is read here, the
one place: whoever locks a position sees it as it is today.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from inventory.allocations import Place, save_positions, take_back
from inventory.models import Lot, LotPosition, StockPosition
from sphinx.core import clock


class Dated(NamedTuple):
    """Pieces of a lot and its best-before date, None when it has none."""

    best_before: date | None
    pieces: Decimal


def expired_lots(lot_ids: Iterable[int | None]) -> set[int]:
    """Those of some lots whose date has passed."""
    wanted = [pk for pk in lot_ids if pk is not None]
    if not wanted:
        return set()
    found = Lot.objects.filter(pk__in=wanted, best_before__lt=clock.today())
    return set(found.values_list("pk", flat=True))


def note_dates(position: StockPosition, lots: Iterable[Dated], *, on: date) -> None:
    """Note on a position what has expired by a day, and what will next."""
    position.expired, position.expires_next_on = Decimal(0), None
    for limit, pieces in lots:
        if limit is None or pieces <= 0:
            continue
        if limit < on:
            position.expired += pieces
        elif position.expires_next_on is None or limit < position.expires_next_on:
            position.expires_next_on = limit


def pass_dates(positions: Mapping[Place, StockPosition]) -> None:
    """Expire the lots of locked positions whose date has passed; mostly none, and no query."""
    today = clock.today()
    recount(
        {
            place: p
            for place, p in positions.items()
            if p.expires_next_on is not None and p.expires_next_on < today
        },
        on=today,
    )


def recount(positions: Mapping[Place, StockPosition], *, on: date) -> None:
    """Count anew what has expired of locked positions; what orders held of it waits again."""
    if not positions:
        return
    lots: dict[Place, list[Dated]] = defaultdict(list)
    for product_id, warehouse_id, limit, pieces in LotPosition.objects.filter(
        lot__product__in={product_id for product_id, _w in positions},
        lot__product__tracks_lots=True,
        warehouse__in={warehouse_id for _p, warehouse_id in positions},
        on_hand__gt=0,
    ).values_list("lot__product_id", "warehouse_id", "lot__best_before", "on_hand"):
        lots[product_id, warehouse_id].append(Dated(limit, pieces))
    for place, position in positions.items():
        note_dates(position, lots[place], on=on)
    take_back(positions)
    save_positions(positions.values())
