"""An issued document is booked at once; the sweep finds what gets lost."""

from typing import Any

from django.dispatch import receiver

from accounting_export.tasks import post_issued
from invoicing.events import invoices_issued


@receiver(invoices_issued)
def enqueue_posting(sender: Any, invoice_ids: list[int], **_: Any) -> None:
    post_issued.delay(invoice_ids=invoice_ids)
