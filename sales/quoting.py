"""The arithmetic of a quote: amounts excl. tax, VAT by rate, and the order that it becomes.

Each line's total excl. tax is rounded once; VAT is worked out on each rate's sum, shipping
included, and rounded once a rate (CGI ann. II, art. 242 nonies A asks for it by rate). The order
states the same VAT, so that its invoices have the quote's base, VAT and total to the cent.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from customers.drafts import AddressDraft, CustomerDraft
from sales.drafts import LineDraft, OrderDraft, StatedTax
from sales.models import Quote, QuoteLine
from sphinx.core.money import HUNDRED, ZERO, to_cents, to_unit_price


class QuoteTax(NamedTuple):
    """A rate (percent) of a quote: base excl. tax and VAT, EUR."""

    rate: Decimal
    base: Decimal
    tax: Decimal


def line_total(quantity: Decimal, unit_price: Decimal, discount_percent: Decimal) -> Decimal:
    """EUR excl. tax, after the line's discount, half up."""
    return to_cents(quantity * unit_price * (HUNDRED - discount_percent) / HUNDRED)


def quote_taxes(
    lines: Iterable[tuple[Decimal, Decimal]], shipping: Decimal, shipping_rate: Decimal
) -> list[QuoteTax]:
    """VAT by rate of lines given as rate and total excl. tax, highest rate first."""
    bases: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for rate, total in lines:
        bases[rate] += total
    if shipping:
        bases[shipping_rate] += shipping
    return [
        QuoteTax(rate, bases[rate], to_cents(bases[rate] * rate / HUNDRED))
        for rate in sorted(bases, reverse=True)
    ]


def most_of(lines: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """The rate of most of the goods: shipping follows it unless somebody says otherwise."""
    sums: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for rate, total in lines:
        sums[rate] += total
    return max(sums, key=lambda rate: (sums[rate], rate), default=ZERO)


def order_draft(quote: Quote, lines: Iterable[QuoteLine], *, ref: str, at: datetime) -> OrderDraft:
    """The order of an accepted quote, not paid yet; `ref` names the customer in the shop."""
    customer = quote.customer
    return OrderDraft(
        external_id=quote.number,
        number=quote.number,
        placed_at=at,
        state="confirmed",
        payment_status="unpaid",
        customer=CustomerDraft(ref=ref, email=customer.email, vat_number=quote.vat_number),
        lines=tuple(_order_line(line) for line in lines),
        total_incl_tax=quote.total_incl_tax,
        billing=_address(quote, "billing"),
        shipping=_address(quote, "shipping"),
        prices_include_tax=False,
        charges_include_tax=False,
        shipping_amount=quote.shipping_excl_tax,
        shipping_tax_rate=quote.shipping_tax_rate if quote.shipping_excl_tax else None,
        stated_taxes=tuple(StatedTax(Decimal(t["rate"]), Decimal(t["tax"])) for t in quote.taxes),
        note=quote.reference,
    )


def _order_line(line: QuoteLine) -> LineDraft:
    exact = line.quantity * line.unit_price_excl_tax
    gross = to_cents(exact)
    price = line.unit_price_excl_tax if exact == gross else to_unit_price(gross / line.quantity)
    return LineDraft(
        sku=line.sku if line.product_id else "",
        label=line.label,
        quantity=line.quantity,
        unit_price=price,
        tax_rate=line.tax_rate,
        # Whatever makes the line's own total, rounded as the customer saw it.
        discount=gross - line.total_excl_tax,
        line=line.position,
    )


def _address(quote: Quote, prefix: str) -> AddressDraft:
    names = ("name", "company", "address1", "address2", "postcode", "city", "country")
    return AddressDraft(*(getattr(quote, f"{prefix}_{name}") for name in names))
