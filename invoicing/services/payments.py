"""What was paid. Told twice, a payment is one payment."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from invoicing.models import Invoice, Payment
from sales.models import Order


@transaction.atomic
def record_payment(
    *, invoice: Invoice, amount: Decimal, method: str, reference: str, paid_at: datetime
) -> Payment:
    """Record money received (EUR) for an invoice; `reference` makes it unique."""
    return Payment.objects.get_or_create(
        reference=reference,
        defaults={
            "order_id": invoice.order_id,
            "invoice": invoice,
            "amount": amount,
            "method": method,
            "paid_at": paid_at,
        },
    )[0]


def payments_of_paid_orders(invoices: Sequence[Invoice]) -> None:
    """What the shop took with the order settles the invoice: one payment an invoice, in bulk."""
    paid = [i for i in invoices if i.paid_incl_tax]
    orders: dict[int, Order] = {i.order_id: i.order for i in paid}
    Payment.objects.bulk_create(
        (
            Payment(
                order_id=i.order_id,
                invoice=i,
                amount=i.paid_incl_tax,
                method=orders[i.order_id].payment_method,
                reference=f"shop:{i.number}",
                paid_at=orders[i.order_id].paid_at or orders[i.order_id].placed_at,
            )
            for i in paid
        ),
        ignore_conflicts=True,
        batch_size=1000,
    )
