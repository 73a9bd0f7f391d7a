"""What invoicing announces upward."""

from django.dispatch import Signal

# invoice_ids: list[int]
invoices_issued = Signal()
