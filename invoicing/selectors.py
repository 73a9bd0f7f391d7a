"""Reads of invoicing: what is to be invoiced, credited, printed."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

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

from invoicing.models import (
    EInvoiceState,
    Invoice,
    InvoicedNote,
    InvoiceLine,
    PlatformSettings,
    TaxBreakdown,
)
from sales.models import DeliveryNote, Order, OrderLine
from sales.selectors import orders_without_tax_reason
from sphinx.core.money import NOTHING, ZERO, to_cents

_MONEY = DecimalField(max_digits=12, decimal_places=2)


def platform_settings() -> PlatformSettings:
    """The firm's e-invoicing platform; not in use until somebody says so."""
    found, _created = PlatformSettings.objects.get_or_create(pk=1)
    return found


# States that wait for somebody: what the buyer or the platform doesn't take.
PROBLEM_STATES = (
    EInvoiceState.State.REJECTED,
    EInvoiceState.State.REFUSED,
    EInvoiceState.State.DISPUTED,
    EInvoiceState.State.SUSPENDED,
)


def current_states() -> QuerySet[EInvoiceState]:
    """Where each e-invoice stands: the last state that it came to.

    Our own « transmise » comes first whatever the clocks say: a platform may tell days only.
    """
    sent = EInvoiceState.State.SENT
    answers = EInvoiceState.objects.filter(invoice=OuterRef("invoice")).exclude(state=sent)
    later = answers.filter(
        Q(occurred_at__gt=OuterRef("occurred_at"))
        | Q(occurred_at=OuterRef("occurred_at"), pk__gt=OuterRef("pk"))
    )
    return EInvoiceState.objects.filter(
        Q(state=sent) & ~Exists(answers) | ~Q(state=sent) & ~Exists(later)
    )


def refused_e_invoices() -> QuerySet[EInvoiceState]:
    """E-invoices that somebody must look at, the latest first; one credited in full is settled."""
    return (
        current_states()
        .filter(state__in=PROBLEM_STATES)
        .exclude(invoice__credit_notes__total_incl_tax=F("invoice__total_incl_tax"))
        .select_related("invoice")
        .order_by("-occurred_at")
    )


DONE_WITH = [Order.Status.INVOICED.value, Order.Status.CANCELLED.value]
# Delivery notes that no invoice has, alone or in a group.
NOT_INVOICED = Q(invoice=None) & Q(invoiced=None)
# Credit notes on another system's invoices, of goods sold before the shop's first day here.
OF_ELSEWHERE = Q(kind=Invoice.Kind.CREDIT_NOTE, credited_invoice=None)


def invoices_of(orders: Iterable[int]) -> dict[int, list[Invoice]]:
    """The documents of some orders in their order, grouped ones included, by the order's id."""
    ids = list(orders)
    found: dict[int, dict[int, Invoice]] = {pk: {} for pk in ids}
    rows = InvoicedNote.objects.filter(delivery_note__order__in=ids)
    for row in rows.select_related("invoice", "delivery_note"):
        found[row.delivery_note.order_id][row.invoice_id] = row.invoice
    for invoice in Invoice.objects.filter(order__in=ids, is_grouped=False):
        found[invoice.order_id][invoice.pk] = invoice
    return {
        pk: sorted(invoices.values(), key=lambda i: i.chain_index) for pk, invoices in found.items()
    }


def notes_to_invoice() -> QuerySet[DeliveryNote]:
    """Shipped delivery notes without an invoice, in the order they were shipped."""
    return (
        DeliveryNote.objects.filter(
            ~Exists(Invoice.objects.filter(delivery_note=OuterRef("pk"))),
            ~Exists(InvoicedNote.objects.filter(delivery_note=OuterRef("pk"))),
            status=DeliveryNote.Status.SHIPPED,
        )
        # Orders that are done with have none (`verify` proves it), and are nearly all.
        .exclude(Q(order__status__in=DONE_WITH) | Q(order__invoiced_elsewhere=True))
        .order_by("shipped_at", "pk")
    )


def left_to_invoice(order: Order) -> dict[Decimal, Decimal]:
    """What no document of the order charges yet, EUR incl. tax by rate, the highest rate first."""
    left = {Decimal(t["rate"]): Decimal(t["total_incl_tax"]) for t in order.taxes}
    rows = (
        TaxBreakdown.objects.filter(invoice__order=order, invoice__is_grouped=False)
        .order_by()
        .values("tax_rate", "invoice__kind", "invoice__credited_invoice__is_down_payment")
        .annotate(total=Sum("total_incl_tax"))
    )
    for row in rows:
        is_credit = row["invoice__kind"] == Invoice.Kind.CREDIT_NOTE
        # A credited down payment may be invoiced again; goods that were credited may not.
        if not is_credit or row["invoice__credited_invoice__is_down_payment"]:
            sign = 1 if is_credit else -1
            left[row["tax_rate"]] = left.get(row["tax_rate"], ZERO) + sign * to_cents(row["total"])
    for line in order.lines.filter(removed_incl_tax__gt=0):
        left[line.tax_rate] = left.get(line.tax_rate, ZERO) - line.removed_incl_tax
    for note in InvoicedNote.objects.filter(delivery_note__order=order):
        left[note.tax_rate] = left.get(note.tax_rate, ZERO) - note.total_incl_tax
    return dict(sorted(left.items(), reverse=True))


def notes_ready_to_invoice() -> QuerySet[DeliveryNote]:
    """The same, but for orders without VAT of which somebody must first say why."""
    return notes_to_invoice().exclude(order__in=orders_to_explain().order_by())


def orders_to_explain() -> QuerySet[Order]:
    """Orders without VAT that nothing explains and that aren't done with, the oldest first."""
    return orders_without_tax_reason().exclude(status__in=DONE_WITH)


def orders_to_close() -> QuerySet[Order]:
    """Delivered orders, all of whose parcels are invoiced: the rest was taken out since."""
    shipped = DeliveryNote.objects.filter(order=OuterRef("pk"), status=DeliveryNote.Status.SHIPPED)
    return Order.objects.filter(
        Exists(shipped),
        ~Exists(notes_to_invoice().order_by().filter(order=OuterRef("pk"))),
        status=Order.Status.DELIVERED,
    ).order_by("pk")


def orders_to_credit(order_ids: Iterable[int] | None = None) -> QuerySet[Order]:
    """Orders whose shop refunded more than was credited, and that have something to credit."""
    orders = Order.objects.filter(refunded_incl_tax__gt=0).annotate(
        invoiced=_sum_of(Invoice.Kind.INVOICE) + _grouped_sum(),
        credited=_sum_of(Invoice.Kind.CREDIT_NOTE),
        # What was taken out before it left was never invoiced.
        removed=removed_amount(),
    )
    if order_ids is not None:
        orders = orders.filter(pk__in=order_ids)
    return orders.filter(
        refunded_incl_tax__gt=F("credited") + F("removed") + NOTHING, invoiced__gt=F("credited")
    ).order_by("pk")


# Invoices of what shops keep of orders that they emptied.
OF_KEPT = Q(kind=Invoice.Kind.INVOICE, delivery_note=None, is_down_payment=False, is_grouped=False)


def orders_kept() -> QuerySet[Any]:
    """Paid orders of which the shop took out every article and `kept` a part (EUR incl. tax),
    oldest first: nobody has invoiced it yet."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    return (
        Order.objects.filter(
            Exists(lines.filter(quantity_removed__gt=0)),
            ~Exists(lines.filter(quantity__gt=F("quantity_removed"))),
            ~Exists(Invoice.objects.filter(order=OuterRef("pk"))),
            status=Order.Status.CONFIRMED,
            payment_status__in=(Order.PaymentStatus.PAID, Order.PaymentStatus.PARTIALLY_REFUNDED),
            is_history=False,
            invoiced_elsewhere=False,
        )
        .annotate(kept=F("total_incl_tax") - F("refunded_incl_tax"))
        .filter(kept__gt=NOTHING)
        .order_by("placed_at", "pk")
    )


def removed_amount() -> Case:
    """What was taken off an order before it left (EUR incl. tax): its pieces' worth; where what
    the shop keeps was invoiced, all but that."""
    kept = Invoice.objects.filter(OF_KEPT, order=OuterRef("pk"))
    return Case(
        When(Exists(kept), then=F("total_incl_tax") - _sum(kept)),
        default=_pieces_removed(),
        output_field=_MONEY,
    )


def _pieces_removed() -> Coalesce:
    lines = (
        OrderLine.objects.filter(order=OuterRef("pk"))
        .order_by()
        .values("order")
        .annotate(total=Sum("removed_incl_tax"))
        .values("total")
    )
    return Coalesce(Subquery(lines, output_field=_MONEY), Value(ZERO), output_field=_MONEY)


def orders_off_the_shops_total(first: date, last: date) -> QuerySet[Order]:
    """Orders delivered and invoiced whole, last in those days, that don't sum to their total.

    There should be none: `verify` proves it for every order.
    """
    issued = Invoice.objects.filter(
        order=OuterRef("pk"), kind=Invoice.Kind.INVOICE, issued_on__range=(first, last)
    )
    again = Invoice.objects.filter(order=OuterRef("pk"), credited_invoice__is_down_payment=True)
    orders = Order.objects.filter(Exists(issued), status=Order.Status.INVOICED).annotate(
        # A down payment that was given back is invoiced again with the goods.
        invoiced=_sum_of(Invoice.Kind.INVOICE) + _grouped_sum() - _sum(again)
    )
    # Less is right where the rest was cancelled.
    cancelled = OrderLine.objects.filter(
        order=OuterRef("pk"), quantity__gt=F("quantity_delivered") + F("quantity_removed")
    )
    due = F("total_incl_tax") - removed_amount()
    less = Q(invoiced__lt=due - NOTHING) & ~Exists(cancelled)
    more = Q(invoiced__gt=due + NOTHING)
    return orders.filter(less | more).order_by("pk")


def _sum_of(kind: str) -> Coalesce:
    return _sum(Invoice.objects.filter(order=OuterRef("pk"), kind=kind, is_grouped=False))


def _sum(invoices: QuerySet[Invoice]) -> Coalesce:
    totals = (
        invoices.order_by().values("order").annotate(total=Sum("total_incl_tax")).values("total")
    )
    return Coalesce(Subquery(totals, output_field=_MONEY), Value(ZERO), output_field=_MONEY)


def _grouped_sum() -> Coalesce:
    totals = (
        InvoicedNote.objects.filter(delivery_note__order=OuterRef("pk"))
        .order_by()
        .values("delivery_note__order")
        .annotate(total=Sum("total_incl_tax"))
        .values("total")
    )
    return Coalesce(Subquery(totals, output_field=_MONEY), Value(ZERO), output_field=_MONEY)


def charged_amounts(invoice: Invoice, order: Order) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """What an invoice charges an order by rate: (incl. tax, VAT) in EUR."""
    if not invoice.is_grouped:
        return {t.tax_rate: (t.total_incl_tax, t.tax) for t in invoice.taxes.all()}
    charged: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for note in invoice.invoiced_notes.filter(delivery_note__order=order):
        total, tax = charged.get(note.tax_rate, (ZERO, ZERO))
        charged[note.tax_rate] = (total + note.total_incl_tax, tax + note.tax)
    return charged


def order_of_line(invoice: Invoice, line: InvoiceLine) -> str:
    """The number of the order that a line of a grouped invoice belongs to, as it was frozen."""
    last = 0
    for note in invoice.mentions.get("notes", ()):
        last += note["lines"]
        if line.position <= last:
            return str(note["order"])
    return invoice.order_number


def credited_amounts(
    invoice: Invoice, order: Order | None = None
) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """What was already credited on an invoice by rate, of one order when asked: (incl. tax, VAT)
    in EUR."""
    credited = TaxBreakdown.objects.filter(invoice__credited_invoice=invoice)
    if order is not None:
        credited = credited.filter(invoice__order=order)
    rows = (
        credited.order_by().values("tax_rate").annotate(total=Sum("total_incl_tax"), vat=Sum("tax"))
    )
    # SQLite sums in binary: back to cents.
    return {row["tax_rate"]: (to_cents(row["total"]), to_cents(row["vat"])) for row in rows}


LineKey = tuple[int | None, str, Decimal, str]


def line_key(line: InvoiceLine) -> LineKey:
    """What makes a line of a credit note and one of its invoice the same."""
    label = "" if line.delivery_line_id else line.label
    return line.delivery_line_id, line.kind, line.tax_rate, label


def credited_quantities(invoice: Invoice) -> dict[LineKey, Decimal]:
    """Pieces of each line that were already credited, by `line_key`.

    An amount that was credited as a whole names no line: it lessens what is left at its rate.
    """
    own = {line_key(line) for line in invoice.lines.all()}
    done: dict[LineKey, Decimal] = {}
    for line in InvoiceLine.objects.filter(invoice__credited_invoice=invoice):
        key = line_key(line)
        if key in own and (line.delivery_line_id or line.kind != InvoiceLine.Kind.GOODS):
            done[key] = done.get(key, Decimal(0)) + line.quantity
    return done


def returned_quantities(invoice: Invoice) -> dict[int, Decimal]:
    """Pieces that came back of each line of an invoice, by the line's id."""
    return {
        line.pk: line.delivery_line.quantity_returned
        for line in invoice.lines.select_related("delivery_line")
        if line.delivery_line is not None
    }


def invoices_without_pdf() -> QuerySet[Invoice]:
    """Issued documents whose PDF hasn't been made yet."""
    return Invoice.objects.filter(pdf=None).order_by("pk")


def printable(invoice_ids: Iterable[int]) -> QuerySet[Invoice]:
    """The documents with everything that their page shows."""
    return (
        Invoice.objects.filter(pk__in=invoice_ids)
        .select_related("credited_invoice")
        .prefetch_related("lines", "taxes")
        .order_by("pk")
    )
