"""Parcels: checked against their note, handed to the carrier, followed, told to the customer."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from sales.errors import PackedOtherwise
from sales.locks import lock_notes
from sales.models import DeliveryNote
from sales.picking import pieces_of
from sales.services.deliveries import ship_delivery_note
from sphinx.core import clock
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.mailing import firm_message, mail_once
from sphinx.core.money import plain
from sphinx.core.services import record
from sphinx.core.tables import TableRow, read_table
from sphinx.core.texts import fold

Status = DeliveryNote.Status
# Where customers follow their parcels, by the carrier's name.
TRACKING_PAGES = {
    "colissimo": "https://www.laposte.fr/outils/suivre-vos-envois?code=",
    "la poste": "https://www.laposte.fr/outils/suivre-vos-envois?code=",
    "chronopost": "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT=",
    "mondial relay": "https://www.mondialrelay.fr/suivi-de-colis/?NumeroExpedition=",
    "dpd": "https://trace.dpd.fr/fr/trace/",
    "ups": "https://www.ups.com/track?tracknum=",
    "gls": "https://gls-group.com/FR/fr/suivi-colis/?match=",
}
CARRIERS = ("Colissimo", "Chronopost", "Mondial Relay", "DPD", "GLS", "UPS", "La Poste")
# An e-mail later than that helps nobody.
MAIL_WITHIN = timedelta(days=1)
_REFERENCE = re.compile(
    r"^(reference|ref)( (client|expediteur|commande|destinataire|interne))?$|commande|order"
    r"|^bl$|bon de livraison|delivery note"
)
_TRACKING = re.compile(r"suivi|tracking|colis|parcel|barcode|code barre|expedition|awb")


def tracking_url(note: DeliveryNote) -> str:
    """Where the parcel is followed; blank when the carrier is unknown or gave no number."""
    page = TRACKING_PAGES.get(fold(note.carrier), "")
    return f"{page}{note.tracking_number}" if page and note.tracking_number else ""


def ship_parcel(
    *,
    note_id: int,
    packed: Mapping[int, Decimal] | None,
    at: datetime,
    carrier: str = "",
    tracking_number: str = "",
    serials: Sequence[str] = (),
    actor: Any = None,
) -> DeliveryNote:
    """Ship a note whose parcel was checked: product id → pieces packed; None ships unchecked.

    Raises:
        PackedOtherwise: something is missing from the parcel, or too much is in it.
        NoteNotDraft, NotEnoughStock, SerialRefused: it can't be shipped.
    """
    if packed is not None:
        _check_parcel(note_id, packed)
    note = ship_delivery_note(
        note_id=note_id,
        at=at,
        carrier=carrier,
        tracking_number=tracking_number,
        serials=serials,
        actor=actor,
    )
    if packed is not None:
        record("delivery_note.checked", [note], actor=actor)
    return note


def _check_parcel(note_id: int, packed: Mapping[int, Decimal]) -> None:
    wrong = [
        _("%(sku)s : %(wanted)s sur le bon, %(packed)s dans le colis")
        % {
            "sku": piece.product.sku,
            "wanted": plain(piece.quantity),
            "packed": plain(packed.get(piece.product.pk, Decimal(0))),
        }
        for piece in pieces_of([note_id])
        if packed.get(piece.product.pk, Decimal(0)) != piece.quantity
    ]
    if wrong:
        raise PackedOtherwise(_("Le colis n'est pas le bon : %s.") % " ; ".join(wrong))


@transaction.atomic
def set_tracking(
    *, note_id: int, carrier: str, tracking_number: str, actor: Any = None
) -> DeliveryNote:
    """Note carrier and number of a parcel, before or after it left."""
    note = lock_notes([note_id]).get()
    note.carrier, note.tracking_number = carrier.strip()[:60], tracking_number.strip()[:60]
    note.save(update_fields=["carrier", "tracking_number"])
    record("delivery_note.tracked", [note], actor=actor, tracking_number=note.tracking_number)
    return note


class Tracked(NamedTuple):
    """What a carrier's file did: notes with a number, those it shipped, rows that name none."""

    noted: int
    shipped: int
    faults: list[str]


def import_tracking(
    *, name: str, data: bytes, carrier: str, ships: bool, at: datetime, actor: Any = None
) -> Tracked:
    """Read tracking numbers from the carrier's file (CSV or Excel): delivery note or order, number.

    A draft is shipped when asked for. The same file again changes nothing.

    Raises:
        InputError: the file is no table, or its columns aren't recognised.
    """
    rows = list(read_table(name, data))
    header, reference, number = _columns(name, rows)
    noted = shipped = 0
    faults = []
    for row in rows[header + 1 :]:
        cells = [*row.cells, *[""] * (max(reference, number) + 1 - len(row.cells))]
        if not cells[reference]:
            continue
        if not cells[number]:
            # A line of totals names no parcel of ours: nothing to say of it.
            if _is_known(cells[reference]):
                faults.append(
                    _("Ligne %(line)s : pas de n° de suivi pour « %(reference)s ».")
                    % {"line": row.line, "reference": cells[reference][:40]}
                )
            continue
        try:
            note = _note_of(cells[reference], row.line)
            was_draft = note.status == Status.DRAFT
            if was_draft and ships:
                ship_parcel(
                    note_id=note.pk,
                    packed=None,
                    at=at,
                    carrier=carrier,
                    tracking_number=cells[number],
                    actor=actor,
                )
                shipped += 1
            elif note.tracking_number != cells[number]:
                set_tracking(
                    note_id=note.pk, carrier=carrier, tracking_number=cells[number], actor=actor
                )
            else:
                continue
            noted += 1
        except SphinxError as error:
            faults.append(error.message)
    return Tracked(noted, shipped, faults)


def _columns(name: str, rows: list[TableRow]) -> tuple[int, int, int]:
    """The header's rank, and the places of reference and number."""
    for rank, row in enumerate(rows[:20]):
        names = [fold(cell) for cell in row.cells]
        reference = next((n for n, text in enumerate(names) if _REFERENCE.search(text)), None)
        number = next(
            (n for n, text in enumerate(names) if _TRACKING.search(text) and n != reference), None
        )
        if reference is not None and number is not None:
            return rank, reference, number
    raise InputError(
        _(
            "%s : il faut une colonne de référence (commande ou bon de livraison) et une de "
            "n° de suivi."
        )
        % name,
        code="tracking.columns",
    )


def _is_known(reference: str) -> bool:
    return DeliveryNote.objects.filter(Q(number=reference) | Q(order__number=reference)).exists()


def _note_of(reference: str, line: int) -> DeliveryNote:
    """The note of that number, else the only one of that order that is open or last left.

    Raises:
        InputError: nobody knows the reference, or orders of several shops have it.
    """
    note = DeliveryNote.objects.filter(number=reference).first()
    if note is None:
        notes = DeliveryNote.objects.filter(order__number=reference).exclude(
            status=Status.CANCELLED
        )
        if len(set(notes.values_list("order_id", flat=True))) > 1:
            raise InputError(
                _(
                    "Ligne %(line)s : plusieurs commandes portent le n° « %(reference)s » ; "
                    "donnez le n° du bon de livraison."
                )
                % {"line": line, "reference": reference[:40]},
                line=line,
            )
        note = notes.filter(status=Status.DRAFT).first() or notes.first()
    if note is None or note.status == Status.CANCELLED:
        raise InputError(
            _("Ligne %(line)s : aucun bon de livraison ni commande « %(reference)s ».")
            % {"line": line, "reference": reference[:40]},
            line=line,
        )
    return note


def notes_to_mail() -> list[int]:
    """Shipped notes of shops that tell their customers, not told yet."""
    return list(
        DeliveryNote.objects.filter(
            status=Status.SHIPPED,
            mailed_at=None,
            shipped_at__gte=clock.now() - MAIL_WITHIN,
            order__shop__mails_shipments=True,
        )
        .exclude(order__customer__email="")
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def mail_shipment(*, note_id: int, at: datetime) -> bool:
    """Tell the customer that a parcel has left, once; True when this call did."""
    row = DeliveryNote.objects.filter(pk=note_id)
    sent = mail_once(
        row, may=row.filter(status=Status.SHIPPED), at=at, message=lambda: _message(row)
    )
    if sent:
        note = row.select_related("order__customer").get()
        record("delivery_note.mailed", [note], to=note.order.customer.email)
    return sent


def _message(row: QuerySet[DeliveryNote]) -> EmailMessage:
    note = row.select_related("order__customer", "order__shop").get()
    order = note.order
    url = tracking_url(note)
    # Customers are written to in French, whoever sends it.
    with translation.override(settings.LANGUAGE_CODE):
        lines = [
            _("Bonjour,"),
            _("Votre commande %(number)s de %(shop)s est partie.")
            % {"number": order.number, "shop": order.shop.name},
        ]
        if note.carrier:
            lines.append(
                _("Transporteur : %(carrier)s %(number)s")
                % {"carrier": note.carrier, "number": note.tracking_number}
            )
        if url:
            lines.append(_("Suivre le colis : %s") % url)
        subject = _("Votre commande %s est partie") % order.number
    return firm_message(subject, lines, order.customer.email)
