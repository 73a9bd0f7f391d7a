"""Goods that customers send back: to the shelf at the cost they left with, or to scrap."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.services import Returned, lock_places_of_return, return_stock
from sales.errors import TooManyReturned
from sales.locks import lock_notes
from sales.models import DeliveryNote, DeliveryNoteLine, GoodsReturn, GoodsReturnLine
from sales.services.deliveries import ORIGIN
from sphinx.core.clock import business_date
from sphinx.core.services import allocate_number, record


class Back(NamedTuple):
    """Pieces of one delivery note line that are back; scrap doesn't return to the shelf.

    `serials` are the serial numbers of those that have one.
    """

    note_line_id: int
    quantity: Decimal
    is_scrap: bool = False
    serials: Sequence[str] = ()


@transaction.atomic
def return_goods(
    *,
    note_id: int,
    back: Sequence[Back],
    at: datetime,
    reason: str = "",
    after_returns: int | None = None,
    actor: Any = None,
) -> GoodsReturn:
    """Take back goods of a shipped delivery note; stock rises, who waits is served.

    The customer's money is another matter: a credit note, from the shop's refund or by hand.
    `after_returns` is how many returns the note had when somebody looked: the same form sent
    twice is one return.

    Raises:
        TooManyReturned: more comes back than left, nothing does, or nothing has left yet.
        SerialRefused: which pieces are back isn't said, or one that is said isn't out.
    """
    note = DeliveryNote.objects.get(pk=note_id)
    lock_places_of_return(left_as=ORIGIN, origin_number=note.number)
    note = lock_notes([note_id]).get()
    if after_returns is not None and note.returns.count() != after_returns:
        raise TooManyReturned(
            _("Un retour sur %(number)s vient d'être enregistré : relisez ce qui est revenu.")
            % {"number": note.number}
        )
    wanted = [b for b in back if b.quantity > 0]
    lines = {
        line.pk: line
        for line in note.lines.select_related("order_line").filter(
            pk__in=[b.note_line_id for b in wanted]
        )
    }
    _check(note, wanted, lines)
    number = allocate_number(series="RC", on=business_date(at))
    found = GoodsReturn.objects.create(
        number=number, delivery_note=note, returned_at=at, reason=reason.strip()[:200]
    )
    returns = []
    for item in wanted:
        line = lines[item.note_line_id]
        returns.append(
            Returned(
                note.number,
                line.order_line.position,
                item.quantity,
                line.quantity,
                line.quantity_returned,
                item.is_scrap,
                item.serials,
            )
        )
        line.quantity_returned += item.quantity
    return_stock(returns=returns, left_as=ORIGIN, number=number, at=at, actor=actor)
    GoodsReturnLine.objects.bulk_create(
        GoodsReturnLine(
            goods_return=found,
            note_line=lines[item.note_line_id],
            quantity=item.quantity,
            is_scrap=item.is_scrap,
        )
        for item in wanted
    )
    DeliveryNoteLine.objects.bulk_update(lines.values(), ["quantity_returned"])
    record("goods.returned", [found], actor=actor, delivery_note=note.number)
    return found


def _check(note: DeliveryNote, wanted: Sequence[Back], lines: dict[int, DeliveryNoteLine]) -> None:
    if note.status != DeliveryNote.Status.SHIPPED:
        raise TooManyReturned(
            _("Le bon de livraison %(number)s n'est pas expédié : rien ne peut en revenir.")
            % {"number": note.number}
        )
    if not wanted:
        raise TooManyReturned(_("Dites combien de pièces sont revenues."))
    left = {pk: line.quantity - line.quantity_returned for pk, line in lines.items()}
    for item in wanted:
        left[item.note_line_id] = left.get(item.note_line_id, Decimal(0)) - item.quantity
        if left[item.note_line_id] < 0:
            raise TooManyReturned(
                _("Bon %(number)s : il revient plus de pièces qu'il n'en est parti.")
                % {"number": note.number}
            )
