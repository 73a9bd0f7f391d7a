"""The arithmetic of an invoice: from amounts charged, incl. tax, to net and VAT by rate.

1. The amount charged per rate is a fact. 2. VAT = gross × r / (100 + r), half up, once per
rate. 3. Net = gross − VAT. 4. Net is spread over the lines by largest remainder. So every
sum is exact and no rounding line is needed. Several invoices of one order are computed on
what has been invoiced so far, so that together they make the order's own amounts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sphinx.core.money import HUNDRED, ZERO, settle, spread, tax_included


class Part(NamedTuple):
    """A line to be invoiced, EUR incl. tax: `amount` before discount."""

    rate: Decimal
    amount: Decimal
    discount: Decimal

    @property
    def total(self) -> Decimal:
        return self.amount - self.discount


class NetPart(NamedTuple):
    """The same line excl. tax."""

    amount: Decimal
    discount: Decimal


class RateAmounts(NamedTuple):
    """An invoice's amounts at one rate, EUR."""

    rate: Decimal
    base: Decimal
    tax: Decimal
    total: Decimal


def taxes_by_rate(
    parts: Iterable[Part],
    *,
    invoiced: Mapping[Decimal, tuple[Decimal, Decimal]],
    ordered: Mapping[Decimal, tuple[Decimal, Decimal]],
) -> dict[Decimal, RateAmounts]:
    """VAT of an invoice by rate.

    `invoiced` is (incl. tax, VAT) of the order's earlier invoices by rate, `ordered` the same
    for the whole order as decided when it came in: the invoice that completes a rate takes
    what is left of it.
    """
    gross: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for part in parts:
        gross[part.rate] += part.total
    amounts = {}
    for rate in sorted(gross, reverse=True):
        before, tax_before = invoiced.get(rate, (ZERO, ZERO))
        after = before + gross[rate]
        whole, whole_tax = ordered.get(rate, (None, ZERO))
        tax_after = whole_tax if after == whole else tax_included(after, rate)
        tax = tax_after - tax_before
        amounts[rate] = RateAmounts(rate, gross[rate] - tax, tax, gross[rate])
    return amounts


def net_parts(parts: Sequence[Part], taxes: Mapping[Decimal, RateAmounts]) -> list[NetPart]:
    """Spread each rate's net over its lines, goods and discounts apart, to the cent."""
    nets: list[NetPart] = [NetPart(ZERO, ZERO)] * len(parts)
    for rate, amounts in taxes.items():
        indexes = [i for i, part in enumerate(parts) if part.rate == rate]
        weights = [w for i in indexes for w in (parts[i].amount, -parts[i].discount)]
        shares = _net_shares(amounts, weights)
        for n, i in enumerate(indexes):
            nets[i] = NetPart(shares[2 * n], -shares[2 * n + 1])
    return nets


def _net_shares(amounts: RateAmounts, weights: Sequence[Decimal]) -> list[Decimal]:
    if amounts.total:
        return spread(amounts.base, weights)
    # All discounted away: nothing is due, yet goods and discount keep their own net.
    factor = HUNDRED / (HUNDRED + amounts.rate)
    return settle(amounts.base, [w * factor for w in weights])


def credited_at(
    rate: Decimal,
    share: Decimal,
    charged: tuple[Decimal, Decimal],
    credited: tuple[Decimal, Decimal],
) -> RateAmounts:
    """A credit of `share` EUR incl. tax at a rate of an invoice that charged and was credited so
    far (incl. tax, VAT). The one that empties the rate takes its remaining VAT; none takes more."""
    vat_left = charged[1] - credited[1]
    is_last = share == charged[0] - credited[0]
    tax = vat_left if is_last else min(tax_included(share, rate), vat_left)
    return RateAmounts(rate, share - tax, tax, share)
