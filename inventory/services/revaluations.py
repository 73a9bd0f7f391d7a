"""Goods on hand that cost more or less than was thought, and what of that is taken back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db import transaction

from inventory.allocations import save_positions
from inventory.locks import Place, lock_places
from inventory.models import StockMove, Warehouse
from inventory.selectors.layers import LOST_ON_THE_WAY
from inventory.services.writer import Writer
from sphinx.core.money import CENT, to_cents

ZERO = Decimal(0)


@transaction.atomic
def revalue_stock(
    *,
    values: Mapping[int, Decimal],
    warehouse: Warehouse,
    at: datetime,
    origin_kind: str,
    origin_number: str,
    note: str = "",
    actor: Any = None,
) -> dict[int, StockMove]:
    """Correct what goods on hand cost, by product (EUR excl. tax in all, may be negative).

    For an invoice that differs from the order, carriage, duties. What has already left keeps
    the cost that it left with: where nothing is on hand, nothing is revalued.
    """
    positions = lock_places((product_id, warehouse.pk) for product_id in values)
    writer = Writer(positions, at=at, origin_kind=origin_kind, actor=actor)
    moves = {}
    for product_id, value in sorted(values.items()):
        position = positions[product_id, warehouse.pk]
        if position.on_hand <= 0:
            continue
        # Goods never cost less than nothing.
        worth = (position.on_hand * position.average_cost).quantize(CENT, rounding=ROUND_FLOOR)
        if change := max(to_cents(value), -worth):
            moves[product_id] = writer.revalue(position, change, origin_number, note)
    writer.write()
    save_positions(positions.values())
    return moves


@transaction.atomic
def take_back_revaluation(
    *,
    origin_kind: str,
    origin_number: str,
    as_kind: str,
    at: datetime,
    note: str = "",
    actor: Any = None,
) -> list[StockMove]:
    """Take back what a document added to the cost of goods, of what still lies there of it.

    Issues took their part of it with them, at the average cost: what is left comes to what it
    would have been without the document. The moves are those of `as_kind`.
    """
    added = list(
        StockMove.objects.filter(
            kind=StockMove.Kind.REVALUATION, origin_kind=origin_kind, origin_number=origin_number
        )
        .select_related("warehouse")
        .order_by("pk")
    )
    positions = lock_places((m.product_id, m.warehouse_id) for m in added)
    left = _left_of(added, {place: p.on_hand for place, p in positions.items()})
    values: dict[int, dict[int, Decimal]] = {}
    warehouses = {m.warehouse_id: m.warehouse for m in added}
    for move in added:
        share = to_cents(move.value_change * left[move.pk])
        values.setdefault(move.warehouse_id, {})[move.product_id] = -share
    taken: list[StockMove] = []
    for warehouse_id, by_product in sorted(values.items()):
        taken += revalue_stock(
            values=by_product,
            warehouse=warehouses[warehouse_id],
            at=at,
            origin_kind=as_kind,
            origin_number=origin_number,
            note=note,
            actor=actor,
        ).values()
    return taken


def _left_of(added: Sequence[StockMove], on_hand: Mapping[Place, Decimal]) -> dict[int, Decimal]:
    """Of what each revaluation added the part that no issue has taken away since, by move.

    An issue of q out of Q pieces takes q/Q of everything that lies there.
    """
    if not added:
        return {}
    since = (
        StockMove.objects.filter(
            product_id__in={m.product_id for m in added},
            warehouse_id__in={m.warehouse_id for m in added},
            pk__gt=min(m.pk for m in added),
        )
        .exclude(quantity=0)
        .exclude(origin_kind=LOST_ON_THE_WAY)
        .order_by("-pk")
        .values_list("pk", "product_id", "warehouse_id", "quantity")
    )
    by_place: dict[Place, list[tuple[int, Decimal]]] = {}
    for pk, product_id, warehouse_id, quantity in since:
        by_place.setdefault((product_id, warehouse_id), []).append((pk, quantity))
    left = {}
    for move in added:
        place = (move.product_id, move.warehouse_id)
        level, share = on_hand[place], Decimal(1)
        for pk, quantity in by_place.get(place, ()):
            if pk < move.pk:
                break
            before = level - quantity
            if quantity < 0:
                share *= max(level, ZERO) / before if before > 0 else ZERO
            level = before
        left[move.pk] = share
    return left
