"""Goods that come back from customers: to the shelf at the cost they left with, or to scrap."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.allocations import save_positions, take_back
from inventory.errors import SerialRefused
from inventory.locks import Place, lock_places
from inventory.models import StockMove, Warehouse
from inventory.services.reservations import refill
from inventory.services.warehouses import default_warehouse
from inventory.services.writer import Entry, Taking, Writer
from sphinx.core.money import plain, to_quantity

ZERO = Decimal(0)


class Returned(NamedTuple):
    """`quantity` of the `of` pieces (or bundles) that left for one line of a document.

    `passed` is what came back of it before; `serials` are the serial numbers of the pieces that
    have one, none where all of them that are still out come back.
    """

    origin_number: str
    origin_line: int
    quantity: Decimal
    of: Decimal
    passed: Decimal
    is_scrap: bool
    serials: Sequence[str] = ()


@transaction.atomic
def return_stock(
    *,
    returns: Sequence[Returned],
    left_as: str,
    number: str,
    at: datetime,
    actor: Any = None,
) -> list[StockMove]:
    """Take goods back that left as document kind `left_as`; scrap goes out again at once.

    They come back to the warehouse, the lots and at the cost that they left with; a bundle as
    its components. What the supplier had sent comes back to the default warehouse.

    Raises:
        SerialRefused: some pieces of a line come back and nothing says which, or a number that is
            said did not leave with it or is back already.
    """
    sent = _moves(returns, left_as)
    homes = _homes()
    positions = lock_places(_place(move, homes) for found in sent for move in found)
    writer = Writer(positions, at=at, origin_kind="return", actor=actor)
    came_back = _came_back(sent)
    for line, (returned, moves) in enumerate(zip(returns, sent, strict=True), start=1):
        for move, pieces in _shares(returned, moves, came_back):
            position = positions[_place(move, homes)]
            lot = move.lot
            writer.put(
                position,
                Entry(
                    move.product_id,
                    pieces,
                    move.unit_cost,
                    number,
                    line,
                    lot.number if lot else "",
                    lot.best_before if lot else None,
                ),
                StockMove.Kind.RETURN,
            )
            if returned.is_scrap:
                scrap = Taking(move.product_id, pieces, f"{number}/R", line, move.lot_id)
                writer.take(position, scrap, StockMove.Kind.LOSS, expired_too=True)
    writer.write()
    take_back(positions)
    refill(positions)
    save_positions(positions.values())
    return writer.moves


def lock_places_of_return(*, left_as: str, origin_number: str) -> None:
    """Lock where goods that left by a document would come back to."""
    homes = _homes()
    moves = StockMove.objects.filter(origin_kind=left_as, origin_number=origin_number)
    lock_places(_place(move, homes) for move in moves)


def _homes() -> dict[int, int]:
    """Where goods come back to that didn't leave from a shelf."""
    direct = Warehouse.objects.filter(is_direct=True).values_list("pk", flat=True)
    return {pk: default_warehouse().pk for pk in direct}


def _place(move: StockMove, homes: Mapping[int, int]) -> Place:
    return move.product_id, homes.get(move.warehouse_id, move.warehouse_id)


def _moves(returns: Sequence[Returned], left_as: str) -> list[list[StockMove]]:
    found: dict[tuple[str, int], list[StockMove]] = {}
    for move in (
        StockMove.objects.filter(
            origin_kind=left_as,
            origin_number__in={r.origin_number for r in returns},
            quantity__lt=0,
        )
        .select_related("lot", "product")
        .order_by("pk")
    ):
        found.setdefault((move.origin_number, move.origin_line), []).append(move)
    return [found.get((r.origin_number, r.origin_line), []) for r in returns]


def _came_back(sent: Iterable[Sequence[StockMove]]) -> dict[int | None, int]:
    """The last return of each piece with a serial number, as a move's id by lot."""
    lots = {m.lot_id for moves in sent for m in moves if m.product.tracks_serials}
    if not lots:
        return {}
    returns = StockMove.objects.filter(lot__in=lots, kind=StockMove.Kind.RETURN).order_by("pk")
    return dict(returns.values_list("lot", "pk"))


def _shares(
    returned: Returned, moves: Sequence[StockMove], came_back: dict[int | None, int]
) -> Iterator[tuple[StockMove, Decimal]]:
    """Pieces that come back of each move, lot after lot in the order in which they left; those
    with a serial number by it."""
    gone = {str(move.lot) for move in moves if move.product.tracks_serials}
    if unknown := [serial for serial in returned.serials if serial not in gone]:
        raise SerialRefused(
            _("N° de série %(serial)s : il n'est pas parti avec %(number)s.")
            % {"serial": unknown[0][:40], "number": returned.origin_number}
        )
    for product_id in dict.fromkeys(m.product_id for m in moves):
        own = [m for m in moves if m.product_id == product_id]
        left = -sum((m.quantity for m in own), ZERO)
        wanted = to_quantity(left * returned.quantity / returned.of)
        passed = to_quantity(left * returned.passed / returned.of)
        if own[0].product.tracks_serials:
            out = [m for m in own if came_back.get(m.lot_id, 0) < m.pk]
            for move in _named(out, wanted, returned.serials):
                # Not once more by another line of the same return.
                came_back[move.lot_id] = move.pk
                yield move, -move.quantity
            continue
        for move in own:
            before = min(passed, -move.quantity)
            passed -= before
            pieces = min(-move.quantity - before, wanted)
            wanted -= pieces
            if pieces > 0:
                yield move, pieces


def _named(
    out: Sequence[StockMove], wanted: Decimal, serials: Sequence[str]
) -> Sequence[StockMove]:
    """The moves of the `wanted` pieces with these serial numbers, among those still out."""
    numbers = {str(move.lot): move for move in out}
    chosen = [numbers[serial] for serial in dict.fromkeys(serials) if serial in numbers]
    if not serials and wanted == len(out):
        return out
    if len(chosen) != wanted:
        raise SerialRefused(
            _(
                "%(product)s : dites les numéros de série des %(count)s pièces revenues, un par "
                "ligne, parmi : %(numbers)s."
            )
            % {
                "product": out[0].product if out else "—",
                "count": plain(wanted),
                "numbers": ", ".join(numbers) or "—",
            }
        )
    return chosen
