"""An issued document is booked at once; the sweep finds what gets lost."""

from typing import Any

from django.dispatch import receiver

from accounting_export.tasks import post_issued, post_purchases
from invoicing.events import invoices_issued
from purchasing.events import supplier_invoice_approved, supplier_invoice_cancelled


@receiver(invoices_issued)
def enqueue_posting(sender: Any, invoice_ids: list[int], **_: Any) -> None:
    post_issued.delay(invoice_ids=invoice_ids)


@receiver([supplier_invoice_approved, supplier_invoice_cancelled])
def enqueue_purchases(sender: Any, **_: Any) -> None:
    post_purchases.delay()
