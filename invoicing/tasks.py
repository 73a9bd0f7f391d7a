"""Tasks of invoicing: each finds by itself what is to be done, and may run twice."""

from smtplib import SMTPException
from typing import Any

import structlog
from celery import shared_task

from invoicing.errors import NothingToRemind, PlatformNotReady
from invoicing.selectors import invoices_without_pdf
from invoicing.services import (
    close_periods,
    credit_refunds,
    issue_shipped,
    reminders_due,
    render_pdfs,
    send_reminder,
    settle_paid_orders,
    settle_refunds,
    sync_platform,
)
from sphinx.core import clock
from sphinx.core.errors import TransientError

log = structlog.get_logger(__name__)


@shared_task
def invoice_shipped_notes(**_: Any) -> None:
    """Invoice what has shipped, credit what was refunded, print what is missing."""
    refused = issue_shipped(at=clock.now()).refused
    credit_refunds(at=clock.now())
    settle_paid_orders(at=clock.now())
    settle_refunds()
    render_pdfs(invoices_without_pdf().values_list("pk", flat=True))
    for error in refused:
        log.warning("invoice.refused", order=error.context["order"], reason=error.message)


@shared_task(autoretry_for=(TransientError,), retry_backoff=60, retry_jitter=True, max_retries=3)
def exchange_with_platform(**_: Any) -> None:
    """Hand e-invoices and reports over, read states; nothing where no platform is in use."""
    try:
        sync_platform(at=clock.now())
    except PlatformNotReady as error:
        log.info("platform.not_ready", reason=error.message)


@shared_task
def close_books(**_: Any) -> None:
    """Close the days, months and years that have ended."""
    close_periods(at=clock.now())


@shared_task(
    autoretry_for=(OSError, SMTPException), retry_backoff=30, retry_jitter=True, max_retries=5
)
def remind(*, invoice_id: int, **_: Any) -> None:
    """Send an invoice's next reminder; one paid or reminded meanwhile needs none."""
    try:
        send_reminder(invoice_id=invoice_id, at=clock.now())
    except NothingToRemind:
        log.info("reminder.needless", invoice_id=invoice_id)


@shared_task
def remind_overdue(**_: Any) -> None:
    """Remind what is overdue, where the firm wants it."""
    for invoice_id in reminders_due(on=clock.today()):
        remind.delay(invoice_id=invoice_id)
