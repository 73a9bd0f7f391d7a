"""Shipped delivery notes become invoices: numbered without gap, chained, never changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.selectors import auxiliary_of
from invoicing.amounts import Part, RateAmounts, net_parts, portion, taxes_by_rate
from invoicing.chain import GENESIS, document_hash
from invoicing.errors import DeliveryNoteNotShipped, PeriodClosed, StructureRefused
from invoicing.events import invoices_issued
from invoicing.mentions import language_of, mentions_of
from invoicing.models import Closing, Invoice, InvoiceLine, TaxBreakdown
from invoicing.selectors import notes_to_invoice
from invoicing.services.payments import payments_of_paid_orders
from invoicing.services.structured import check_structured
from sales.locks import lock_notes, lock_orders
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.services import mark_invoiced, shipping_by_rate
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.models import Company
from sphinx.core.money import HUNDRED, ZERO, to_unit_price
from sphinx.core.services import allocate_numbers, company, record

BATCH = 200
_Amounts = Mapping[Decimal, tuple[Decimal, Decimal]]


def issue_invoice(*, delivery_note_id: int, at: datetime, actor: Any = None) -> Invoice:
    """Invoice a shipped delivery note, once: a second call returns the same invoice.

    Raises:
        DeliveryNoteNotShipped: the note is a draft or cancelled.
    """
    issue_invoices(note_ids=[delivery_note_id], at=at, actor=actor)
    found = Invoice.objects.filter(delivery_note_id=delivery_note_id).first()
    if found is None:
        note = DeliveryNote.objects.get(pk=delivery_note_id)
        raise DeliveryNoteNotShipped(
            _("Le bon de livraison %(number)s n'est pas expédié : expédiez-le avant de facturer.")
            % {"number": note.number}
        )
    return found


class Issued(NamedTuple):
    """What a sweep issued, and why it left the rest."""

    invoices: list[Invoice]
    refused: list[StructureRefused]


def issue_shipped(
    *, at: datetime, order_ids: Iterable[int] | None = None, actor: Any = None
) -> Issued:
    """Invoice all that shipped, of some orders when asked, a transaction a batch.

    A note whose invoice is refused doesn't hold the others back.
    """
    notes = notes_to_invoice()
    if order_ids is not None:
        notes = notes.filter(order__in=list(order_ids))
    ids = list(notes.values_list("pk", flat=True))
    done = Issued([], [])
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        try:
            done.invoices.extend(issue_invoices(note_ids=batch, at=at, actor=actor))
        except StructureRefused:
            _issue_one_by_one(batch, at, actor, done)
    return done


def _issue_one_by_one(note_ids: Iterable[int], at: datetime, actor: Any, done: Issued) -> None:
    for pk in note_ids:
        try:
            done.invoices.extend(issue_invoices(note_ids=[pk], at=at, actor=actor))
        except StructureRefused as error:
            done.refused.append(error)


@transaction.atomic
def issue_invoices(*, note_ids: Iterable[int], at: datetime, actor: Any = None) -> list[Invoice]:
    """Issue one invoice for each shipped note that has none, in the order of the notes.

    Amounts (EUR) come from the shop incl. tax; VAT is taken out of them, never added, so that
    the invoice equals what the customer paid, to the cent. Number, date, hash and lines are
    written in this transaction; numbering without gap: CGI, ann. II, art. 242 nonies A, I-7°.

    Raises:
        StructureRefused: a professional's invoice would be no valid e-invoice; none is issued.
    """
    wanted = list(note_ids)
    order_ids = DeliveryNote.objects.filter(pk__in=wanted).values_list("order_id", flat=True)
    orders = {o.pk: o for o in lock_orders(order_ids)}
    notes = list(lock_notes(wanted).filter(status=DeliveryNote.Status.SHIPPED, invoice=None))
    if not notes:
        return []
    batch = _Batch(notes, orders, at)
    invoices = [batch.issue(note) for note in notes]
    write_documents(invoices, batch.lines, batch.taxes, at)
    mark_invoiced(order_ids=_fully_invoiced(orders))
    payments_of_paid_orders(invoices)
    record("invoice.issued", invoices, actor=actor)
    announce(invoices_issued, invoice_ids=[i.pk for i in invoices])
    return invoices


def _fully_invoiced(order_ids: Iterable[int]) -> list[int]:
    waiting = DeliveryNote.objects.filter(
        order__in=order_ids, status=DeliveryNote.Status.SHIPPED, invoice=None
    ).values_list("order_id", flat=True)
    return sorted(set(order_ids) - set(waiting))


def write_documents(
    invoices: Sequence[Invoice],
    lines: Mapping[int, Sequence[InvoiceLine]],
    taxes: Mapping[int, Sequence[TaxBreakdown]],
    at: datetime,
) -> None:
    """Number, chain and insert documents of one kind; `lines` and `taxes` by their index.

    The number sequence is locked last and until commit; the chain continues under that lock.

    Raises:
        PeriodClosed: their day is closed.
        StructureRefused: a professional's document would be no valid e-invoice.
    """
    series = "AV" if invoices[0].kind == Invoice.Kind.CREDIT_NOTE else "FA"
    numbers = allocate_numbers(series=series, on=business_date(at), count=len(invoices))
    # One chain for all series: its end is read under a lock of its own.
    allocate_numbers(series="CHAIN", on=business_date(at), count=len(invoices), yearly=False)
    _check_open(invoices[0].issued_on)
    last = Invoice.objects.order_by("-chain_index").first()
    index, previous = (last.chain_index, last.hash) if last else (0, GENESIS)
    for n, invoice in enumerate(invoices):
        index += 1
        invoice.number, invoice.chain_index, invoice.previous_hash = numbers[n], index, previous
        invoice.hash = previous = document_hash(invoice, lines[n], taxes[n])
    Invoice.objects.bulk_create(invoices, batch_size=500)
    for n, invoice in enumerate(invoices):
        for line in lines[n]:
            line.invoice = invoice
        for tax in taxes[n]:
            tax.invoice = invoice
    InvoiceLine.objects.bulk_create(
        (line for n in range(len(invoices)) for line in lines[n]), batch_size=1000
    )
    TaxBreakdown.objects.bulk_create(
        (tax for n in range(len(invoices)) for tax in taxes[n]), batch_size=1000
    )
    check_structured(invoices, lines, taxes)


def _check_open(day: date) -> None:
    if Closing.objects.filter(kind=Closing.Kind.DAY, last_on__gte=day).exists():
        raise PeriodClosed(_("Le %s est clos : rien ne s'y date plus.") % day.strftime("%d/%m/%Y"))


class _Batch:
    """What the invoices of one transaction share: fetched once, whatever their number."""

    def __init__(
        self, notes: Sequence[DeliveryNote], orders: Mapping[int, Order], at: datetime
    ) -> None:
        self.at = at
        self.issued_on = business_date(at)
        self.firm: Company = company()
        self.orders = orders
        self.customers = Customer.objects.in_bulk({o.customer_id for o in orders.values()})
        self.consumer_accounts = dict(
            Order.objects.filter(pk__in=orders).values_list("pk", "shop__consumer_account")
        )
        self.note_lines: dict[int, list[DeliveryNoteLine]] = defaultdict(list)
        for line in (
            DeliveryNoteLine.objects.filter(delivery_note__in=notes)
            .select_related("order_line")
            .order_by("delivery_note_id", "order_line__position")
        ):
            self.note_lines[line.delivery_note_id].append(line)
        self.order_lines: dict[int, list[OrderLine]] = defaultdict(list)
        for order_line in OrderLine.objects.filter(order__in=orders).order_by("position"):
            self.order_lines[order_line.order_id].append(order_line)
        self.invoiced_quantities = self._invoiced_quantities()
        self.invoiced_amounts = self._invoiced_amounts()
        self.has_shipping: set[int] = set(
            Invoice.objects.filter(order__in=orders, kind=Invoice.Kind.INVOICE).values_list(
                "order_id", flat=True
            )
        )
        self.lines: dict[int, list[InvoiceLine]] = {}
        self.taxes: dict[int, list[TaxBreakdown]] = {}

    def _invoiced_quantities(self) -> dict[int, Decimal]:
        done: dict[int, Decimal] = defaultdict(Decimal)
        for order_line, quantity in DeliveryNoteLine.objects.filter(
            delivery_note__order__in=self.orders, delivery_note__invoice__isnull=False
        ).values_list("order_line_id", "quantity"):
            done[order_line] += quantity
        return done

    def _invoiced_amounts(self) -> dict[int, dict[Decimal, tuple[Decimal, Decimal]]]:
        done: dict[int, dict[Decimal, tuple[Decimal, Decimal]]] = defaultdict(dict)
        for tax in TaxBreakdown.objects.filter(
            invoice__order__in=self.orders, invoice__kind=Invoice.Kind.INVOICE
        ).select_related("invoice"):
            self._add_invoiced(
                done[tax.invoice.order_id], tax.tax_rate, tax.total_incl_tax, tax.tax
            )
        return done

    @staticmethod
    def _add_invoiced(
        done: dict[Decimal, tuple[Decimal, Decimal]], rate: Decimal, total: Decimal, tax: Decimal
    ) -> None:
        before, tax_before = done.get(rate, (ZERO, ZERO))
        done[rate] = (before + total, tax_before + tax)

    def issue(self, note: DeliveryNote) -> Invoice:
        """Build the invoice of one note, with its lines and taxes, not yet numbered."""
        order = self.orders[note.order_id]
        lines = [self._goods_line(line) for line in self.note_lines[note.pk]]
        if order.pk not in self.has_shipping:
            lines += self._shipping_lines(order)
            self.has_shipping.add(order.pk)
        parts = [
            Part(line.tax_rate, line.amount_incl_tax, line.discount_incl_tax) for line in lines
        ]
        amounts = taxes_by_rate(
            parts,
            invoiced=self.invoiced_amounts[order.pk],
            ordered={
                Decimal(t["rate"]): (Decimal(t["total_incl_tax"]), Decimal(t["tax"]))
                for t in order.taxes
            },
        )
        for a in amounts.values():
            self._add_invoiced(self.invoiced_amounts[order.pk], a.rate, a.total, a.tax)
        self._fill_net(lines, parts, amounts)
        index = len(self.lines)
        self.lines[index] = lines
        self.taxes[index] = tax_rows(amounts)
        return self._document(order, note, amounts)

    def _goods_line(self, line: DeliveryNoteLine) -> InvoiceLine:
        ordered = line.order_line
        done = self.invoiced_quantities[ordered.pk]
        self.invoiced_quantities[ordered.pk] += line.quantity
        whole_discount = ordered.discount_incl_tax + ordered.order_discount_incl_tax
        whole = ordered.total_incl_tax + ordered.discount_incl_tax
        return InvoiceLine(
            kind=ordered.kind,
            delivery_line=line,
            sku=ordered.sku,
            label=ordered.label,
            quantity=line.quantity,
            tax_rate=ordered.tax_rate,
            unit_price_excl_tax=to_unit_price(
                ordered.unit_price_incl_tax * HUNDRED / (HUNDRED + ordered.tax_rate)
            ),
            amount_incl_tax=portion(whole, done, line.quantity, ordered.quantity),
            discount_incl_tax=portion(whole_discount, done, line.quantity, ordered.quantity),
        )

    def _shipping_lines(self, order: Order) -> list[InvoiceLine]:
        """Shipping goes on the order's first invoice, whole, by rate."""
        with translation.override(language_of(order)):
            label = _("Frais de port")
        goods: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
        for line in self.order_lines[order.pk]:
            goods[line.tax_rate] += line.total_incl_tax - line.order_discount_incl_tax
        on_goods = sum((ln.order_discount_incl_tax for ln in self.order_lines[order.pk]), ZERO)
        off_shipping = max(order.discount_incl_tax - on_goods, ZERO)
        amounts = shipping_by_rate(goods, order.shipping_incl_tax, order.shipping_tax_rate)
        # A discount larger than the goods takes the rest off shipping.
        discounts = shipping_by_rate(goods, off_shipping, order.shipping_tax_rate)
        return [
            InvoiceLine(
                kind=InvoiceLine.Kind.SHIPPING,
                label=label,
                quantity=Decimal(1),
                tax_rate=rate,
                unit_price_excl_tax=to_unit_price(amount * HUNDRED / (HUNDRED + rate)),
                amount_incl_tax=amount,
                discount_incl_tax=discounts.get(rate, ZERO),
            )
            for rate, amount in amounts.items()
        ]

    @staticmethod
    def _fill_net(
        lines: Sequence[InvoiceLine],
        parts: Sequence[Part],
        amounts: Mapping[Decimal, RateAmounts],
    ) -> None:
        for position, (line, part, net) in enumerate(
            zip(lines, parts, net_parts(parts, amounts), strict=True), start=1
        ):
            line.position = position
            line.total_incl_tax = part.total
            line.amount_excl_tax, line.discount_excl_tax = net.amount, net.discount
            line.total_excl_tax = net.amount - net.discount

    def _document(
        self, order: Order, note: DeliveryNote, amounts: Mapping[Decimal, RateAmounts]
    ) -> Invoice:
        customer = self.customers[order.customer_id]
        total = sum((a.total for a in amounts.values()), ZERO)
        tax = sum((a.tax for a in amounts.values()), ZERO)
        is_business = customer.kind == Customer.Kind.COMPANY
        is_paid = order.payment_status != Order.PaymentStatus.UNPAID
        terms = self.firm.payment_terms_days if is_business else 0
        return Invoice(
            kind=Invoice.Kind.INVOICE,
            issued_on=self.issued_on,
            issued_at=self.at,
            delivered_on=note.shipped_at and business_date(note.shipped_at),
            due_on=self.issued_on if is_paid else self.issued_on + timedelta(days=terms),
            shop_id=order.shop_id,
            order=order,
            delivery_note=note,
            customer=customer,
            customer_code=customer.code,
            customer_name=(order.billing_company or order.billing_name or customer.name)[:200],
            is_business=is_business,
            auxiliary_account=auxiliary_of(customer, self.consumer_accounts[order.pk]),
            order_number=order.number,
            currency=order.currency,
            tax_regime=order.tax_regime,
            country=order.shipping_country or order.billing_country or self.firm.country,
            mentions=mentions_of(self.firm, order, customer, note),
            total_excl_tax=total - tax,
            total_tax=tax,
            total_incl_tax=total,
            paid_incl_tax=total if is_paid else ZERO,
            source_file=order.source_file,
            source_sha256=order.source_sha256,
            source_line=order.source_line,
        )


def tax_rows(amounts: Mapping[Decimal, RateAmounts]) -> list[TaxBreakdown]:
    """The breakdown rows of `amounts`, highest rate first."""
    return [
        TaxBreakdown(tax_rate=a.rate, base_excl_tax=a.base, tax=a.tax, total_incl_tax=a.total)
        for a in amounts.values()
    ]
