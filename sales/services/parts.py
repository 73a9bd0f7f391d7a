"""The parts of an order incl. tax: what a line, shipping or a discount comes to at a rate."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sales.drafts import OrderDraft
from sphinx.core.money import HUNDRED, ZERO, spread, to_cents


def shipping_by_rate(
    goods: Mapping[Decimal, Decimal], shipping: Decimal, rate: Decimal | None
) -> dict[Decimal, Decimal]:
    """Shipping incl. tax by VAT rate: its own rate, else in proportion to the goods.

    The accessory follows the principal (CJEU C-349/96, Card Protection Plan); `goods` are
    amounts incl. tax by rate.
    """
    if not shipping:
        return {}
    if rate is not None:
        return {rate: shipping}
    rates = sorted(goods, reverse=True)
    if not sum(goods.values(), ZERO):
        return {rates[0]: shipping}
    return dict(zip(rates, spread(shipping, [goods[r] for r in rates]), strict=True))


def charge(
    draft: OrderDraft, amount: Decimal, rate: Decimal | None, rates: Sequence[Decimal]
) -> Decimal:
    """Shipping or the order's discount, incl. tax."""
    if draft.charges_include_tax or not amount:
        return to_cents(amount)
    if rate is None:
        rate = max(set(rates), key=rates.count)
    return to_cents(amount * (HUNDRED + rate) / HUNDRED)


def including(draft: OrderDraft, amount: Decimal, rate: Decimal) -> Decimal:
    """An amount of a line incl. tax, unrounded."""
    return amount if draft.prices_include_tax else amount * (HUNDRED + rate) / HUNDRED
