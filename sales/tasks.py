"""Tasks of sales."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from sales.services import (
    forget_inactive,
    mail_quote,
    mail_shipment,
    notes_to_mail,
    quotes_to_mail,
    ship_as_shops_did,
)
from sphinx.core import clock


@shared_task(label=_("Prévenir un client du départ"))
def mail_parcel(*, note_id: int, **_extra: Any) -> None:
    """Tell a customer that the parcel has left."""
    mail_shipment(note_id=note_id, at=clock.now())


@shared_task(label=_("Prévenir les clients des départs"))
def mail_parcels(**_extra: Any) -> None:
    """Sweep: customers who haven't been told yet."""
    for note_id in notes_to_mail():
        mail_parcel.delay(note_id=note_id)


@shared_task(label=_("Constater ce que les boutiques expédient"))
def note_shipments(*, order_ids: list[int] | None = None, **_extra: Any) -> None:
    """Delivery notes of what shops shipped themselves, of some orders or of all (a sweep)."""
    ship_as_shops_did(at=clock.now(), order_ids=order_ids)


@shared_task(label=_("Envoyer un devis"))
def mail_one_quote(*, quote_id: int, **_extra: Any) -> None:
    """Send a quote to its customer."""
    mail_quote(quote_id=quote_id, at=clock.now())


@shared_task(label=_("Envoyer les devis en attente"))
def mail_quotes(**_extra: Any) -> None:
    """Sweep: quotes whose e-mail was asked for and never left."""
    for quote_id in quotes_to_mail(clock.now()):
        mail_one_quote.delay(quote_id=quote_id)


@shared_task(label=_("Oublier les clients sans commande depuis longtemps"))
def forget_inactive_customers(**_extra: Any) -> None:
    """End the retention of customers' data, where the firm says when."""
    forget_inactive(on=clock.today())
