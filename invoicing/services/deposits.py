"""What was invoiced as down payments and isn't taken off an invoice of goods yet.

The tax on a down payment falls due when it is received (CGI art. 269, 2, a), so it stands on a
document of its own; the invoices of the goods take it off, net and tax, rate by rate.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.mentions import language_of
from invoicing.models import Invoice, InvoiceLine, TaxBreakdown
from sales.models import Order
from sphinx.core.money import HUNDRED, ZERO, to_cents, to_unit_price

_Amounts = dict[Decimal, tuple[Decimal, Decimal]]


class Deposits:
    """Down payments of some orders, EUR incl. tax by rate; fetched once."""

    def __init__(self, order_ids: Iterable[int]) -> None:
        self._documents: dict[int, list[Invoice]] = defaultdict(list)
        self._left: dict[int, dict[Decimal, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        # Credited down payments, by rate: (incl. tax, VAT); the goods are invoiced without them.
        self.credited: dict[int, _Amounts] = defaultdict(dict)
        found = Invoice.objects.filter(order__in=list(order_ids), is_down_payment=True)
        for invoice in found.order_by("chain_index"):
            self._documents[invoice.order_id].append(invoice)
        if self._documents:
            self._fill()

    def _fill(self) -> None:
        for row in self._sums(TaxBreakdown.objects.filter(invoice__is_down_payment=True)):
            self._left[row["invoice__order"]][row["tax_rate"]] += to_cents(row["total"])
        credits_made = TaxBreakdown.objects.filter(invoice__credited_invoice__is_down_payment=True)
        for row in self._sums(credits_made, tax=Sum("tax")):
            order, rate, total = row["invoice__order"], row["tax_rate"], to_cents(row["total"])
            self._left[order][rate] -= total
            self.credited[order][rate] = (total, to_cents(row["tax"]))
        taken_off = InvoiceLine.objects.filter(
            kind=InvoiceLine.Kind.DEPOSIT,
            invoice__kind=Invoice.Kind.INVOICE,
            invoice__is_down_payment=False,
        )
        for row in self._sums(taken_off):
            # Lines that take off are below zero.
            self._left[row["invoice__order"]][row["tax_rate"]] += to_cents(row["total"])

    def _sums(self, rows: Any, **more: Any) -> Iterable[dict[str, Any]]:
        found: Iterable[dict[str, Any]] = (
            rows.filter(invoice__order__in=list(self._documents))
            .order_by()
            .values("invoice__order", "tax_rate")
            .annotate(total=Sum("total_incl_tax"), **more)
        )
        return found

    def references(self, order_id: int) -> list[dict[str, str]]:
        """The documents that the order's final invoices refer to."""
        return [
            {"number": invoice.number, "issued_on": invoice.issued_on.isoformat()}
            for invoice in self._documents.get(order_id, ())
        ]

    def take_off(self, order: Order, lines: Sequence[InvoiceLine]) -> list[InvoiceLine]:
        """Lines that take off what is left, at each rate no more than the goods make."""
        if order.pk not in self._documents:
            return []
        left, goods = self._left[order.pk], defaultdict[Decimal, Decimal](Decimal)
        for line in lines:
            goods[line.tax_rate] += line.amount_incl_tax - line.discount_incl_tax
        numbers = ", ".join(invoice.number for invoice in self._documents[order.pk])
        with translation.override(language_of(order)):
            label = _("Acompte déduit (%s)") % numbers
        found = []
        for rate in sorted(goods, reverse=True):
            part = min(left[rate], goods[rate])
            if part > 0:
                left[rate] -= part
                found.append(deposit_line(label, rate, part, pieces=Decimal(-1)))
        return found


def deposit_line(label: str, rate: Decimal, amount: Decimal, *, pieces: Decimal) -> InvoiceLine:
    """A line of a down payment (EUR incl. tax): one piece, or minus one to take it off."""
    return InvoiceLine(
        kind=InvoiceLine.Kind.DEPOSIT,
        label=label[:200],
        quantity=pieces,
        tax_rate=rate,
        unit_price_excl_tax=to_unit_price(amount * HUNDRED / (HUNDRED + rate)),
        amount_incl_tax=amount * pieces,
        discount_incl_tax=ZERO,
    )
