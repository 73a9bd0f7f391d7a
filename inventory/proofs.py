"""What stock can prove."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import TruncDate

from inventory.models import (
    WORTH,
    BinStock,
    LotPosition,
    Reservation,
    StockMove,
    StockPosition,
    StockTransfer,
    StockTransferLine,
)
from inventory.selectors import stock_value
from sphinx.core import clock
from sphinx.core.clock import PARIS
from sphinx.core.money import CENT, plain, to_cents
from sphinx.core.proofs import Proof, proves
from sphinx.core.sealing import seals

_Key = tuple[int, int]

seals(
    "moves",
    "Mouvement de stock",
    "inventory.StockMove",
    "product_id warehouse_id lot_id kind quantity unit_cost value_change at actor_id "
    "origin_kind origin_number origin_line note",
)


@proves("stock_equals_moves")
def stock_equals_moves(proof: Proof) -> None:
    """On hand is the sum of the ledger, product by product."""
    moved: dict[_Key, Decimal] = {
        (row["product"], row["warehouse"]): row["total"]
        for row in StockMove.objects.values("product", "warehouse").annotate(total=Sum("quantity"))
    }
    for position in StockPosition.objects.select_related("product"):
        proof.checked += 1
        total = moved.pop((position.product_id, position.warehouse_id), Decimal(0))
        if total != position.on_hand:
            proof.faults.append(
                f"{position.product.sku} : {position.on_hand} en stock, {total} en mouvements"
            )
    proof.faults += [f"article n° {product} : mouvements sans position" for product, _w in moved]


@proves("stock_value")
def stock_is_worth_its_moves(proof: Proof) -> None:
    """The ledger's value is pieces × average cost, place by place, to the rounding of the average;
    nothing is worth something without goods."""
    rows = StockMove.objects.order_by().values_list("product", "warehouse").annotate(worth=WORTH)
    worth = {(product, warehouse): value for product, warehouse, value in rows}
    for position in StockPosition.objects.select_related("product").order_by("pk"):
        proof.checked += 1
        value = worth.get((position.product_id, position.warehouse_id), Decimal(0))
        due = position.on_hand * position.average_cost
        # The average has six places.
        rounding = CENT + abs(position.on_hand) * Decimal("0.000001")
        if abs(value - due) > rounding or abs(value - position.value) > CENT:
            proof.faults.append(
                f"{position.product.sku} : {to_cents(value)} € en mouvements, "
                f"{to_cents(position.value)} € tenus, {position.on_hand} × "
                f"{position.average_cost} €"
            )


@proves("stock_value_days")
def past_values_lead_to_todays(proof: Proof) -> None:
    """The value at the end of a past day, as the page says it, is what the moves until then have
    changed; goods on their way are in it."""
    today = clock.today()
    changes: dict[date, Decimal] = defaultdict(Decimal)
    # Goods that change places are worth what they were; what is lost on the way is a loss.
    moves = StockMove.objects.filter(~Q(kind=StockMove.Kind.TRANSFER))
    for day, change in (
        moves.order_by()
        .annotate(day=TruncDate("at", tzinfo=PARIS))
        .values_list("day")
        .annotate(change=WORTH)
    ):
        changes[day] += change
    for day in _days_to_prove(today):
        proof.checked += 1
        rows = stock_value(day)
        told = sum((row.value for row in rows), Decimal(0))
        due = sum((change for on, change in changes.items() if on <= day), Decimal(0))
        # Each row is rounded to the cent; a place that is empty may keep less than one.
        places = len(rows) + StockPosition.objects.filter(on_hand=0).count()
        if abs(told - due) > CENT * (1 + places) / 2:
            proof.faults.append(f"{day:%d/%m/%Y} : {told} € en stock, {to_cents(due)} € d'après "
                                "les mouvements")  # fmt: skip


def _days_to_prove(today: date) -> list[date]:
    """Today, and the last days of the month and the year before."""
    month = today.replace(day=1) - timedelta(days=1)
    return sorted({today, month, date(today.year - 1, 12, 31)})


@proves("stock_transfers")
def transfers_come_to_nothing(proof: Proof) -> None:
    """What left for another warehouse arrived, was lost, or is still on its way: its pieces."""
    moved = dict(
        StockMove.objects.filter(kind=StockMove.Kind.TRANSFER)
        .order_by()
        .values_list("origin_line")
        .annotate(pieces=Sum("quantity"))
    )
    sent = (StockTransfer.Status.SENT, StockTransfer.Status.RECEIVED)
    for line in StockTransferLine.objects.filter(transfer__status__in=sent).select_related(
        "transfer", "product"
    ):
        proof.checked += 1
        is_open = line.transfer.status == StockTransfer.Status.SENT
        due = -line.left if is_open else Decimal(0)
        pieces = moved.get(line.pk, Decimal(0))
        if pieces != due:
            proof.faults.append(f"{line.transfer} {line.product.sku} : {-pieces} pièces en route, "
                                f"{-due} attendues")  # fmt: skip


@proves("reservations")
def reservations_add_up(proof: Proof) -> None:
    """Reserved and waiting are the sums of the open reservations."""
    sums = {
        (row["product"], row["warehouse"]): (row["held"], row["wanted"])
        for row in Reservation.objects.filter(is_bundle=False)
        .values("product", "warehouse")
        .annotate(held=Sum("allocated"), wanted=Sum("quantity"))
    }
    for position in StockPosition.objects.select_related("product"):
        proof.checked += 1
        allocated, quantity = sums.get(
            (position.product_id, position.warehouse_id), (Decimal(0), Decimal(0))
        )
        if allocated != position.reserved or quantity - allocated != position.backordered:
            proof.faults.append(
                f"{position.product.sku} : {position.reserved} réservées et "
                f"{position.backordered} à servir, {allocated} et {quantity - allocated} "
                "d'après les réservations"
            )


@proves("lots_equal_moves")
def lots_equal_moves(proof: Proof) -> None:
    """What lies of a lot is the sum of its moves, and never more than the product's stock."""
    moved = {
        (row["lot"], row["warehouse"]): row["total"]
        for row in StockMove.objects.filter(lot__isnull=False)
        .values("lot", "warehouse")
        .annotate(total=Sum("quantity"))
    }
    held: dict[_Key, Decimal] = defaultdict(Decimal)
    for found in LotPosition.objects.select_related("lot"):
        proof.checked += 1
        total = moved.pop((found.lot_id, found.warehouse_id), Decimal(0))
        held[found.lot.product_id, found.warehouse_id] += found.on_hand
        if total != found.on_hand:
            proof.faults.append(
                f"lot {found.lot} : {found.on_hand} en stock, {total} en mouvements"
            )
    # What was lost on its way came in and left again: no place ever held it.
    proof.faults += [
        f"lot n° {lot} : mouvements sans position" for (lot, _w), total in moved.items() if total
    ]
    positions = StockPosition.objects.filter(product__in={p for p, _w in held})
    for position in positions.select_related("product"):
        lots = held[position.product_id, position.warehouse_id]
        if lots > position.on_hand and not position.allows_negative:
            proof.faults.append(f"{position.product.sku} : {lots} dans les lots, "
                                f"{position.on_hand} en stock")  # fmt: skip


@proves("serials")
def a_serial_is_there_once(proof: Proof) -> None:
    """A piece with a serial number is on hand once at most, whole; none is without its number."""
    named: dict[_Key, Decimal] = defaultdict(Decimal)
    places: dict[int, int] = defaultdict(int)
    for found in LotPosition.objects.filter(
        lot__product__tracks_serials=True, on_hand__gt=0
    ).select_related("lot"):
        proof.checked += 1
        named[found.lot.product_id, found.warehouse_id] += found.on_hand
        places[found.lot_id] += 1
        if found.on_hand != 1 or places[found.lot_id] > 1 or not found.is_serial:
            proof.faults.append(f"n° de série {found.lot} : plus d'une fois en stock")
    for position in StockPosition.objects.filter(product__tracks_serials=True).select_related(
        "product"
    ):
        pieces = named[position.product_id, position.warehouse_id]
        if pieces != position.on_hand:
            proof.faults.append(f"{position.product.sku} : {position.on_hand} en stock, "
                                f"{pieces} numéros de série")  # fmt: skip


@proves("bins")
def bins_hold_what_is_there(proof: Proof) -> None:
    """What lies in bins is never more than the warehouse holds."""
    rows = (
        BinStock.objects.order_by()
        .values_list("product", "bin__warehouse")
        .annotate(pieces=Sum("on_hand"))
    )
    placed = {(product, warehouse): pieces for product, warehouse, pieces in rows}
    positions = StockPosition.objects.filter(product__in={p for p, _w in placed})
    for position in positions.select_related("product"):
        pieces = placed.pop((position.product_id, position.warehouse_id), Decimal(0))
        proof.checked += 1
        if pieces > max(position.on_hand, Decimal(0)):
            proof.faults.append(f"{position.product.sku} : {plain(pieces)} dans les emplacements, "
                                f"{plain(position.on_hand)} en stock")  # fmt: skip
    proof.faults += [
        f"article n° {pk} : rangé sans position" for (pk, _w), n in placed.items() if n
    ]


@proves("expired_equals_lots")
def expired_equals_lots(proof: Proof) -> None:
    """What positions call expired lies in lots whose date has passed; none is for sale."""
    today = clock.today()
    expired: dict[_Key, Decimal] = defaultdict(Decimal)
    for found in LotPosition.objects.filter(
        lot__product__tracks_lots=True, lot__best_before__lt=today, on_hand__gt=0
    ).select_related("lot"):
        expired[found.lot.product_id, found.warehouse_id] += found.on_hand
    for position in StockPosition.objects.filter(
        Q(expired__gt=0) | Q(product__in={p for p, _w in expired})
    ).select_related("product"):
        proof.checked += 1
        lots = expired[position.product_id, position.warehouse_id]
        # What passed at midnight waits for the sweep, or for whoever comes first.
        waits = position.expires_next_on is not None and position.expires_next_on < today
        if lots != position.expired and not waits:
            proof.faults.append(f"{position.product.sku} : {position.expired} périmées, "
                                f"{lots} d'après les lots")  # fmt: skip


@proves("bundles")
def bundles_hold_their_parts(proof: Proof) -> None:
    """A bundle set aside has every component set aside; the rest is asked in proportion."""
    parts: dict[int, list[Reservation]] = defaultdict(list)
    for part in Reservation.objects.filter(bundle__isnull=False):
        parts[part.bundle_id or 0].append(part)
    for bundle in Reservation.objects.filter(is_bundle=True):
        proof.checked += 1
        for part in parts.pop(bundle.pk, []):
            each = part.per_bundle or Decimal(0)
            if part.quantity != bundle.quantity * each or part.allocated < bundle.allocated * each:
                proof.faults.append(
                    f"commande {bundle.origin_number} : {bundle.allocated} lots mis de côté, "
                    f"{part.allocated} pièces d'un composant"
                )
    proof.faults += [f"composants sans lot : réservation n° {pk}" for pk in parts]
