"""What was paid, and given back. Told twice, a payment is one payment."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import DecimalField, Exists, F, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from invoicing.errors import PaymentRefused
from invoicing.events import payments_made
from invoicing.models import Invoice, InvoicedNote, Payment
from invoicing.receivables import FROM_SHOP, open_invoices
from invoicing.services.settling import Used, use_advances
from sales.locks import lock_orders
from sales.models import Order
from sphinx.core.events import announce
from sphinx.core.four_eyes import REFUNDS, ask_for_two
from sphinx.core.money import CENT, ZERO, to_cents
from sphinx.core.sealing import seal_soon
from sphinx.core.services import record


@transaction.atomic
def record_payment(
    *, invoice: Invoice, amount: Decimal, method: str, reference: str, paid_at: datetime
) -> Payment:
    """Record money received (EUR) for an invoice; `reference` makes it unique."""
    payment, _is_new = _once(
        reference,
        order_id=invoice.order_id,
        invoice=invoice,
        amount=amount,
        method=method,
        paid_at=paid_at,
    )
    return payment


def _once(reference: str, **values: Any) -> tuple[Payment, bool]:
    """The payment of that reference; made, and announced, if it isn't known."""
    payment, is_new = Payment.objects.get_or_create(reference=reference, defaults=values)
    if is_new:
        announce(payments_made, payment_ids=[payment.pk])
        seal_soon("payments", "transfers")
    return payment, is_new


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
        BusinessRuleError: it is given back, and a second person must agree.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    lock_orders([invoice.order_id]).get()
    count = invoice.payments.count()
    if not amount:
        raise PaymentRefused(_("Donnez un montant."))
    if amount < 0:
        ask_for_two(REFUNDS, actor)
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


PAID = (Order.PaymentStatus.PAID, Order.PaymentStatus.PARTIALLY_REFUNDED)


def settle_paid_orders(*, at: datetime) -> int:
    """Sweep: what the shop was paid since the invoice was issued, or an order's part of it.

    Returns how many payments were made; twice settles nothing twice.
    """
    due = open_invoices().filter(balance__gt=0)
    settled = 0
    alone = due.filter(is_grouped=False, order__payment_status__in=PAID)
    for invoice in alone.select_related("order").iterator(chunk_size=500):
        settled += _told_by_shop(invoice, invoice.order, invoice.number, invoice.balance, at)
    for invoice in due.filter(is_grouped=True).iterator(chunk_size=500):
        settled += _settle_parts(invoice, at)
    return settled


def _settle_parts(invoice: Any, at: datetime) -> int:
    """The parts of a grouped invoice whose order was paid, each once, up to what is still owed."""
    parts: dict[int, Decimal] = dict(
        InvoicedNote.objects.filter(
            invoice=invoice.pk, delivery_note__order__payment_status__in=PAID
        )
        .order_by()
        .values_list("delivery_note__order")
        .annotate(total=Sum("total_incl_tax"))
    )
    settled, left = 0, to_cents(invoice.balance)
    for order in Order.objects.filter(pk__in=parts).order_by("pk"):
        amount = min(to_cents(parts[order.pk]), left)
        if amount > 0:
            key = f"{invoice.number}:{order.pk}"
            is_new = _told_by_shop(invoice, order, key, amount, at)
            settled, left = settled + is_new, left - amount * is_new
    return settled


def _told_by_shop(invoice: Any, order: Order, key: str, amount: Decimal, at: datetime) -> bool:
    _payment, is_new = _once(
        f"{FROM_SHOP}:{key}",
        order=order,
        invoice_id=invoice.pk,
        amount=to_cents(amount),
        method=order.payment_method,
        paid_at=order.paid_at or at,
    )
    return is_new


def settle_refunds() -> int:
    """Sweep: what shops gave back for orders whose credit notes were established by hand before.

    Returns how many payments were made; twice makes none twice.
    """
    told = (
        Payment.objects.filter(
            order=OuterRef("pk"), amount__lt=0, reference__startswith=f"{FROM_SHOP}:"
        )
        .order_by()
        .values("order")
        .annotate(total=Sum("amount"))
        .values("total")
    )
    money = DecimalField(max_digits=16, decimal_places=2)
    # A credit note on another system's invoice is settled by hand: the shop's sum of refunds
    # says nothing of when.
    ours = Invoice.objects.filter(
        kind=Invoice.Kind.CREDIT_NOTE, credited_invoice__isnull=False, payments=None
    )
    refunded = Order.objects.filter(
        Exists(ours.filter(order=OuterRef("pk"))), refunded_incl_tax__gt=0
    )
    orders = refunded.annotate(
        missing=F("refunded_incl_tax")
        + Coalesce(Subquery(told, output_field=money), Value(ZERO), output_field=money)
    )
    made = 0
    for order in orders.filter(missing__gte=CENT).order_by("pk"):
        left = to_cents(order.missing)
        for note in ours.filter(order=order).order_by("chain_index"):
            part = min(left, note.total_incl_tax)
            if part > 0:
                made += refund_of_credit(note, part, order.paid_at or note.issued_at)
                left -= part
    return made


def refund_of_credit(note: Invoice, amount: Decimal, at: datetime) -> bool:
    """What the shop gave back (EUR, above 0) with a credit note, as a payment below 0."""
    _payment, is_new = _once(
        f"{FROM_SHOP}:{note.number}",
        order_id=note.order_id,
        invoice=note,
        amount=-amount,
        method=note.order.payment_method,
        paid_at=at,
    )
    return is_new


def settle_issued(invoices: Sequence[Invoice], used: Mapping[int, Sequence[Used]]) -> None:
    """What was paid for documents just issued: ahead, and what the shop took with the order.

    `used` is what each takes of advances, by its index. One payment an invoice, in bulk.
    """
    use_advances([(invoice, used.get(n, ())) for n, invoice in enumerate(invoices)])
    shops = {
        i.pk: i.paid_incl_tax - sum((part.amount for part in used.get(n, ())), ZERO)
        for n, i in enumerate(invoices)
    }
    paid = [i for i in invoices if shops[i.pk]]
    orders: dict[int, Order] = {i.order_id: i.order for i in paid}
    Payment.objects.bulk_create(
        (
            Payment(
                order_id=i.order_id,
                invoice=i,
                amount=shops[i.pk],
                method=orders[i.order_id].payment_method,
                reference=f"{FROM_SHOP}:{i.number}",
                paid_at=orders[i.order_id].paid_at or orders[i.order_id].placed_at,
            )
            for i in paid
        ),
        ignore_conflicts=True,
        batch_size=1000,
    )
    seal_soon("payments", "transfers")
