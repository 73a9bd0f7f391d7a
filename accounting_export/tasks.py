"""Tasks of the accounts."""

from collections.abc import Sequence
from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from accounting_export.selectors import payments_of
from accounting_export.services import (
    letter_all,
    make_pieces,
    post_arrivals,
    post_invoices,
    post_missing,
    post_missing_purchases,
    post_payments,
    post_payouts,
    send_due,
    send_waiting,
)
from sphinx.core import clock


@shared_task(label=_("Passer les écritures de factures"))
def post_issued(*, invoice_ids: Sequence[int], **_extra: Any) -> None:
    """Book documents just issued, and what was paid for them already."""
    post_invoices(invoice_ids=invoice_ids)
    post_payments(payment_ids=payments_of(invoice_ids))


@shared_task(label=_("Passer les écritures de règlements"))
def post_paid(*, payment_ids: Sequence[int], **_extra: Any) -> None:
    """Book payments just noted."""
    post_payments(payment_ids=payment_ids)


@shared_task(label=_("Passer les virements des prestataires"))
def post_movements(**_extra: Any) -> None:
    """Book what providers kept and paid out, and what of it is at the bank."""
    post_payouts()
    post_arrivals()


@shared_task(label=_("Passer les écritures qui manquent"))
def post_missing_entries(**_extra: Any) -> None:
    """Sweep what a lost message left unbooked."""
    post_missing()
    post_missing_purchases()
    letter_all()


@shared_task(label=_("Passer les factures fournisseurs"))
def post_purchases(**_extra: Any) -> None:
    """Book suppliers' invoices just approved or taken back."""
    post_missing_purchases()


@shared_task(label=_("Réunir les pièces d'un lot"))
def make_pieces_archive(*, archive_id: int, **_extra: Any) -> None:
    """Pack the PDFs of a batch."""
    make_pieces(archive_id=archive_id)


@shared_task(label=_("Envoyer au comptable ce qui est dû"))
def send_to_accountant(**_extra: Any) -> None:
    """Hand over what is new on its day, and send what waits."""
    send_due(at=clock.now())


@shared_task(label=_("Envoyer au comptable ce qui attend"))
def send_batches(**_extra: Any) -> None:
    """Send what waits."""
    send_waiting(at=clock.now())
