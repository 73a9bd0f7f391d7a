"""Documents as they will be issued: lines, amounts and mentions, before they are numbered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import translation
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.selectors import auxiliary_of
from invoicing.amounts import Part, RateAmounts, net_parts, taxes_by_rate
from invoicing.mentions import language_of, mentions_of
from invoicing.models import Invoice, InvoicedNote, InvoiceLine, TaxBreakdown
from invoicing.receivables import advances_of
from invoicing.services.deposits import Deposits
from invoicing.services.settling import Used
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.services import shipping_by_rate
from sphinx.core.clock import business_date
from sphinx.core.models import Company
from sphinx.core.money import HUNDRED, ZERO, portion, to_unit_price
from sphinx.core.services import company
from sphinx.core.territories import vat_country

# More order numbers than fit are counted.
_NUMBERS = 60


class Builder:
    """Documents of some orders, not yet numbered; what they share is fetched once."""

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
        self._grouped_before = list(
            InvoicedNote.objects.filter(delivery_note__order__in=orders).select_related(
                "delivery_note"
            )
        )
        self.invoiced_quantities = self._invoiced_quantities()
        self.deposits = Deposits(orders)
        self.invoiced_amounts = self._invoiced_amounts()
        self.has_shipping: set[int] = set(
            Invoice.objects.filter(
                order__in=orders,
                kind=Invoice.Kind.INVOICE,
                is_down_payment=False,
                is_grouped=False,
            ).values_list("order_id", flat=True)
        ) | {note.delivery_note.order_id for note in self._grouped_before}
        self.lines: dict[int, list[InvoiceLine]] = {}
        self.taxes: dict[int, list[TaxBreakdown]] = {}
        self.shares: dict[int, list[InvoicedNote]] = {}
        # What was paid ahead, less what the documents built here take of it.
        self._advances = advances_of(orders)
        self.used: dict[int, list[Used]] = {}

    def _invoiced_quantities(self) -> dict[int, Decimal]:
        done: dict[int, Decimal] = defaultdict(Decimal)
        in_a_group = InvoicedNote.objects.filter(delivery_note=OuterRef("delivery_note"))
        for order_line, quantity in DeliveryNoteLine.objects.filter(
            Q(delivery_note__invoice__isnull=False) | Exists(in_a_group),
            delivery_note__order__in=self.orders,
        ).values_list("order_line_id", "quantity"):
            done[order_line] += quantity
        return done

    def _invoiced_amounts(self) -> dict[int, dict[Decimal, tuple[Decimal, Decimal]]]:
        done: dict[int, dict[Decimal, tuple[Decimal, Decimal]]] = defaultdict(dict)
        for tax in TaxBreakdown.objects.filter(
            invoice__order__in=self.orders,
            invoice__kind=Invoice.Kind.INVOICE,
            invoice__is_grouped=False,
        ).select_related("invoice"):
            self._add_invoiced(
                done[tax.invoice.order_id], tax.tax_rate, tax.total_incl_tax, tax.tax
            )
        for note in self._grouped_before:
            order_id = note.delivery_note.order_id
            self._add_invoiced(done[order_id], note.tax_rate, note.total_incl_tax, note.tax)
        for order, credited in self.deposits.credited.items():
            for rate, (total, vat) in credited.items():
                self._add_invoiced(done[order], rate, -total, -vat)
        return done

    @staticmethod
    def _add_invoiced(
        done: dict[Decimal, tuple[Decimal, Decimal]], rate: Decimal, total: Decimal, tax: Decimal
    ) -> None:
        before, tax_before = done.get(rate, (ZERO, ZERO))
        done[rate] = (before + total, tax_before + tax)

    def issue(self, note: DeliveryNote) -> Invoice:
        """Build the invoice of one note, with its lines and taxes, not yet numbered."""
        return self.build(self.orders[note.order_id], note, self._lines_of(note))

    def group(self, notes: Sequence[DeliveryNote]) -> Invoice:
        """Build one invoice of several notes of a customer, each with its order's own VAT.

        Its order is the first note's; addresses and terms are the same for all (`group_key`).
        """
        lines: list[InvoiceLine] = []
        shares: list[InvoicedNote] = []
        told: list[dict[str, Any]] = []
        sums: dict[Decimal, RateAmounts] = {}
        totals: list[tuple[Order, Decimal]] = []
        for note in notes:
            order = self.orders[note.order_id]
            own = self._lines_of(note, names_order=True)
            amounts_of_note = self._amounts(order, own)
            totals.append((order, sum((a.total for a in amounts_of_note.values()), ZERO)))
            for a in amounts_of_note.values():
                before = sums.get(a.rate, RateAmounts(a.rate, ZERO, ZERO, ZERO))
                sums[a.rate] = RateAmounts(
                    a.rate, before.base + a.base, before.tax + a.tax, before.total + a.total
                )
                shares.append(
                    InvoicedNote(
                        delivery_note=note, tax_rate=a.rate, total_incl_tax=a.total, tax=a.tax
                    )
                )
            told.append(_told(note, order, len(own)))
            lines += own
        for position, line in enumerate(lines, start=1):
            line.position = position
        amounts = dict(sorted(sums.items(), reverse=True))
        index = self._keep(lines, amounts)
        self.shares[index] = shares
        for order, total in totals:
            self._use_advance(index, order, total)
        return self._group_document(notes, told, amounts, self._used_by(index))

    def _lines_of(self, note: DeliveryNote, *, names_order: bool = False) -> list[InvoiceLine]:
        order = self.orders[note.order_id]
        lines = [self._goods_line(line) for line in self.note_lines[note.pk]]
        if order.pk not in self.has_shipping:
            shipping = self.shipping_lines(order)
            for line in shipping if names_order else ():
                line.label = f"{line.label} ({order.number})"[:200]
            lines += shipping
            self.has_shipping.add(order.pk)
        return lines + self.deposits.take_off(order, lines)

    def build(
        self, order: Order, note: DeliveryNote | None, lines: Sequence[InvoiceLine]
    ) -> Invoice:
        """A document of these lines, whose amounts are incl. tax: VAT taken out of them."""
        amounts = self._amounts(order, lines)
        index = self._keep(lines, amounts)
        self._use_advance(index, order, sum((a.total for a in amounts.values()), ZERO))
        return self._document(order, note, amounts, self._used_by(index))

    def _keep(self, lines: Sequence[InvoiceLine], amounts: Mapping[Decimal, RateAmounts]) -> int:
        index = len(self.lines)
        self.lines[index] = list(lines)
        self.taxes[index] = tax_rows(amounts)
        return index

    def _use_advance(self, index: int, order: Order, total: Decimal) -> None:
        part = min(self._advances.get(order.pk, ZERO), total)
        if part > 0:
            self._advances[order.pk] -= part
            self.used.setdefault(index, []).append(Used(order.pk, part))

    def _used_by(self, index: int) -> Decimal:
        return sum((part.amount for part in self.used.get(index, ())), ZERO)

    def _amounts(self, order: Order, lines: Sequence[InvoiceLine]) -> dict[Decimal, RateAmounts]:
        """The lines' VAT by rate, after what the order was invoiced before; fills their net."""
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
        fill_net(lines, parts, amounts)
        return amounts

    def whole(self, order: Order) -> Invoice:
        """The order as one document, as if nothing of it had been invoiced."""
        self.invoiced_amounts.pop(order.pk, None)
        lines = [
            self.line_of(ordered, ordered.quantity, Decimal(0))
            for ordered in self.order_lines[order.pk]
        ]
        return self.build(order, None, [*lines, *self.shipping_lines(order)])

    def _goods_line(self, line: DeliveryNoteLine) -> InvoiceLine:
        ordered = line.order_line
        done = self.invoiced_quantities[ordered.pk]
        self.invoiced_quantities[ordered.pk] += line.quantity
        found = self.line_of(ordered, line.quantity, done)
        found.delivery_line = line
        return found

    @staticmethod
    def line_of(ordered: OrderLine, pieces: Decimal, done: Decimal) -> InvoiceLine:
        """`pieces` of an order's line, when `done` of it were invoiced before."""
        whole_discount = ordered.discount_incl_tax + ordered.order_discount_incl_tax
        whole = ordered.total_incl_tax + ordered.discount_incl_tax
        return InvoiceLine(
            kind=ordered.kind,
            sku=ordered.sku,
            label=ordered.label,
            quantity=pieces,
            tax_rate=ordered.tax_rate,
            unit_price_excl_tax=to_unit_price(
                ordered.unit_price_incl_tax * HUNDRED / (HUNDRED + ordered.tax_rate)
            ),
            amount_incl_tax=portion(whole, done, pieces, ordered.quantity),
            discount_incl_tax=portion(whole_discount, done, pieces, ordered.quantity),
        )

    def shipping_lines(self, order: Order) -> list[InvoiceLine]:
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

    def _group_document(
        self,
        notes: Sequence[DeliveryNote],
        told: list[dict[str, Any]],
        amounts: Mapping[Decimal, RateAmounts],
        paid_ahead: Decimal,
    ) -> Invoice:
        first, last = notes[0], max(notes, key=lambda note: note.shipped_at or self.at)
        invoice = self._document(self.orders[first.order_id], last, amounts, paid_ahead)
        numbers = list(dict.fromkeys(note["order"] for note in told))
        text = ", ".join(numbers)
        if len(text) > _NUMBERS:
            text = f"{numbers[0]} +{len(numbers) - 1}"
        invoice.order_number = text
        invoice.is_grouped, invoice.delivery_note = True, None
        orders = dict.fromkeys(note.order_id for note in notes)
        deposits = [d for pk in orders for d in self.deposits.references(pk)]
        invoice.mentions |= {"delivery_note": "", "notes": told}
        if deposits:
            invoice.mentions["deposits"] = deposits
        return invoice

    def _document(
        self,
        order: Order,
        note: DeliveryNote | None,
        amounts: Mapping[Decimal, RateAmounts],
        paid_ahead: Decimal,
    ) -> Invoice:
        customer = self.customers[order.customer_id]
        total = sum((a.total for a in amounts.values()), ZERO)
        tax = sum((a.tax for a in amounts.values()), ZERO)
        is_business = customer.kind == Customer.Kind.COMPANY
        is_paid = order.payment_status != Order.PaymentStatus.UNPAID or 0 < total == paid_ahead
        terms = self.firm.payment_terms_days if is_business else 0
        terms_end = self.issued_on + timedelta(days=terms)
        mentions = mentions_of(self.firm, order, customer, note)
        deposits = self.deposits.references(order.pk) if note else []
        if deposits:
            mentions["deposits"] = deposits
        return Invoice(
            kind=Invoice.Kind.INVOICE,
            issued_on=self.issued_on,
            issued_at=self.at,
            delivered_on=business_date(note.shipped_at) if note and note.shipped_at else None,
            due_on=self.issued_on if is_paid or not note else terms_end,
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
            tax_regime=order.invoiced_regime,
            country=_country_of_sale(order) or self.firm.country,
            mentions=mentions,
            total_excl_tax=total - tax,
            total_tax=tax,
            total_incl_tax=total,
            paid_incl_tax=total if is_paid else paid_ahead,
            source_file=order.source_file,
            source_sha256=order.source_sha256,
            source_line=order.source_line,
        )


def _country_of_sale(order: Order) -> str:
    """Where the goods go, as VAT knows it; blank when the order names no country."""
    if order.shipping_country:
        return vat_country(order.shipping_country, order.shipping_postcode)
    return vat_country(order.billing_country, order.billing_postcode)


_ADDRESS = "name company address1 address2 postcode city country".split()


def group_key(order: Order) -> tuple[Any, ...]:
    """What orders must share to be in one invoice: all that is printed or booked of a buyer.

    An order that was paid in the shop has an invoice of its own.
    """
    addresses = tuple(
        getattr(order, f"{use}_{part}") for use in ("billing", "shipping") for part in _ADDRESS
    )
    is_paid = order.payment_status != Order.PaymentStatus.UNPAID
    return (
        order.customer_id,
        order.shop_id,
        order.currency,
        order.invoiced_regime,
        order.exemption_sentence,
        order.vat_number,
        addresses,
        order.pk if is_paid else None,
    )


def _told(note: DeliveryNote, order: Order, lines: int) -> dict[str, Any]:
    """A note of a grouped invoice as it is printed above its lines."""
    shipped = business_date(note.shipped_at) if note.shipped_at else None
    return {
        "order": order.number,
        "number": note.number,
        "shipped_on": shipped.isoformat() if shipped else "",
        "lines": lines,
    }


def tax_rows(amounts: Mapping[Decimal, RateAmounts]) -> list[TaxBreakdown]:
    """The breakdown rows of `amounts`, highest rate first."""
    return [
        TaxBreakdown(tax_rate=a.rate, base_excl_tax=a.base, tax=a.tax, total_incl_tax=a.total)
        for a in amounts.values()
    ]


def fill_net(
    lines: Sequence[InvoiceLine], parts: Sequence[Part], amounts: Mapping[Decimal, RateAmounts]
) -> None:
    """Number lines and give them their net amounts, which make those of each rate."""
    for position, (line, part, net) in enumerate(
        zip(lines, parts, net_parts(parts, amounts), strict=True), start=1
    ):
        line.position = position
        line.total_incl_tax = part.total
        line.amount_excl_tax, line.discount_excl_tax = net.amount, net.discount
        line.total_excl_tax = net.amount - net.discount
