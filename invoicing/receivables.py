"""What customers owe: each invoice less its credit notes and what was paid, by how late it is."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    DecimalField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from customers.models import Customer
from invoicing.models import Invoice, InvoicedNote, Payment
from invoicing.selectors import OF_ELSEWHERE
from sales.models import Order
from sphinx.core.clock import business_date
from sphinx.core.money import NOTHING, ZERO, to_cents

# What begins the reference of a payment that the shop told of.
FROM_SHOP = "shop"
_MONEY = DecimalField(max_digits=16, decimal_places=2)
# What a transfer from abroad loses on its way at one bank, or somebody rounds off: less than a
# reminder costs. More is owed, and is reminded or credited.
WRITE_OFF_LIMIT = Decimal("5.00")
# Days late from which each bucket begins.
BUCKETS = (0, 1, 31, 61, 91)


def _total(rows: QuerySet[Any], group: str, amount: str) -> Coalesce:
    sums = rows.order_by().values(group).annotate(total=Sum(amount)).values("total")
    return Coalesce(Subquery(sums, output_field=_MONEY), Value(ZERO), output_field=_MONEY)


def with_balance(invoices: QuerySet[Invoice]) -> QuerySet[Any]:
    """Invoices with `credited`, `received` and `balance` (EUR incl. tax; below 0 we owe it).

    What was given back on a credit note counts with the invoice that it corrects. One on another
    system's invoice stands for itself.
    """
    credits_of = Invoice.objects.filter(credited_invoice=OuterRef("pk"))
    paid = Payment.objects.filter(invoice=OuterRef("pk"))
    given_back = Payment.objects.filter(invoice__credited_invoice=OuterRef("pk"))
    return invoices.filter(credited_invoice=None).annotate(
        credited=_total(credits_of, "credited_invoice", "total_incl_tax"),
        received=_total(paid, "invoice", "amount")
        + _total(given_back, "invoice__credited_invoice", "amount"),
        balance=Case(
            When(kind=Invoice.Kind.INVOICE, then=F("total_incl_tax")),
            default=-F("total_incl_tax"),
            output_field=_MONEY,
        )
        - F("credited")
        - F("received"),
    )


def open_invoices() -> QuerySet[Any]:
    """Invoices that aren't settled, the longest due first.

    Most were paid with their order and never touched again: only of the others is a balance
    worked out.
    """
    # Each of the three has an index of its own: an OR of them would read every invoice.
    due = Invoice.objects.alias(due=F("total_incl_tax") - F("paid_incl_tax")).filter(due__gt=0)
    credited = Invoice.objects.filter(credited_invoice__isnull=False)
    elsewhere = Invoice.objects.filter(OF_ELSEWHERE)
    touched = Payment.objects.filter(invoice__isnull=False).exclude(
        reference__startswith=f"{FROM_SHOP}:"
    )
    candidates = (
        due.order_by()
        .values("pk")
        .union(
            credited.order_by().values("credited_invoice"),
            elsewhere.order_by().values("pk"),
            touched.order_by().values("invoice"),
        )
    )
    return (
        with_balance(Invoice.objects.filter(pk__in=candidates))
        .exclude(balance__gt=-NOTHING, balance__lt=NOTHING)
        .order_by("due_on", "pk")
    )


def to_set_off(invoice: Any) -> list[Any]:
    """Other invoices of its customer that an invoice with its balance can be set off with."""
    others = open_invoices().filter(customer=invoice.customer_id).exclude(pk=invoice.pk)
    return [other for other in others if other.balance * invoice.balance < 0]


def advances_of(order_ids: Iterable[int]) -> dict[int, Decimal]:
    """What was paid ahead on each order and isn't used for an invoice yet (EUR, above 0)."""
    rows = (
        Payment.objects.filter(order__in=list(order_ids), invoice=None)
        .order_by()
        .values_list("order")
        .annotate(total=Sum("amount"))
    )
    return {order: left for order, total in rows if (left := to_cents(total)) > 0}


def orders_with_advance(numbers: Iterable[str] | None = None) -> QuerySet[Any]:
    """Orders with what was paid ahead and isn't used: `advance` (EUR); of some numbers if asked."""
    ahead = Payment.objects.filter(order=OuterRef("pk"), invoice=None)
    orders = Order.objects.filter(Exists(ahead))
    if numbers is not None:
        orders = orders.filter(number__in=set(numbers))
    return (
        orders.annotate(advance=_total(ahead, "order", "amount"))
        .filter(advance__gt=NOTHING)
        .order_by("placed_at", "pk")
    )


def payable_orders(
    amounts: Iterable[Decimal] | None = None, numbers: Iterable[str] = ()
) -> QuerySet[Any]:
    """Orders that nobody has paid nor invoiced, with what is `due` on them (EUR incl. tax).

    Of some amounts or numbers when asked: those, and what was paid in part.
    """
    is_invoiced = Invoice.objects.filter(order=OuterRef("pk"))
    is_grouped = InvoicedNote.objects.filter(delivery_note__order=OuterRef("pk"))
    payments = Payment.objects.filter(order=OuterRef("pk"))
    orders = Order.objects.filter(
        ~Exists(is_invoiced),
        ~Exists(is_grouped),
        payment_status=Order.PaymentStatus.UNPAID,
        status__in=(Order.Status.DRAFT, Order.Status.CONFIRMED),
        is_history=False,
        invoiced_elsewhere=False,
    )
    if amounts is not None:
        orders = orders.filter(
            Q(total_incl_tax__in=set(amounts)) | Q(number__in=set(numbers)) | Exists(payments)
        )
    return (
        orders.annotate(due=F("total_incl_tax") - _total(payments, "order", "amount"))
        .filter(due__gt=NOTHING)
        .order_by("placed_at", "pk")
    )


def can_be_written_off(balance: Decimal, kind: str) -> bool:
    """Whether what is left (EUR) is little enough to be settled as that kind of payment.

    A bank's fee is never in our favour.
    """
    if not balance or abs(balance) > WRITE_OFF_LIMIT:
        return False
    return kind == Payment.Kind.ROUNDING or (kind == Payment.Kind.BANK_FEE and balance > 0)


def payable_order(number: str) -> Any | None:
    """The one order of that number that can be paid ahead; None where none is, or several are."""
    bare = number.lstrip("#")
    found = list(payable_orders().filter(number__in=[number, bare, f"#{bare}"])[:2])
    return found[0] if len(found) == 1 else None


class Bucket(NamedTuple):
    """Open balances (EUR) of a lateness, and their share of the highest in percent."""

    label: str
    amount: Decimal
    invoices: int
    share: int


def ageing(invoices: Iterable[Any], on: date) -> list[Bucket]:
    """Open balances by days late; what we owe customers is left out."""
    amounts, counts = [ZERO] * len(BUCKETS), [0] * len(BUCKETS)
    for invoice in invoices:
        if invoice.balance <= 0:
            continue
        late = max((on - invoice.due_on).days, 0)
        place = max(n for n, start in enumerate(BUCKETS) if late >= start)
        amounts[place] += to_cents(invoice.balance)
        counts[place] += 1
    labels = [
        _("à échoir"),
        _("1 à 30 jours"),
        _("31 à 60 jours"),
        _("61 à 90 jours"),
        _("plus de 90 jours"),
    ]
    highest = max(amounts) or Decimal(1)
    return [
        Bucket(label, amount, count, int(100 * amount / highest))
        for label, amount, count in zip(labels, amounts, counts, strict=True)
    ]


class Move(NamedTuple):
    """A line of a customer's statement; `balance` is what is owed after it (EUR)."""

    on: date
    label: str
    debit: Decimal
    credit: Decimal
    balance: Decimal


def statement_of(customer: Customer) -> list[Move]:
    """Invoices, credit notes and payments of a customer in their order, with what is owed."""
    rows: list[tuple[date, int, str, Decimal]] = [
        (
            invoice.issued_on,
            invoice.sign < 0,
            f"{invoice.get_kind_display()} {invoice.number}",
            invoice.total_incl_tax * invoice.sign,
        )
        for invoice in Invoice.objects.filter(customer=customer)
    ]
    paid = Payment.objects.filter(
        Q(invoice__customer=customer) | Q(invoice=None, order__customer=customer)
    ).select_related("invoice")
    for payment in paid:
        what = _("Règlement") if payment.amount > 0 else _("Remboursement")
        rows.append(
            (
                business_date(payment.paid_at),
                2,
                f"{what} {payment.method} {payment.invoice or ''}".strip(),
                -payment.amount,
            )
        )
    balance, moves = ZERO, []
    for on, _rank, label, amount in sorted(rows, key=lambda row: row[:3]):
        balance += amount
        moves.append(Move(on, label, max(amount, ZERO), max(-amount, ZERO), balance))
    return moves
