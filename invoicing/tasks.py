"""Tasks of invoicing: each finds by itself what is to be done, and may run twice."""

from typing import Any

import structlog
from celery import shared_task

from invoicing.selectors import invoices_without_pdf
from invoicing.services import close_periods, credit_refunds, issue_shipped, render_pdfs
from sphinx.core import clock

log = structlog.get_logger(__name__)


@shared_task
def invoice_shipped_notes(**_: Any) -> None:
    """Invoice what has shipped, credit what was refunded, print what is missing."""
    refused = issue_shipped(at=clock.now()).refused
    credit_refunds(at=clock.now())
    render_pdfs(invoices_without_pdf().values_list("pk", flat=True))
    for error in refused:
        log.warning("invoice.refused", order=error.context["order"], reason=error.message)


@shared_task
def close_books(**_: Any) -> None:
    """Close the days, months and years that have ended."""
    close_periods(at=clock.now())
