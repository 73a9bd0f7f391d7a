"""Goods that leave and come in: the ledger's moves, with what they do to positions.

Each call is set-based and twice-safe: the same line of the same document moves stock once.
Issues leave at the weighted average cost and don't change it; entries move it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.allocations import save_positions, take_back
from inventory.errors import NotEnoughStock, SerialRefused
from inventory.expiry import expired_lots
from inventory.locks import lock_places, lock_reservations, places_of
from inventory.models import Reservation, StockMove, Warehouse
from inventory.services.reservations import refill
from inventory.services.warehouses import require_shelves
from inventory.services.writer import Entry, Taking, Writer
from sphinx.core.bulk import update_rows
from sphinx.core.money import plain, to_unit_price

ZERO = Decimal(0)
ONE = Decimal(1)


class Issue(NamedTuple):
    """Pieces that leave for one line of a document, out of what was set aside for it."""

    reservation_id: int
    quantity: Decimal
    origin_number: str
    origin_line: int


class Issued(NamedTuple):
    """What left for one line: a move of it (the first of several), its cost (EUR excl. tax a
    piece, or a bundle)."""

    move: StockMove
    unit_cost: Decimal


@transaction.atomic
def issue_stock(
    *,
    issues: Sequence[Issue],
    at: datetime,
    origin_kind: str,
    serials: Mapping[tuple[str, int], Sequence[int]] | None = None,
    actor: Any = None,
) -> dict[tuple[str, int], Issued]:
    """Take reserved goods out; what left by (origin number, origin line).

    `serials` are the lots of the pieces scanned, by (origin number, product id).

    Raises:
        NotEnoughStock: more is asked than a reservation holds, or only expired lots are left.
        SerialRefused: a piece with a serial number wasn't scanned, isn't there, or is too many.
    """
    scanned = {key: list(lots) for key, lots in (serials or {}).items()}
    wanted = [i.reservation_id for i in issues]
    positions = lock_places(places_of(wanted))
    reservations = {r.pk: r for r in lock_reservations(wanted)}
    parts: dict[int, list[Reservation]] = {}
    for reservation in reservations.values():
        if reservation.bundle_id in reservations:
            parts.setdefault(reservation.bundle_id or 0, []).append(reservation)
    writer = Writer(positions, at=at, origin_kind=origin_kind, actor=actor)
    issued = {}
    for issue in issues:
        reservation = reservations[issue.reservation_id]
        _check_held(issue, reservation)
        reservation.quantity -= issue.quantity
        reservation.allocated -= issue.quantity
        if not reservation.is_bundle:
            move = _leave(writer, issue, reservation, issue.quantity, scanned)
            issued[issue.origin_number, issue.origin_line] = Issued(move, move.unit_cost)
            continue
        cost, first = ZERO, None
        for part in sorted(parts.get(reservation.pk, ()), key=lambda r: r.pk):
            pieces = issue.quantity * (part.per_bundle or ZERO)
            part.quantity -= pieces
            part.allocated -= pieces
            move = _leave(writer, issue, part, pieces, scanned)
            cost += move.unit_cost * (part.per_bundle or ZERO)
            first = first or move
        if first is not None:
            issued[issue.origin_number, issue.origin_line] = Issued(first, to_unit_price(cost))
    if any(scanned.values()):
        raise SerialRefused(_("Plus de numéros de série scannés que de pièces sur le bon."))
    # Before the positions: the unique key stops a second run here, nothing half-applied.
    writer.write()
    update_rows(
        Reservation,
        ["quantity", "allocated"],
        [(r.pk, r.quantity, r.allocated) for r in reservations.values()],
    )
    save_positions(positions.values())
    return issued


def _check_held(issue: Issue, reservation: Reservation) -> None:
    if issue.quantity > reservation.allocated:
        raise NotEnoughStock(
            _("%(number)s : %(asked)s pièces demandées, %(held)s mises de côté.")
            % {
                "number": issue.origin_number,
                "asked": issue.quantity,
                "held": reservation.allocated,
            }
        )


def _leave(
    writer: Writer,
    issue: Issue,
    reservation: Reservation,
    pieces: Decimal,
    scanned: Mapping[tuple[str, int], list[int]],
) -> StockMove:
    """The move of a line, the first of several; of pieces scanned one each."""
    position = writer.positions[reservation.product_id, reservation.warehouse_id]
    position.reserved -= pieces
    taking = Taking(reservation.product_id, pieces, issue.origin_number, issue.origin_line)
    lots = scanned.get((issue.origin_number, reservation.product_id), [])
    if not lots:
        return writer.take(position, taking, StockMove.Kind.SALE)[0]
    leaving = [lots.pop(0) for _piece in range(min(int(pieces), len(lots)))]
    if len(leaving) != pieces:
        raise SerialRefused(
            _("%(product)s : %(pieces)s pièces sur le bon, %(scanned)s numéros de série scannés.")
            % {"product": position.product, "pieces": plain(pieces), "scanned": len(leaving)}
        )
    moves = [
        writer.take(position, taking._replace(quantity=ONE, lot_id=lot), StockMove.Kind.SALE)
        for lot in leaving
    ]
    return moves[0][0]


@transaction.atomic
def receive_stock(
    *,
    entries: Sequence[Entry],
    warehouse: Warehouse,
    at: datetime,
    kind: str,
    origin_kind: str,
    incoming: Mapping[int, Decimal] | None = None,
    actor: Any = None,
) -> dict[tuple[str, int], StockMove]:
    """Take goods in and serve who waits for them; returns the moves by (number, line).

    The average cost moves with each entry: (Q₀·C₀ + q·c) / (Q₀ + q), Q₀ at least 0 (PCG,
    art. 213-34, weighted average cost). `incoming` lowers what is expected, by product.
    """
    require_shelves(warehouse)
    products = {e.product_id for e in entries} | set(incoming or ())
    positions = lock_places((product_id, warehouse.pk) for product_id in products)
    writer = Writer(positions, at=at, origin_kind=origin_kind, actor=actor)
    moves = {
        (entry.origin_number, entry.origin_line): writer.put(
            positions[entry.product_id, warehouse.pk], entry, kind
        )
        for entry in entries
    }
    for product_id, quantity in (incoming or {}).items():
        position = positions[product_id, warehouse.pk]
        position.incoming = max(position.incoming - quantity, ZERO)
    writer.write()
    refill(positions)
    save_positions(positions.values())
    return moves


@transaction.atomic
def take_stock(
    *,
    takings: Sequence[Taking],
    warehouse: Warehouse,
    at: datetime,
    kind: str,
    origin_kind: str,
    actor: Any = None,
    only_available: bool = True,
) -> dict[tuple[str, int], list[StockMove]]:
    """Take goods out that no order asked for; returns the moves by (number, line).

    With `only_available` what orders hold stays; without it the last in the queue wait again
    (goods that are gone are gone).

    Raises:
        NotEnoughStock: less is available (or on hand) than would leave.
    """
    require_shelves(warehouse)
    positions = lock_places((t.product_id, warehouse.pk) for t in takings)
    writer = Writer(positions, at=at, origin_kind=origin_kind, actor=actor)
    moves: dict[tuple[str, int], list[StockMove]] = {}
    expired = expired_lots(t.lot_id for t in takings)
    for taking in takings:
        position = positions[taking.product_id, warehouse.pk]
        there = position.available if only_available else position.on_hand
        if taking.lot_id in expired:
            # Nobody waits for these: they may go back to whoever sent them.
            there = position.expired
        if taking.quantity > there and not position.allows_negative:
            raise NotEnoughStock(
                _("%(product)s : %(there)s pièces libres dans « %(place)s », %(asked)s demandées.")
                % {
                    "product": position.product,
                    "there": there,
                    "place": warehouse,
                    "asked": taking.quantity,
                }
            )
        moves[taking.origin_number, taking.origin_line] = writer.take(position, taking, kind)
    writer.write()
    take_back(positions)
    save_positions(positions.values())
    return moves


@transaction.atomic
def expect_incoming(*, quantities: Mapping[int, Decimal], warehouse: Warehouse) -> None:
    """Add to what is expected, by product (negative takes back)."""
    positions = lock_places((product_id, warehouse.pk) for product_id in quantities)
    for product_id, quantity in quantities.items():
        position = positions[product_id, warehouse.pk]
        position.incoming = max(position.incoming + quantity, ZERO)
    save_positions(positions.values())


def open_stock(
    *, opening: Mapping[int, tuple[Decimal, Decimal]], warehouse: Warehouse, at: datetime
) -> set[int]:
    """Open the stock of products that have no move yet: product id → (pieces, unit cost).

    Returns the products that were opened; the others already live and are left alone.
    """
    with transaction.atomic():
        lock_places((product_id, warehouse.pk) for product_id in opening)
        moved = set(
            StockMove.objects.filter(product_id__in=opening, warehouse=warehouse).values_list(
                "product_id", flat=True
            )
        )
        fresh = {p: v for p, v in opening.items() if p not in moved and v[0] > 0}
        receive_stock(
            entries=[
                Entry(product_id, quantity, cost, "OUVERTURE", 0)
                for product_id, (quantity, cost) in sorted(fresh.items())
            ],
            warehouse=warehouse,
            at=at,
            kind=StockMove.Kind.OPENING,
            origin_kind="opening",
        )
    return set(fresh)
