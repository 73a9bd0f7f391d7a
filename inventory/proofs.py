"""What stock can prove."""

from collections import defaultdict
from decimal import Decimal

from django.db.models import Q, Sum

from inventory.models import LotPosition, Reservation, StockMove, StockPosition
from sphinx.core import clock
from sphinx.core.proofs import Proof, proves

_Key = tuple[int, int]


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
    proof.faults += [f"lot n° {lot} : mouvements sans position" for lot, _w in moved]
    positions = StockPosition.objects.filter(product__in={p for p, _w in held})
    for position in positions.select_related("product"):
        lots = held[position.product_id, position.warehouse_id]
        if lots > position.on_hand and not position.allows_negative:
            proof.faults.append(f"{position.product.sku} : {lots} dans les lots, "
                                f"{position.on_hand} en stock")  # fmt: skip


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
