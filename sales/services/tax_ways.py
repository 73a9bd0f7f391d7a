"""How a shop may have taxed an order, told by the VAT that it states.

Shops leave shipping untaxed, tax it alone or at one article's rate, tax duties like the goods, put
two taxes on one base (GST and PST, state and county), take a voucher off one article. A file says
only the sums: of these ways the first that gives every stated sum to the cent is the shop's.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from sales.drafts import DUTIES, OrderDraft
from sales.errors import TaxUndecided
from sales.services.tax_rates import TaxFacts, line_rates, stated_rates, states_no_tax
from sphinx.core.money import ZERO, to_cents
from sphinx.core.vat import NORMAL_RATE


class Way(NamedTuple):
    """Rates (percent) of the lines, of shipping (None: in proportion to the goods), and of the
    lines that bear the order's discount (None: all); shipping may bear its share of it."""

    rates: tuple[Decimal, ...]
    shipping_rate: Decimal | None
    discount_rate: Decimal | None = None
    discounts_shipping: bool = False


def ways_of_taxing(draft: OrderDraft, facts: TaxFacts) -> Iterator[Way]:
    """The ways to try, the most usual first.

    Raises:
        TaxUndecided: at the end, when the lines' rates aren't known.
    """
    undecided: TaxUndecided | None = None
    usual: list[Decimal] = []
    try:
        usual = line_rates(draft, facts)
    except TaxUndecided as error:
        undecided = error
    if usual or not draft.lines:
        yield Way(tuple(usual), _usual_shipping_rate(draft, usual))
    if draft.stated_taxes and not states_no_tax(draft):
        for rates in _unique([tuple(usual), *_other_rates(draft, usual)]):
            yield from _variants(draft, rates)
    if undecided is not None:
        raise undecided


def _usual_shipping_rate(draft: OrderDraft, rates: Iterable[Decimal]) -> Decimal | None:
    if draft.shipping_tax_rate is not None:
        return draft.shipping_tax_rate
    different = set(rates)
    return different.pop() if len(different) == 1 else None


def _unique(items: Iterable[tuple[Decimal, ...]]) -> list[tuple[Decimal, ...]]:
    return [rates for rates in dict.fromkeys(items) if rates]


def _other_rates(draft: OrderDraft, usual: list[Decimal]) -> Iterator[tuple[Decimal, ...]]:
    """Other rates of the lines than those that they seem to bear."""
    together = rate_of_all(draft)
    if together is not None:
        yield tuple(ZERO if line.tax_rate == 0 else together for line in draft.lines)
    if usual and any(line.kind == DUTIES for line in draft.lines):
        main = max(set(usual), key=usual.count) or max(usual)
        yield tuple(
            main if line.kind == DUTIES else rate
            for line, rate in zip(draft.lines, usual, strict=True)
        )
    if draft.shipping_amount:
        yield tuple(ZERO for _line in draft.lines)


def rate_of_all(draft: OrderDraft) -> Decimal | None:
    """The one rate that several taxes on one base come to; None unless several are named."""
    named = [t.rate for t in draft.stated_taxes if t.rate and t.amount]
    return to_cents(sum(named, ZERO)) if len(named) > 1 else None


def _variants(draft: OrderDraft, rates: tuple[Decimal, ...]) -> Iterator[Way]:
    """The same lines with shipping, and the order's discount, taxed in each usual way."""
    usual = _usual_shipping_rate(draft, rates)
    shipping: list[Decimal | None] = [usual]
    if draft.shipping_amount and draft.shipping_tax_rate is None:
        dearest = max(
            zip(draft.lines, rates, strict=True), key=lambda p: p[0].quantity * p[0].unit_price
        )[1]
        shipping += [ZERO, dearest, *stated_rates(draft), NORMAL_RATE, None]
    discount: list[Decimal | None] = [None]
    if draft.discount and len(set(rates)) > 1:
        discount += sorted(set(rates), reverse=True)
    for shipping_rate in dict.fromkeys(shipping):
        if any(rates) or shipping_rate:
            for discount_rate in discount:
                yield Way(rates, shipping_rate, discount_rate)
        if (
            draft.discount
            and shipping_rate is not None
            and {*rates, shipping_rate} != {shipping_rate}
        ):
            # WooCommerce takes a negative fee off everything, shipping included.
            yield Way(rates, shipping_rate, discounts_shipping=True)
