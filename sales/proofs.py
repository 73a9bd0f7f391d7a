"""What sales can prove: each piece of an order is in one place only, and what was taken out is
worth what it cost."""

from decimal import Decimal

from django.db.models import Sum

from sales.models import DeliveryNote, DeliveryNoteLine, OrderLine
from sales.selectors import DELIVERABLE
from sales.services.deeds import worth_of
from sphinx.core.money import plain
from sphinx.core.proofs import Proof, proves

_NONE = Decimal(0)


@proves("order_pieces")
def pieces_are_where_the_order_says(proof: Proof) -> None:
    """What notes took is what lines say was delivered; notes in preparation take no more than is
    wanted, and reservations ask for exactly that."""
    left = _pieces(DeliveryNote.Status.SHIPPED)
    delivered = OrderLine.objects.filter(quantity_delivered__gt=0).order_by()
    for pk, quantity in delivered.values_list("pk", "quantity_delivered").iterator():
        proof.checked += 1
        by_notes = left.pop(pk, _NONE)
        if by_notes != quantity:
            line = OrderLine.objects.select_related("order").get(pk=pk)
            proof.faults.append(
                f"commande {line.order.number}, {line} : {plain(quantity)} livrées, "
                f"{plain(by_notes)} sur ses bons"
            )
    proof.faults += [f"ligne de commande n° {pk} : un bon l'a livrée, pas elle" for pk in left]
    prepared = _pieces(DeliveryNote.Status.DRAFT)
    wanting = OrderLine.objects.filter(order__status__in=DELIVERABLE, order__is_history=False)
    for line in wanting.select_related("order", "reservation").iterator():
        proof.checked += 1
        wanted = line.quantity_wanted
        picked = prepared.get(line.pk, _NONE)
        asked = line.reservation.quantity if line.reservation else wanted
        if picked > wanted or asked != wanted:
            proof.faults.append(
                f"commande {line.order.number}, {line} : {plain(wanted)} à expédier, "
                f"{plain(picked)} en préparation, {plain(asked)} demandées au stock"
            )


@proves("pieces_taken_out")
def what_was_taken_out_is_worth_its_price(proof: Proof) -> None:
    """The amount that pieces taken out take off an invoice is theirs, by the line's own prices."""
    for line in OrderLine.objects.filter(quantity_removed__gt=0).select_related("order"):
        proof.checked += 1
        worth = worth_of(line, line.quantity_removed)
        if line.removed_incl_tax != worth:
            proof.faults.append(
                f"commande {line.order.number}, {line} : {line.removed_incl_tax} € retirés, ses "
                f"{plain(line.quantity_removed)} pièces valent {worth} €"
            )


def _pieces(status: str) -> dict[int, Decimal]:
    """Pieces by order line on the notes of a state."""
    lines = DeliveryNoteLine.objects.filter(delivery_note__status=status).order_by()
    return dict(lines.values_list("order_line").annotate(pieces=Sum("quantity")))
