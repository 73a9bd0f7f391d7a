"""An issued document is booked at once; the sweep finds what gets lost. None is issued that the
books have no account for (bookable.py)."""

from typing import Any

from django.dispatch import receiver

from accounting_export import bookable  # noqa: F401 (registers its check)
from accounting_export.tasks import post_issued, post_movements, post_paid, post_purchases
from invoicing.events import invoices_issued, money_moved, payments_made
from purchasing.events import supplier_invoice_approved, supplier_invoice_cancelled, supplier_paid


@receiver(invoices_issued)
def enqueue_posting(sender: Any, invoice_ids: list[int], **_: Any) -> None:
    post_issued.delay(invoice_ids=invoice_ids)


@receiver(payments_made)
def enqueue_payments(sender: Any, payment_ids: list[int], **_: Any) -> None:
    post_paid.delay(payment_ids=payment_ids)


@receiver(money_moved)
def enqueue_movements(sender: Any, **_: Any) -> None:
    post_movements.delay()


@receiver([supplier_invoice_approved, supplier_invoice_cancelled, supplier_paid])
def enqueue_purchases(sender: Any, **_: Any) -> None:
    post_purchases.delay()
