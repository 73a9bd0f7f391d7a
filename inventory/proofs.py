"""What stock can prove."""

from decimal import Decimal

from django.db.models import Sum

from inventory.models import Reservation, StockMove, StockPosition
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
        for row in Reservation.objects.values("product", "warehouse").annotate(
            held=Sum("allocated"), wanted=Sum("quantity")
        )
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
