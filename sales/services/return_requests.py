"""Announced returns (RMA): expected, counted when the parcel comes, examined, then in stock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sales.errors import ReturnRefused, TooManyReturned
from sales.locks import lock_notes
from sales.models import DeliveryNote, ReturnRequest, ReturnRequestLine
from sales.selectors import returnable
from sales.services.returns import Back, return_goods
from sphinx.core.clock import business_date
from sphinx.core.money import plain
from sphinx.core.services import allocate_number, record

Status = ReturnRequest.Status


@transaction.atomic
def announce_return(
    *,
    note_id: int,
    quantities: Mapping[int, Decimal],
    at: datetime,
    reason: str = "",
    actor: Any = None,
) -> ReturnRequest:
    """Note what a customer will send back: line of the note → pieces.

    Raises:
        TooManyReturned: nothing, or more than left and isn't already back or announced.
    """
    note = lock_notes([note_id]).get()
    wanted = {pk: pieces for pk, pieces in quantities.items() if pieces > 0}
    if note.status != DeliveryNote.Status.SHIPPED or not wanted:
        raise TooManyReturned(_("Dites combien de pièces d'un bon expédié reviennent."))
    left = returnable(note)
    for pk, pieces in wanted.items():
        if pieces > left.get(pk, Decimal(0)):
            raise TooManyReturned(
                _("Bon %(number)s : il ne reste que %(left)s pièces à faire revenir.")
                % {"number": note.number, "left": plain(left.get(pk, Decimal(0)))}
            )
    made = ReturnRequest.objects.create(
        number=allocate_number(series="RM", on=business_date(at)),
        delivery_note=note,
        reason=reason.strip()[:200],
        announced_at=at,
    )
    ReturnRequestLine.objects.bulk_create(
        ReturnRequestLine(request=made, note_line_id=pk, quantity=pieces)
        for pk, pieces in sorted(wanted.items())
    )
    record("return.announced", [made], actor=actor, delivery_note=note.number)
    return made


@transaction.atomic
def receive_return(
    *, request_id: int, quantities: Mapping[int, Decimal], at: datetime, actor: Any = None
) -> ReturnRequest:
    """Count what came in the parcel: line of the request → pieces. Nothing is in stock yet.

    More than was announced is refused: what the customer added is announced first.

    Raises:
        ReturnRefused: it isn't expected any more, or the count is empty or too high.
    """
    request = _locked(request_id, Status.ANNOUNCED)
    lines = list(request.lines.select_related("note_line__order_line"))
    for line in lines:
        line.quantity_received = quantities.get(line.pk, Decimal(0))
        if line.quantity_received > line.quantity:
            raise ReturnRefused(
                _("%(label)s : %(pieces)s pièces annoncées, %(more)s comptées. Annoncez le reste.")
                % {
                    "label": line.note_line.order_line.label,
                    "pieces": plain(line.quantity),
                    "more": plain(line.quantity_received),
                }
            )
    if not any(line.quantity_received for line in lines):
        raise ReturnRefused(_("Comptez au moins une pièce, ou abandonnez le retour."))
    ReturnRequestLine.objects.bulk_update(lines, ["quantity_received"])
    request.status, request.received_at = Status.RECEIVED, at
    request.save(update_fields=["status", "received_at"])
    record("return.received", [request], actor=actor)
    return request


@transaction.atomic
def examine_return(
    *,
    request_id: int,
    accepted: Sequence[Back],
    at: datetime,
    verdict: str = "",
    actor: Any = None,
) -> ReturnRequest:
    """Say what of a counted parcel goes back to the shelf or to scrap; the rest is the customer's.

    Stock rises here, and only here. Nothing accepted is a verdict too.

    Raises:
        ReturnRefused: it isn't waiting for this, or more is accepted than was counted.
    """
    found = ReturnRequest.objects.get(pk=request_id)
    wanted = [back for back in accepted if back.quantity > 0]
    goods_return = None
    if wanted:
        # First, for the order of locks: the shelves, then the note; the request comes last.
        goods_return = return_goods(
            note_id=found.delivery_note_id,
            back=wanted,
            at=at,
            reason=verdict.strip() or found.reason,
            actor=actor,
        )
    request = _locked(request_id, Status.RECEIVED)
    left = {line.note_line_id: line.quantity_received or Decimal(0) for line in request.lines.all()}
    for back in wanted:
        left[back.note_line_id] = left.get(back.note_line_id, Decimal(0)) - back.quantity
        if left[back.note_line_id] < 0:
            raise ReturnRefused(
                _("Retour %s : plus de pièces acceptées que de pièces comptées.") % request.number
            )
    request.status, request.examined_at = Status.EXAMINED, at
    request.verdict, request.goods_return = verdict.strip()[:200], goods_return
    request.save(update_fields=["status", "examined_at", "verdict", "goods_return"])
    record("return.examined", [request], actor=actor)
    return request


@transaction.atomic
def abandon_return(*, request_id: int, actor: Any = None) -> ReturnRequest:
    """The parcel never came, or the customer keeps the goods.

    Raises:
        ReturnRefused: it has come already.
    """
    request = _locked(request_id, Status.ANNOUNCED)
    request.status = Status.CANCELLED
    request.save(update_fields=["status"])
    record("return.abandoned", [request], actor=actor)
    return request


def _locked(request_id: int, status: str) -> ReturnRequest:
    """The request, locked, in the state that the step begins with.

    Raises:
        ReturnRefused: somebody was first.
    """
    request = ReturnRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.status != status:
        raise ReturnRefused(
            _("Le retour %(number)s est déjà « %(status)s ».")
            % {"number": request.number, "status": request.get_status_display()}
        )
    return request
