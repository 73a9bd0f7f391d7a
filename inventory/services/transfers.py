"""Goods from one warehouse to another: prepared, sent, received, perhaps in part."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.errors import WrongTransferState
from inventory.locks import lock_places
from inventory.models import StockMove, StockTransfer, StockTransferLine, Warehouse
from inventory.selectors.layers import LOST_ON_THE_WAY
from inventory.services.ledger import expect_incoming, receive_stock, take_stock
from inventory.services.warehouses import require_shelves
from inventory.services.writer import Entry, Taking, Writer
from sphinx.core.clock import business_date
from sphinx.core.errors import BusinessRuleError, ConflictError
from sphinx.core.services import allocate_number, record

ZERO = Decimal(0)
Status = StockTransfer.Status
ORIGIN = "transfer"


@transaction.atomic
def create_transfer(
    *,
    source: Warehouse,
    destination: Warehouse,
    quantities: Mapping[int, Decimal],
    at: datetime,
    note: str = "",
    actor: Any = None,
) -> StockTransfer:
    """Prepare a transfer of product id → pieces; nothing moves yet.

    Raises:
        BusinessRuleError: the same warehouse twice, or nothing to transfer.
    """
    require_shelves(source)
    require_shelves(destination)
    if source.pk == destination.pk or not quantities or min(quantities.values()) <= 0:
        raise BusinessRuleError(
            _("Choisissez deux dépôts différents et au moins un article."),
            code="inventory.empty_transfer",
        )
    transfer = StockTransfer.objects.create(
        number=allocate_number(series="TR", on=business_date(at)),
        source=source,
        destination=destination,
        created_at=at,
        note=note[:200],
    )
    StockTransferLine.objects.bulk_create(
        StockTransferLine(transfer=transfer, product_id=product_id, quantity=quantity)
        for product_id, quantity in sorted(quantities.items())
    )
    record("transfer.prepared", [transfer], actor=actor)
    return transfer


class Proposed(NamedTuple):
    """Pieces of a product that replenishment would bring from one warehouse to another."""

    source_id: int
    destination_id: int
    product_id: int
    pieces: Decimal
    reason: dict[str, Any]


@transaction.atomic
def propose_transfers(*, proposed: Sequence[Proposed], at: datetime) -> list[StockTransfer]:
    """Let the proposed transfers be these, one a pair of warehouses; nothing moves.

    A proposal that nobody decided on keeps its number; one whose need is gone is closed.
    """
    # Two runs take turns, also where nothing is proposed yet.
    list(Warehouse.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    wanted: dict[tuple[int, int], list[Proposed]] = defaultdict(list)
    for one in proposed:
        wanted[one.source_id, one.destination_id].append(one)
    known = {
        (t.source_id, t.destination_id): t
        for t in StockTransfer.objects.select_for_update(of=("self",), no_key=True)
        .filter(status=Status.DRAFT, is_proposed=True)
        .order_by("pk")
    }
    StockTransferLine.objects.filter(transfer__in=known.values()).delete()
    for pair, transfer in known.items():
        if pair not in wanted:
            transfer.status, transfer.is_proposed = Status.CANCELLED, False
            transfer.note = _("Besoin disparu avant décision")
            transfer.save(update_fields=["status", "is_proposed", "note"])
    found = []
    for pair, lines in sorted(wanted.items()):
        transfer = known.get(pair) or StockTransfer.objects.create(
            number=allocate_number(series="TR", on=business_date(at)),
            source_id=pair[0],
            destination_id=pair[1],
            created_at=at,
            is_proposed=True,
        )
        found.append(transfer)
        StockTransferLine.objects.bulk_create(
            StockTransferLine(
                transfer=transfer,
                product_id=one.product_id,
                quantity=one.pieces,
                reason=one.reason,
            )
            for one in lines
        )
    record("transfer.proposed", [t for t in found if t not in known.values()])
    return found


@transaction.atomic
def send_transfer(
    *, transfer_id: int, at: datetime, seen: Collection[int] | None = None, actor: Any = None
) -> StockTransfer:
    """Take the goods out of the source; the destination expects them. Twice is once.

    `seen` are the ids of the lines that somebody looked at: what a run has proposed anew since
    doesn't leave unseen.

    Raises:
        NotEnoughStock: less is free in the source than would leave.
        WrongTransferState: it was cancelled.
        ConflictError: its lines aren't those that were `seen`.
    """
    transfer, lines = _locked(transfer_id)
    if transfer.status in (Status.SENT, Status.RECEIVED):
        return transfer
    _expect(transfer, Status.DRAFT)
    if seen is not None and {line.pk for line in lines} != set(seen):
        raise ConflictError(
            _("Le transfert %s vient d'être recalculé : relisez-le.") % transfer.number,
            code="inventory.proposed_anew",
        )
    take_stock(
        takings=[
            Taking(line.product_id, line.quantity, transfer.number, line.pk) for line in lines
        ],
        warehouse=transfer.source,
        at=at,
        kind=StockMove.Kind.TRANSFER,
        origin_kind=ORIGIN,
        actor=actor,
    )
    expect_incoming(
        quantities={line.product_id: line.quantity for line in lines},
        warehouse=transfer.destination,
    )
    transfer.status, transfer.sent_at = Status.SENT, at
    transfer.save(update_fields=["status", "sent_at"])
    record("transfer.sent", [transfer], actor=actor)
    return transfer


@transaction.atomic
def receive_transfer(
    *,
    transfer_id: int,
    at: datetime,
    quantities: Mapping[int, Decimal] | None = None,
    closes: bool = False,
    actor: Any = None,
) -> StockTransfer:
    """Take in what arrived (line id → pieces), or everything (None); who waits is served.

    The rest stays on its way, or is lost with `closes`: a loss in the ledger. Goods keep the cost
    and the lots that they left with.

    Raises:
        WrongTransferState: it hasn't been sent, or more comes in than was sent.
    """
    transfer, lines = _locked(transfer_id)
    if transfer.status == Status.RECEIVED and quantities is None:
        return transfer
    _expect(transfer, Status.SENT)
    sent = _moves_by_line(transfer)
    entries: list[Entry] = []
    arrived: dict[int, Decimal] = {}
    for line in lines:
        left = line.quantity - line.quantity_received
        quantity = left if quantities is None else quantities.get(line.pk, ZERO)
        if not ZERO <= quantity <= left:
            raise WrongTransferState(
                _("%(product)s : %(left)s pièces en route, %(quantity)s reçues.")
                % {"product": line.product, "left": left, "quantity": quantity}
            )
        entries += _entries(transfer, line, sent[line.pk], quantity)
        arrived[line.product_id] = left if closes else quantity
        line.quantity_received += quantity
    receive_stock(
        entries=entries,
        warehouse=transfer.destination,
        at=at,
        kind=StockMove.Kind.TRANSFER,
        origin_kind=ORIGIN,
        incoming=arrived,
        actor=actor,
    )
    StockTransferLine.objects.bulk_update(lines, ["quantity_received"])
    if closes:
        _lose_the_rest(transfer, lines, sent, at, actor)
    if closes or all(line.quantity_received == line.quantity for line in lines):
        transfer.status, transfer.received_at = Status.RECEIVED, at
        transfer.save(update_fields=["status", "received_at"])
    lost = {
        line.product.sku: str(line.quantity - line.quantity_received)
        for line in lines
        if closes and line.quantity_received < line.quantity
    }
    record("transfer.received", [transfer], actor=actor, lost=lost)
    return transfer


def _lose_the_rest(
    transfer: StockTransfer,
    lines: list[StockTransferLine],
    sent: Mapping[int, list[StockMove]],
    at: datetime,
    actor: Any,
) -> None:
    """Note what never arrived, at the cost it left with; no shelf has held it."""
    place = transfer.destination_id
    positions = lock_places((line.product_id, place) for line in lines)
    writer = Writer(positions, at=at, origin_kind=LOST_ON_THE_WAY, actor=actor)
    for line in lines:
        for entry, lot_id in _shares(transfer, line, sent.get(line.pk, []), line.left):
            writer.pass_by(entry, place, lot_id, _("Perdu en route"))
    writer.write()


def _moves_by_line(transfer: StockTransfer) -> dict[int, list[StockMove]]:
    found: dict[int, list[StockMove]] = {}
    for move in (
        StockMove.objects.filter(origin_kind=ORIGIN, origin_number=transfer.number, quantity__lt=0)
        .select_related("lot")
        .order_by("pk")
    ):
        found.setdefault(move.origin_line, []).append(move)
    return found


def _entries(
    transfer: StockTransfer, line: StockTransferLine, sent: list[StockMove], quantity: Decimal
) -> list[Entry]:
    """Pieces that arrive, lot by lot in the order in which they left."""
    return [entry for entry, _lot in _shares(transfer, line, sent, quantity)]


def _shares(
    transfer: StockTransfer, line: StockTransferLine, sent: list[StockMove], quantity: Decimal
) -> list[tuple[Entry, int | None]]:
    """The next pieces of a line, each share of a lot with the lot's id."""
    passed = line.quantity_received
    entries: list[tuple[Entry, int | None]] = []
    for move in sent:
        before = min(passed, -move.quantity)
        passed -= before
        pieces = min(-move.quantity - before, quantity)
        if pieces <= 0:
            continue
        quantity -= pieces
        lot = move.lot
        # A second part of the same line is another arrival, so another number.
        part = "" if not line.quantity_received else f"/{line.quantity_received.normalize():f}"
        entry = Entry(
            line.product_id,
            pieces,
            move.unit_cost,
            f"{transfer.number}{part}",
            line.pk,
            lot.number if lot else "",
            lot.best_before if lot else None,
        )
        entries.append((entry, move.lot_id))
    return entries


@transaction.atomic
def cancel_transfer(*, transfer_id: int, actor: Any = None) -> StockTransfer:
    """Give up a transfer that hasn't left. Twice is once.

    Raises:
        WrongTransferState: it is on its way or has arrived.
    """
    transfer, _lines = _locked(transfer_id)
    if transfer.status != Status.CANCELLED:
        _expect(transfer, Status.DRAFT)
        transfer.status = Status.CANCELLED
        transfer.save(update_fields=["status"])
        record("transfer.cancelled", [transfer], actor=actor)
    return transfer


def _locked(transfer_id: int) -> tuple[StockTransfer, list[StockTransferLine]]:
    """Products first, in both warehouses, then the document."""
    found = StockTransfer.objects.get(pk=transfer_id)
    products = list(found.lines.values_list("product_id", flat=True))
    lock_places(
        (product_id, warehouse_id)
        for product_id in products
        for warehouse_id in (found.source_id, found.destination_id)
    )
    transfer = StockTransfer.objects.select_for_update(of=("self",), no_key=True).get(
        pk=transfer_id
    )
    return transfer, list(transfer.lines.select_related("product").order_by("product_id"))


def _expect(transfer: StockTransfer, status: str) -> None:
    if transfer.status != status:
        raise WrongTransferState(
            _("Le transfert %(number)s est « %(status)s ».")
            % {"number": transfer.number, "status": transfer.get_status_display()}
        )
