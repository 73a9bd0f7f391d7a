"""What purchasing announces."""

from django.dispatch import Signal

# order_id: int
order_to_mail = Signal()
# invoice_id: int
supplier_invoice_approved = Signal()
# invoice_id: int
supplier_invoice_cancelled = Signal()
# payment_id: int; noted or taken back
supplier_paid = Signal()
