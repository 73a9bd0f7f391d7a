"""From what a shop wrote to amounts incl. tax that add up to its total, to the cent.

The total charged is a fact; lines, shipping and discounts must explain it, else the order is
set aside. VAT is taken out of amounts incl. tax, rounded once per rate.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from sales.drafts import LineDraft, OrderDraft
from sales.errors import TotalMismatch
from sales.services.parts import charge, including, shipping_by_rate
from sales.services.tax_rates import TaxFacts, stated_by_rate, states_no_tax
from sales.services.tax_ways import Way, rate_of_all, ways_of_taxing
from sphinx.core.money import HUNDRED, ZERO, settle, spread, tax_included, to_cents, to_unit_price
from sphinx.core.texts import said


class PricedLine(NamedTuple):
    """A line in EUR incl. tax; `total` is after its own discount, before the order's."""

    draft: LineDraft
    tax_rate: Decimal
    unit_price: Decimal
    discount: Decimal
    total: Decimal
    order_discount: Decimal


class RateTotal(NamedTuple):
    """An order's amount at one rate: incl. tax, and the VAT in it."""

    rate: Decimal
    total: Decimal
    tax: Decimal


class PricedOrder(NamedTuple):
    """An order in EUR incl. tax; lines + shipping − discount = its total.

    `stated_tax` is the VAT that the file states where no way of taxing gives it, or where the firm
    charges none; else None.
    """

    lines: tuple[PricedLine, ...]
    shipping: Decimal
    shipping_tax_rate: Decimal | None
    discount: Decimal
    taxes: tuple[RateTotal, ...]
    stated_tax: Decimal | None = None

    @property
    def total_tax(self) -> Decimal:
        return sum((t.tax for t in self.taxes), ZERO)


def price_order(
    draft: OrderDraft,
    product_rates: Mapping[str, Decimal | None],
    *,
    franchise: bool = False,
    states_vat: bool = False,
    untaxed_rate: Decimal | None = None,
) -> PricedOrder:
    """Price an order in the way that gives the VAT that its shop states; see TaxFacts.

    Where no way does, it is priced as charged and `stated_tax` holds what the file says. A firm in
    franchise keeps what was paid, without VAT, whatever its shop or its articles say.

    Raises:
        TaxUndecided: a line's rate can't be found.
        TotalMismatch: the parts don't make the total, to the cent.
    """
    facts = TaxFacts(product_rates, franchise, states_vat, untaxed_rate)
    priced = _priced_as_charged(draft, facts)
    return _without_tax(priced) if franchise else priced


def _without_tax(priced: PricedOrder) -> PricedOrder:
    """The same amounts as a firm in franchise must invoice them (CGI, art. 293 B)."""
    total = sum((t.total for t in priced.taxes), ZERO)
    return priced._replace(
        lines=tuple(line._replace(tax_rate=ZERO) for line in priced.lines),
        shipping_tax_rate=None if priced.shipping_tax_rate is None else ZERO,
        taxes=(RateTotal(ZERO, total, ZERO),),
        stated_tax=priced.total_tax or None,
    )


def _priced_as_charged(draft: OrderDraft, facts: TaxFacts) -> PricedOrder:
    states_vat = facts.states_vat
    usual: PricedOrder | None = None
    mismatch: TotalMismatch | None = None
    for way in ways_of_taxing(draft, facts):
        try:
            priced = _priced_in(draft, way)
        except TotalMismatch as error:
            mismatch = mismatch or error
            continue
        if _is_as_stated(draft, priced) or (states_no_tax(draft) and not states_vat):
            return priced
        usual = usual or priced
    if usual is None:
        raise mismatch or TotalMismatch(draft.number)
    return _rounded_by_piece(draft, usual)


def _priced_in(draft: OrderDraft, way: Way) -> PricedOrder:
    """The order in one way of taxing it; raises TotalMismatch when that isn't its total."""
    rates, shipping_rate = way.rates, way.shipping_rate
    shipping = charge(draft, draft.shipping_amount, shipping_rate, rates)
    discount = charge(draft, draft.discount, way.discount_rate, rates)
    target = draft.total_incl_tax - shipping + discount
    totals = _totals_as_taxed(draft, rates, shipping, shipping_rate, target)
    if totals is None:
        totals = _line_totals(draft, rates, target)
    shares = _discount_shares(discount, totals, shipping, way)
    lines = tuple(
        _priced(draft, line, rate, total, share)
        for line, rate, total, share in zip(draft.lines, rates, totals, shares, strict=True)
    )
    shipping_net = shipping - (discount - sum(shares, ZERO))
    taxes = order_taxes(lines, shipping_net, shipping_rate)
    return PricedOrder(
        lines, shipping, shipping_rate, discount, _with_stated(draft, taxes, len(lines))
    )


def _discount_shares(
    discount: Decimal, totals: Sequence[Decimal], shipping: Decimal, way: Way
) -> list[Decimal]:
    """Each line's share of the order's discount; what is left comes off shipping."""
    goods = sum(totals, ZERO)
    if not (goods and discount):
        return [ZERO] * len(totals)
    if way.discounts_shipping and discount < goods:
        return spread(discount, [*totals, shipping])[: len(totals)]
    bearing = [
        total if way.discount_rate in (None, rate) else ZERO
        for total, rate in zip(totals, way.rates, strict=True)
    ]
    if sum(bearing, ZERO) < discount:
        bearing = list(totals)
    return spread(min(discount, goods), bearing)


def order_taxes(
    lines: Sequence[PricedLine], shipping: Decimal, shipping_rate: Decimal | None
) -> tuple[RateTotal, ...]:
    """Amounts and VAT by rate of a whole order, highest rate first."""
    goods: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        goods[line.tax_rate] += line.total - line.order_discount
    totals = dict(goods)
    for rate, amount in shipping_by_rate(goods, shipping, shipping_rate).items():
        totals[rate] = totals.get(rate, ZERO) + amount
    return tuple(
        RateTotal(rate, totals[rate], tax_included(totals[rate], rate))
        for rate in sorted(totals, reverse=True)
    )


def _with_stated(
    draft: OrderDraft, taxes: tuple[RateTotal, ...], line_count: int
) -> tuple[RateTotal, ...]:
    """Take the shop's own VAT by rate where it rounds otherwise (1 cent a line at most)."""
    if not draft.stated_taxes:
        return taxes
    stated = _stated_by_rate(draft, taxes)
    allowed = max(Decimal(line_count) / HUNDRED, draft.tolerance)
    if not stated and len(draft.stated_taxes) == 1:
        return _with_whole(taxes, draft.stated_taxes[0].amount, allowed)
    return tuple(
        t._replace(tax=stated[t.rate])
        if t.rate in stated and abs(stated[t.rate] - t.tax) <= allowed
        else t
        for t in taxes
    )


def _stated_by_rate(draft: OrderDraft, taxes: Sequence[RateTotal]) -> dict[Decimal, Decimal]:
    """The VAT that the shop states by rate; several taxes on one base are one."""
    stated = stated_by_rate(draft)
    taxed = [t.rate for t in taxes if t.rate]
    if len(taxed) == 1 and taxed[0] not in stated and taxed[0] == rate_of_all(draft):
        return {taxed[0]: sum(stated.values(), ZERO)}
    return stated


def _with_whole(
    taxes: tuple[RateTotal, ...], whole: Decimal, allowed: Decimal
) -> tuple[RateTotal, ...]:
    """The VAT stated as one sum: what rounding leaves goes to the largest amount."""
    taxed = [t for t in taxes if t.rate]
    gap = whole - sum((t.tax for t in taxed), ZERO)
    if not taxed or not gap or abs(gap) > allowed:
        return taxes
    largest = max(taxed, key=lambda t: t.tax)
    return tuple(t._replace(tax=t.tax + gap) if t is largest else t for t in taxes)


def _is_as_stated(draft: OrderDraft, priced: PricedOrder) -> bool:
    """True when the order bears the VAT that the file states, by rate; it may state none."""
    if not draft.stated_taxes:
        return True
    stated = {r: a for r, a in _stated_by_rate(draft, priced.taxes).items() if a}
    if stated:
        return stated == {t.rate: t.tax for t in priced.taxes if t.tax}
    return priced.total_tax == sum((t.amount for t in draft.stated_taxes), ZERO)


def _rounded_by_piece(draft: OrderDraft, priced: PricedOrder) -> PricedOrder:
    """The shop's VAT where it rounds the tax of each piece; else ours, with what it states."""
    stated = sum((t.amount for t in draft.stated_taxes), ZERO)
    pieces = sum((line.quantity for line in draft.lines), ZERO)
    taxes = _with_whole(priced.taxes, stated, pieces / HUNDRED) if stated else priced.taxes
    as_stated = priced._replace(taxes=taxes)
    if as_stated.total_tax == stated and len([t for t in taxes if t.rate]) == 1:
        return as_stated
    return priced._replace(stated_tax=stated)


def _line_totals(draft: OrderDraft, rates: Sequence[Decimal], target: Decimal) -> list[Decimal]:
    """Each line's total incl. tax, rounded the way that meets `target`.

    Shops round per piece, per line, per rate or once: the first way that gives the shop's
    total is the shop's.
    """
    exact = [
        including(draft, line.quantity * line.unit_price - line.discount, rate)
        for line, rate in zip(draft.lines, rates, strict=True)
    ]
    per_line = [to_cents(amount) for amount in exact]
    if sum(per_line, ZERO) == target:
        return per_line
    per_piece = [
        to_cents(line.quantity * to_cents(including(draft, line.unit_price, rate)))
        - to_cents(including(draft, line.discount, rate))
        for line, rate in zip(draft.lines, rates, strict=True)
    ]
    if sum(per_piece, ZERO) == target:
        return per_piece
    by_rate: dict[Decimal, Decimal] = defaultdict(Decimal)
    for amount, rate in zip(exact, rates, strict=True):
        by_rate[rate] += amount
    per_rate = sum((to_cents(amount) for amount in by_rate.values()), ZERO)
    whole = to_cents(sum(exact, Decimal(0)))
    if target in (per_rate, whole) or _is_shops_rounding(draft, per_line, target):
        return settle(target, exact)
    found = to_cents(sum(per_line, ZERO) + draft.total_incl_tax - target)
    raise TotalMismatch(
        _(
            "Commande %(number)s : les lignes, le port et la remise font %(found)s, le total du "
            "fichier est %(total)s (écart %(gap)s). Corrigez l'export ou la commande à la boutique."
        )
        % said(
            {
                "number": draft.number,
                "found": found,
                "total": draft.total_incl_tax,
                "gap": draft.total_incl_tax - found,
            }
        ),
        line=draft.line,
        column="total_incl_tax",
    )


def _totals_as_taxed(
    draft: OrderDraft,
    rates: Sequence[Decimal],
    shipping: Decimal,
    shipping_rate: Decimal | None,
    target: Decimal,
) -> list[Decimal] | None:
    """Each line's total incl. tax where prices exclude tax and the VAT of each rate is stated.

    Then a rate's lines come to its base plus its VAT, less shipping: the invoice has the same
    base, VAT and total by rate. None where the order doesn't say all that, or says it otherwise.
    """
    if draft.prices_include_tax or draft.charges_include_tax or draft.discount:
        return None
    if not (stated := stated_by_rate(draft)):
        return None
    by_rate: dict[Decimal, list[int]] = defaultdict(list)
    for place, rate in enumerate(rates):
        by_rate[rate].append(place)
    if shipping and shipping_rate not in by_rate:
        return None
    totals = [ZERO] * len(rates)
    for rate, places in by_rate.items():
        bases = [
            draft.lines[p].quantity * draft.lines[p].unit_price - draft.lines[p].discount
            for p in places
        ]
        charged = to_cents(sum(bases, ZERO)) + stated.get(rate, ZERO)
        if rate == shipping_rate:
            charged += to_cents(draft.shipping_amount) - shipping
        exact = [including(draft, base, rate) for base in bases]
        if abs(charged - sum(exact, ZERO)) > Decimal(len(places) + 1) / HUNDRED:
            return None
        for place, total in zip(places, settle(charged, exact), strict=True):
            totals[place] = total
    return totals if sum(totals, ZERO) == target else None


def _is_shops_rounding(draft: OrderDraft, per_line: Sequence[Decimal], target: Decimal) -> bool:
    """True when the lines are no further from the total than the shop's rounding explains.

    With prices excl. tax the shop's VAT may be a cent off a line; its total still rules.
    """
    allowed = draft.tolerance
    if not draft.prices_include_tax and draft.stated_taxes:
        allowed = max(allowed, Decimal(len(per_line)) / HUNDRED)
    return abs(sum(per_line, ZERO) - target) <= allowed


def _priced(
    draft: OrderDraft, line: LineDraft, rate: Decimal, total: Decimal, share: Decimal
) -> PricedLine:
    discount = to_cents(including(draft, line.discount, rate))
    return PricedLine(
        draft=line,
        tax_rate=rate,
        unit_price=to_unit_price(including(draft, line.unit_price, rate)),
        discount=discount,
        total=total,
        order_discount=share,
    )
