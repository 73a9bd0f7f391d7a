"""Stock put right by hand: what was counted, lost, found."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.allocations import save_positions, take_back
from inventory.errors import NotEnoughStock
from inventory.locks import lock_places
from inventory.models import Product, StockMove, StockPosition, Warehouse
from inventory.services.reservations import refill
from inventory.services.warehouses import require_shelves
from inventory.services.writer import Entry, Taking, Writer
from sphinx.core.clock import business_date
from sphinx.core.errors import BusinessRuleError, ConflictError
from sphinx.core.services import allocate_number, record

ZERO = Decimal(0)


@transaction.atomic
def adjust_stock(
    *,
    product: Product,
    warehouse: Warehouse,
    counted: Decimal,
    at: datetime,
    number: str,
    note: str,
    actor: Any = None,
) -> StockMove | None:
    """Set what is on hand to `counted` pieces by one count move; None when nothing differs.

    Where orders hold more than was found, the last in the queue wait again.
    """
    require_shelves(warehouse)
    place = (product.pk, warehouse.pk)
    positions = lock_places([place])
    writer = Writer(positions, at=at, origin_kind="count", actor=actor)
    difference = counted - positions[place].on_hand
    moves = apply_difference(writer, positions[place], difference, number=number, line=0, note=note)
    writer.write()
    settle(positions)
    return moves[0] if moves else None


def apply_difference(
    writer: Writer,
    position: StockPosition,
    difference: Decimal,
    *,
    number: str,
    line: int,
    lot_id: int | None = None,
    bin_id: int | None = None,
    note: str = "",
) -> list[StockMove]:
    """Note the move of a count: what was found comes in at the average cost, it stays the same.

    Raises:
        NotEnoughStock: more is missing than is on hand by now.
    """
    kind = StockMove.Kind.COUNT
    if difference > 0:
        cost = position.average_cost or position.product.unit_cost or ZERO
        entry = Entry(position.product_id, difference, cost, number, line, bin_id=bin_id)
        if lot_id is not None:
            lot = position.product.lots.get(pk=lot_id)
            entry = entry._replace(lot=lot.number, best_before=lot.best_before)
        return [writer.put(position, entry, kind, note)]
    if difference < 0:
        if position.on_hand + difference < 0 and not position.allows_negative:
            raise NotEnoughStock(
                _(
                    "%(product)s : des pièces sont sorties depuis le comptage. Recomptez-le "
                    "(%(on_hand)s en stock, %(missing)s manquantes)."
                )
                % {
                    "product": position.product,
                    "on_hand": position.on_hand,
                    "missing": -difference,
                }
            )
        taking = Taking(position.product_id, -difference, number, line, lot_id, note, bin_id)
        return writer.take(position, taking, kind, expired_too=True)
    return []


def settle(positions: dict[tuple[int, int], StockPosition]) -> None:
    """Hand what was found to who waits, make the last wait for what is gone, and save."""
    take_back(positions)
    refill(positions)
    save_positions(positions.values())


def moves_of(position: StockPosition) -> int:
    """How many moves a product has made in a warehouse."""
    return StockMove.objects.filter(
        product_id=position.product_id, warehouse_id=position.warehouse_id
    ).count()


def _check_unmoved(position: StockPosition, after_moves: int | None) -> None:
    if after_moves is not None and moves_of(position) != after_moves:
        raise ConflictError(
            _("Le stock de %s vient de bouger : relisez-le, puis recommencez s'il le faut.")
            % position.product,
            code="inventory.moved_meanwhile",
        )


@transaction.atomic
def write_off(
    *,
    product_id: int,
    warehouse: Warehouse,
    quantity: Decimal,
    reason: str,
    at: datetime,
    lot_id: int | None = None,
    after_moves: int | None = None,
    actor: Any = None,
) -> list[StockMove]:
    """Take broken, stolen or expired pieces out of stock; a reason is asked for.

    `after_moves` is how many moves the place had when somebody looked: the same form sent twice
    counts once.

    Raises:
        NotEnoughStock: more than is on hand.
        BusinessRuleError: no reason, or nothing to take out.
        ConflictError: goods have moved since `after_moves`.
    """
    require_shelves(warehouse)
    if quantity <= 0 or not reason.strip():
        raise BusinessRuleError(
            _("Dites combien de pièces sortent, et pourquoi."), code="inventory.no_reason"
        )
    positions = lock_places([(product_id, warehouse.pk)])
    position = positions[product_id, warehouse.pk]
    _check_unmoved(position, after_moves)
    if quantity > position.on_hand and not position.allows_negative:
        raise NotEnoughStock(
            _("%(product)s : %(held)s pièces en stock, %(asked)s à sortir.")
            % {"product": position.product, "held": position.on_hand, "asked": quantity}
        )
    number = allocate_number(series="PERTE", on=business_date(at))
    writer = Writer(positions, at=at, origin_kind="loss", actor=actor)
    moves = writer.take(
        position,
        Taking(product_id, quantity, number, 1, lot_id, reason.strip()),
        StockMove.Kind.LOSS,
        expired_too=True,
    )
    writer.write()
    settle(positions)
    record("stock.written_off", [position.product], actor=actor, number=number,
           quantity=str(quantity), reason=reason.strip()[:200])  # fmt: skip
    return moves


@transaction.atomic
def correct_stock(
    *,
    product_id: int,
    warehouse: Warehouse,
    difference: Decimal,
    reason: str,
    at: datetime,
    after_moves: int | None = None,
    actor: Any = None,
) -> list[StockMove]:
    """Add pieces found, or take out a mistake of entry, with its reason (a correction).

    Raises:
        NotEnoughStock: more would leave than is on hand.
        BusinessRuleError: no reason, or no difference.
        ConflictError: goods have moved since `after_moves`, as in `write_off`.
    """
    require_shelves(warehouse)
    if not difference or not reason.strip():
        raise BusinessRuleError(
            _("Dites de combien de pièces il s'agit, et pourquoi."), code="inventory.no_reason"
        )
    positions = lock_places([(product_id, warehouse.pk)])
    position = positions[product_id, warehouse.pk]
    _check_unmoved(position, after_moves)
    number = allocate_number(series="CORR", on=business_date(at))
    writer = Writer(positions, at=at, origin_kind="correction", actor=actor)
    kind = StockMove.Kind.CORRECTION
    if difference > 0:
        cost = position.average_cost or position.product.unit_cost or ZERO
        moves = [
            writer.put(
                position, Entry(product_id, difference, cost, number, 1), kind, reason.strip()
            )
        ]
    else:
        if -difference > position.on_hand and not position.allows_negative:
            raise NotEnoughStock(
                _("%(product)s : %(held)s pièces en stock, %(asked)s à sortir.")
                % {"product": position.product, "held": position.on_hand, "asked": -difference}
            )
        taking = Taking(product_id, -difference, number, 1, None, reason.strip())
        moves = writer.take(position, taking, kind, expired_too=True)
    writer.write()
    settle(positions)
    record("stock.corrected", [position.product], actor=actor, number=number,
           quantity=str(difference), reason=reason.strip()[:200])  # fmt: skip
    return moves
