"""Tasks of the accounts."""

from collections.abc import Sequence
from typing import Any

from celery import shared_task

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


@shared_task
def post_issued(*, invoice_ids: Sequence[int], **_: Any) -> None:
    """Book documents just issued, and what was paid for them already."""
    post_invoices(invoice_ids=invoice_ids)
    post_payments(payment_ids=payments_of(invoice_ids))


@shared_task
def post_paid(*, payment_ids: Sequence[int], **_: Any) -> None:
    """Book payments just noted."""
    post_payments(payment_ids=payment_ids)


@shared_task
def post_movements(**_: Any) -> None:
    """Book what providers kept and paid out, and what of it is at the bank."""
    post_payouts()
    post_arrivals()


@shared_task
def post_missing_entries(**_: Any) -> None:
    """Sweep what a lost message left unbooked."""
    post_missing()
    post_missing_purchases()
    letter_all()


@shared_task
def post_purchases(**_: Any) -> None:
    """Book suppliers' invoices just approved or taken back."""
    post_missing_purchases()


@shared_task
def make_pieces_archive(*, archive_id: int, **_: Any) -> None:
    """Pack the PDFs of a batch."""
    make_pieces(archive_id=archive_id)


@shared_task
def send_to_accountant(**_: Any) -> None:
    """Hand over what is new on its day, and send what waits."""
    send_due(at=clock.now())


@shared_task
def send_batches(**_: Any) -> None:
    """Send what waits."""
    send_waiting(at=clock.now())
