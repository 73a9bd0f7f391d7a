"""Tasks of the accounts."""

from collections.abc import Sequence
from typing import Any

from celery import shared_task

from accounting_export.services import post_invoices, post_missing, post_missing_purchases


@shared_task
def post_issued(*, invoice_ids: Sequence[int], **_: Any) -> None:
    """Book documents just issued."""
    post_invoices(invoice_ids=invoice_ids)


@shared_task
def post_missing_entries(**_: Any) -> None:
    """Sweep what a lost message left unbooked."""
    post_missing()
    post_missing_purchases()


@shared_task
def post_purchases(**_: Any) -> None:
    """Book suppliers' invoices just approved or taken back."""
    post_missing_purchases()
