"""Tasks of invoicing: each finds by itself what is to be done, and may run twice."""

from typing import Any

from celery import shared_task

from invoicing.selectors import invoices_without_pdf, notes_to_invoice
from invoicing.services import credit_refunds, issue_invoices, render_pdfs
from sphinx.core import clock

_BATCH = 200


@shared_task
def invoice_shipped_notes(**_: Any) -> None:
    """Invoice what has shipped, credit what was refunded, print what is missing."""
    while note_ids := list(notes_to_invoice().values_list("pk", flat=True)[:_BATCH]):
        issue_invoices(note_ids=note_ids, at=clock.now())
    credit_refunds(at=clock.now())
    render_pdfs(invoices_without_pdf().values_list("pk", flat=True))
