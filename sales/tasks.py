"""Tasks of sales."""

from smtplib import SMTPException
from typing import Any

from celery import shared_task

from sales.services import mail_quote, mail_shipment, notes_to_mail, quotes_to_mail
from sphinx.core import clock

_mail_task = shared_task(
    autoretry_for=(OSError, SMTPException), retry_backoff=30, retry_jitter=True, max_retries=5
)


@_mail_task
def mail_parcel(*, note_id: int, **_: Any) -> None:
    """Tell a customer that the parcel has left."""
    mail_shipment(note_id=note_id, at=clock.now())


@shared_task
def mail_parcels(**_: Any) -> None:
    """Sweep: customers who haven't been told yet."""
    for note_id in notes_to_mail():
        mail_parcel.delay(note_id=note_id)


@_mail_task
def mail_one_quote(*, quote_id: int, **_: Any) -> None:
    """Send a quote to its customer."""
    mail_quote(quote_id=quote_id, at=clock.now())


@shared_task
def mail_quotes(**_: Any) -> None:
    """Sweep: quotes whose e-mail was asked for and never left."""
    for quote_id in quotes_to_mail(clock.now()):
        mail_one_quote.delay(quote_id=quote_id)
