"""What was paid, and given back. Told twice, a payment is one payment."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.errors import PaymentRefused
from invoicing.models import Invoice, Payment
from invoicing.receivables import open_invoices
from sales.locks import lock_orders
from sales.models import Order
from sphinx.core.money import to_cents
from sphinx.core.services import record


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


@transaction.atomic
def enter_payment(
    *,
    invoice_id: int,
    amount: Decimal,
    method: str,
    paid_at: datetime,
    reference: str = "",
    after_payments: int | None = None,
    actor: Any = None,
) -> Payment:
    """Record by hand what a customer paid for an invoice (EUR), or was given back (below 0).

    More or less than is owed is what it is: the balance tells. `after_payments` is how many
    payments the invoice had when somebody looked: the same form sent twice counts once.

    Raises:
        PaymentRefused: no amount, a reference that another payment has, or a form sent twice.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    lock_orders([invoice.order_id]).get()
    count = invoice.payments.count()
    if not amount:
        raise PaymentRefused(_("Donnez un montant."))
    if after_payments is not None and count != after_payments:
        raise PaymentRefused(
            _("Un règlement de %s vient d'être noté : relisez ce qui reste.") % invoice
        )
    key = reference.strip()[:80] or f"main:{invoice.number}:{count + 1}"
    if Payment.objects.filter(reference=key).exists():
        raise PaymentRefused(_("Le règlement « %s » est déjà noté.") % key)
    made = record_payment(
        invoice=invoice, amount=amount, method=method[:80], reference=key, paid_at=paid_at
    )
    record("payment.entered", [invoice], actor=actor, amount=str(amount), reference=key)
    return made


def settle_paid_orders(*, at: datetime) -> int:
    """Sweep: invoices issued unpaid whose order the shop has been paid for since.

    Returns how many were settled; twice settles nothing twice.
    """
    due = open_invoices().filter(
        balance__gt=0,
        order__payment_status__in=(
            Order.PaymentStatus.PAID,
            Order.PaymentStatus.PARTIALLY_REFUNDED,
        ),
    )
    settled = 0
    for invoice in due.select_related("order").iterator(chunk_size=500):
        order = invoice.order
        _payment, is_new = Payment.objects.get_or_create(
            reference=f"shop:{invoice.number}",
            defaults={
                "order": order,
                "invoice_id": invoice.pk,
                "amount": to_cents(invoice.balance),
                "method": order.payment_method,
                "paid_at": order.paid_at or at,
            },
        )
        settled += is_new
    return settled


def refund_of_credit(note: Invoice, at: datetime) -> None:
    """What the shop gave back with a credit note, as a payment below 0."""
    Payment.objects.get_or_create(
        reference=f"shop:{note.number}",
        defaults={
            "order_id": note.order_id,
            "invoice": note,
            "amount": -note.total_incl_tax,
            "method": note.order.payment_method,
            "paid_at": at,
        },
    )


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
