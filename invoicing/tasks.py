"""Tasks of invoicing: each finds by itself what is to be done, and may run twice."""

from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task
from django.utils.translation import gettext_lazy as _

from invoicing.errors import NothingToRemind, PlatformNotReady
from invoicing.selectors import invoices_without_pdf
from invoicing.services import (
    close_periods,
    confirm_paid_ahead,
    credit_refunds,
    issue_shipped,
    link_movements,
    reminders_due,
    render_pdfs,
    send_reminder,
    settle_paid_orders,
    settle_refunds,
    sync_platform,
)
from sphinx.core import clock

# A movement that came before its order waits so long for it.
MOVEMENTS_WAIT = timedelta(days=366)
log = structlog.get_logger(__name__)


@shared_task(label=_("Facturer ce qui est parti"))
def invoice_shipped_notes(**_extra: Any) -> None:
    """Invoice what has shipped, credit what was refunded, print what is missing."""
    confirm_paid_ahead()
    refused = issue_shipped(at=clock.now()).refused
    credit_refunds(at=clock.now())
    settle_paid_orders(at=clock.now())
    settle_refunds()
    link_movements(since=clock.today() - MOVEMENTS_WAIT)
    render_pdfs(invoices_without_pdf().values_list("pk", flat=True))
    for error in refused:
        log.warning("invoice.refused", order=error.context["order"], reason=error.message)


@shared_task(label=_("Imprimer les factures"))
def print_invoices(**_extra: Any) -> None:
    """Print the documents that have no PDF yet."""
    render_pdfs(invoices_without_pdf().values_list("pk", flat=True))


@shared_task(label=_("Échanger avec la plateforme"))
def exchange_with_platform(**_extra: Any) -> None:
    """Hand e-invoices and reports over, read states; nothing where no platform is in use."""
    try:
        sync_platform(at=clock.now())
    except PlatformNotReady as error:
        log.info("platform.not_ready", reason=error.message)


@shared_task(label=_("Clôturer jours, mois et années"))
def close_books(**_extra: Any) -> None:
    """Close the days, months and years that have ended."""
    close_periods(at=clock.now())


@shared_task(label=_("Relancer une facture"))
def remind(*, invoice_id: int, **_extra: Any) -> None:
    """Send an invoice's next reminder; one paid or reminded meanwhile needs none."""
    try:
        send_reminder(invoice_id=invoice_id, at=clock.now())
    except NothingToRemind:
        log.info("reminder.needless", invoice_id=invoice_id)


@shared_task(label=_("Relancer les impayés"))
def remind_overdue(**_extra: Any) -> None:
    """Remind what is overdue, where the firm wants it."""
    for invoice_id in reminders_due(on=clock.today()):
        remind.delay(invoice_id=invoice_id)
