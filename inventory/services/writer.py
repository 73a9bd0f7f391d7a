"""The pen of the ledger: moves of locked positions, gathered, then written at once."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from inventory.locks import Place
from inventory.models import StockMove, StockPosition
from inventory.services.lots import LotShelf, Share
from sphinx.core.bulk import reserve_ids
from sphinx.core.clock import business_date
from sphinx.core.money import to_unit_price

ZERO = Decimal(0)


class Entry(NamedTuple):
    """Pieces that come in, at a cost (EUR excl. tax a piece).

    Of products that ask for lots, `lot` is its number (the document's own without one).
    """

    product_id: int
    quantity: Decimal
    unit_cost: Decimal
    origin_number: str
    origin_line: int
    lot: str = ""
    best_before: date | None = None


class Taking(NamedTuple):
    """Pieces that leave a place without an order's reservation: loss, transfer, return."""

    product_id: int
    quantity: Decimal
    origin_number: str
    origin_line: int
    lot_id: int | None = None
    note: str = ""


class Writer:
    """Each move changes its position, its lot and the average cost as it is noted."""

    def __init__(
        self,
        positions: Mapping[Place, StockPosition],
        *,
        at: datetime,
        origin_kind: str,
        actor: Any,
    ) -> None:
        self.positions = positions
        self.moves: list[StockMove] = []
        self._at, self._origin_kind, self._actor = at, origin_kind, actor
        self._shelf = LotShelf(positions)

    def take(
        self,
        position: StockPosition,
        taking: Taking,
        kind: str,
        *,
        expired_too: bool = False,
    ) -> list[StockMove]:
        """Pieces out of a position, one move a lot; `reserved` is the caller's to lower.

        Raises:
            NotEnoughStock: the lots hold less, or only expired ones are left.
        """
        if taking.lot_id is not None:
            self._shelf.take_lot(position, taking.lot_id, taking.quantity)
            shares = [Share(taking.lot_id, taking.quantity)]
        else:
            on = date.min if expired_too else business_date(self._at)
            shares = self._shelf.take(position, taking.quantity, on=on)
        position.on_hand -= taking.quantity
        return [
            self._add(
                position,
                kind,
                -quantity,
                position.average_cost,
                taking.origin_number,
                taking.origin_line,
                lot_id,
                taking.note,
            )
            for lot_id, quantity in shares
        ]

    def put(self, position: StockPosition, entry: Entry, kind: str, note: str = "") -> StockMove:
        """Pieces into a position, at their cost."""
        position.average_cost = _average_cost(position, entry)
        position.on_hand += entry.quantity
        lot_id = self._shelf.put(
            position,
            entry.quantity,
            number=entry.lot or entry.origin_number,
            best_before=entry.best_before,
            on=business_date(self._at),
        )
        return self._add(
            position,
            kind,
            entry.quantity,
            entry.unit_cost,
            entry.origin_number,
            entry.origin_line,
            lot_id,
            note,
        )

    def _add(
        self,
        position: StockPosition,
        kind: str,
        quantity: Decimal,
        unit_cost: Decimal,
        number: str,
        line: int,
        lot_id: int | None,
        note: str,
    ) -> StockMove:
        move = StockMove(
            product_id=position.product_id,
            warehouse_id=position.warehouse_id,
            lot_id=lot_id,
            kind=kind,
            quantity=quantity,
            unit_cost=unit_cost,
            at=self._at,
            actor=self._actor,
            origin_kind=self._origin_kind,
            origin_number=number,
            origin_line=line,
            note=note[:200],
        )
        self.moves.append(move)
        return move

    def write(self) -> None:
        """Insert the moves, and what they did to lots."""
        for pk, move in zip(reserve_ids(StockMove, len(self.moves)), self.moves, strict=True):
            move.pk = pk
        StockMove.objects.bulk_create(self.moves, batch_size=2000)
        self._shelf.save()


def _average_cost(position: StockPosition, entry: Entry) -> Decimal:
    before = max(position.on_hand, ZERO)
    after = before + entry.quantity
    if after <= 0:
        return position.average_cost
    return to_unit_price(
        (before * position.average_cost + entry.quantity * entry.unit_cost) / after
    )
