"""What invoicing announces upward."""

from django.dispatch import Signal

# invoice_ids: list[int]
invoices_issued = Signal()
# payment_ids: list[int]
payments_made = Signal()
# Providers' movements taken in, or a payout found at the bank: no payload.
money_moved = Signal()
