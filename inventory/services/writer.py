"""The pen of the ledger: moves of locked positions, gathered, then written at once.

A position's value follows each of its moves. What pieces that left before they came have cost
less, or more, than they left with leaves the value too: nothing stays without goods.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Max
from django.utils.translation import gettext as _

from inventory.locks import Place
from inventory.models import StockMove, StockPosition
from inventory.services.bins import Bins
from inventory.services.lots import LotShelf, Share
from inventory.services.values import believe_the_ledger, gap, in_places, is_off
from sphinx.core.bulk import reserve_ids
from sphinx.core.clock import business_date
from sphinx.core.money import to_cents, to_unit_price

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
    # Where a count found them; other goods wait to be put away.
    bin_id: int | None = None


class Taking(NamedTuple):
    """Pieces that leave a place without an order's reservation: loss, transfer, return."""

    product_id: int
    quantity: Decimal
    origin_number: str
    origin_line: int
    lot_id: int | None = None
    note: str = ""
    # Where a count missed them.
    bin_id: int | None = None


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
        self._bins = Bins(positions)
        # Places that received pieces after they had left.
        self._covered: set[Place] = set()
        believe_the_ledger(positions.values())

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
        self._bins.take(
            position,
            taking.quantity,
            bin_id=taking.bin_id,
            unplaced_first=kind == StockMove.Kind.COUNT and taking.bin_id is None,
        )
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
        before = position.on_hand
        if before < 0:
            self._covered.add((position.product_id, position.warehouse_id))
        position.on_hand += entry.quantity
        self._bins.put(position, entry.quantity, entry.bin_id)
        position.average_cost = _average_cost(position, before, entry)
        lot_id = self._shelf.put(
            position,
            entry.quantity,
            number=entry.lot,
            document=entry.origin_number,
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

    def revalue(
        self, position: StockPosition, change: Decimal, number: str, note: str = ""
    ) -> StockMove:
        """Another value for the same pieces, `change` more (EUR); there must be some."""
        position.average_cost = max(
            to_unit_price((position.value + change) / position.on_hand), ZERO
        )
        return self._change(position, change, number, 0, self._at, note)

    def pass_by(self, entry: Entry, warehouse_id: int, lot_id: int | None, note: str) -> None:
        """Pieces that should have come in and are lost: in and out at the cost they had."""
        for kind, sign, number in (
            (StockMove.Kind.TRANSFER, 1, entry.origin_number),
            (StockMove.Kind.LOSS, -1, f"{entry.origin_number}/P"),
        ):
            self._note(
                self._move(
                    entry.product_id,
                    warehouse_id,
                    kind=kind,
                    quantity=sign * entry.quantity,
                    unit_cost=entry.unit_cost,
                    lot_id=lot_id,
                    origin_number=number,
                    origin_line=entry.origin_line,
                    note=note[:200],
                )
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
        position.value += quantity * unit_cost
        return self._note(
            self._move(
                position.product_id,
                position.warehouse_id,
                lot_id=lot_id,
                kind=kind,
                quantity=quantity,
                unit_cost=unit_cost,
                origin_number=number,
                origin_line=line,
                note=note[:200],
            )
        )

    def _change(
        self,
        position: StockPosition,
        change: Decimal,
        number: str,
        line: int,
        at: datetime,
        note: str,
    ) -> StockMove:
        position.value += change
        move = self._move(
            position.product_id,
            position.warehouse_id,
            kind=StockMove.Kind.REVALUATION,
            quantity=ZERO,
            unit_cost=position.average_cost,
            value_change=change,
            origin_number=number,
            origin_line=line,
            note=note[:200],
        )
        move.at = at
        return self._note(move)

    def _move(self, product_id: int, warehouse_id: int, **values: Any) -> StockMove:
        return StockMove(
            product_id=product_id,
            warehouse_id=warehouse_id,
            at=self._at,
            actor=self._actor,
            origin_kind=self._origin_kind,
            **values,
        )

    def _note(self, move: StockMove) -> StockMove:
        self.moves.append(move)
        return move

    def write(self) -> None:
        """Insert the moves, and what they did to lots."""
        self._leave_no_gap()
        for pk, move in zip(reserve_ids(StockMove, len(self.moves)), self.moves, strict=True):
            move.pk = pk
        StockMove.objects.bulk_create(self.moves, batch_size=2000)
        self._shelf.save()
        self._bins.save()

    def _leave_no_gap(self) -> None:
        """Let the ledger hold what the pieces are worth, where more than a rounding differs."""
        last = {(m.product_id, m.warehouse_id): m for m in self.moves}
        off = {place: m for place, m in last.items() if is_off(self.positions[place])}
        since = _last_moves(self._covered & off.keys())
        for place, move in off.items():
            position = self.positions[place]
            change = -to_cents(gap(position))
            number, line = f"{move.origin_number}/V", move.origin_line
            # Goods that left after the day on which these came are what it changes.
            at = max(self._at, since.get(place, self._at))
            if place in self._covered:
                note = _("Parti avant d'être entré : ce que cela a coûté de plus ou de moins")
            else:
                note = _("Arrondi du coût moyen")
            self._change(position, change, number, line, at, note)


def _last_moves(places: set[Place]) -> dict[Place, datetime]:
    """When goods last moved in some places."""
    if not places:
        return {}
    rows = in_places(places).order_by().values_list("product_id", "warehouse_id")
    return {(product, warehouse): at for product, warehouse, at in rows.annotate(at=Max("at"))}


def _average_cost(position: StockPosition, before: Decimal, entry: Entry) -> Decimal:
    """After an entry: what all pieces are worth over their number; `before` they were so many.

    Goods that come where none lie cost what they cost.
    """
    if position.on_hand <= 0:
        return position.average_cost
    if before <= 0:
        return entry.unit_cost
    worth = position.value + entry.quantity * entry.unit_cost
    return max(to_unit_price(worth / position.on_hand), ZERO)
