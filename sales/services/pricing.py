"""From what a shop wrote to amounts incl. tax that add up to its total, to the cent.

The total charged is a fact; lines, shipping and discounts must explain it, else the order is
set aside. VAT is taken out of amounts incl. tax, rounded once per rate.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product as combinations
from typing import NamedTuple

from django.utils.translation import gettext as _

from sales.drafts import LineDraft, OrderDraft
from sales.errors import TaxUndecided, TotalMismatch
from sphinx.core.money import HUNDRED, ZERO, settle, spread, tax_included, to_cents, to_unit_price
from sphinx.core.texts import said, sku_key
from sphinx.core.validators import compact_vat_number, is_vat_number
from sphinx.core.vat import FRENCH_RATES, leaves_union

# Beyond this many possible splits of lines over rates, a human decides.
MAX_SPLITS = 4096


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
    """An order in EUR incl. tax; lines + shipping − discount = its total."""

    lines: tuple[PricedLine, ...]
    shipping: Decimal
    shipping_tax_rate: Decimal | None
    discount: Decimal
    taxes: tuple[RateTotal, ...]

    @property
    def total_tax(self) -> Decimal:
        return sum((t.tax for t in self.taxes), ZERO)


def price_order(
    draft: OrderDraft, product_rates: Mapping[str, Decimal | None], *, franchise: bool = False
) -> PricedOrder:
    """Price an order; `product_rates` gives percent by sku_key for lines without a rate.

    `franchise` is True for a firm that charges no VAT (CGI, art. 293 B): where the shop states
    none, there is none.

    Raises:
        TaxUndecided: a line's rate can't be found.
        TotalMismatch: the parts don't make the total, to the cent.
    """
    rates = _line_rates(draft, product_rates, franchise=franchise)
    shipping_rate = draft.shipping_tax_rate
    if shipping_rate is None and len(set(rates)) == 1:
        shipping_rate = rates[0]
    shipping = _charge(draft, draft.shipping_amount, shipping_rate, rates)
    discount = _charge(draft, draft.discount, None, rates)
    target = draft.total_incl_tax - shipping + discount
    totals = _totals_as_taxed(draft, rates, shipping, shipping_rate, target)
    if totals is None:
        totals = _line_totals(draft, rates, target)
    goods = sum(totals, ZERO)
    # A discount larger than the goods eats into shipping; that part isn't the lines'.
    shares = spread(min(discount, goods), totals) if goods else [ZERO] * len(totals)
    lines = tuple(
        _priced(draft, line, rate, total, share)
        for line, rate, total, share in zip(draft.lines, rates, totals, shares, strict=True)
    )
    shipping_net = shipping - max(discount - goods, ZERO)
    taxes = order_taxes(lines, shipping_net, shipping_rate)
    return PricedOrder(
        lines, shipping, shipping_rate, discount, _as_stated(draft, taxes, len(lines))
    )


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


def _as_stated(
    draft: OrderDraft, taxes: tuple[RateTotal, ...], line_count: int
) -> tuple[RateTotal, ...]:
    """Take the shop's own VAT by rate where it rounds otherwise (1 cent a line at most)."""
    stated = {t.rate: t.amount for t in draft.stated_taxes if t.rate is not None}
    taxed = [t for t in taxes if t.rate]
    if not stated and len(draft.stated_taxes) == 1 and len(taxed) == 1:
        # The whole VAT is stated without a rate, and there is one.
        stated = {taxed[0].rate: draft.stated_taxes[0].amount}
    allowed = max(Decimal(line_count) / HUNDRED, draft.tolerance)
    return tuple(
        t._replace(tax=stated[t.rate])
        if t.rate in stated and abs(stated[t.rate] - t.tax) <= allowed
        else t
        for t in taxes
    )


def _charge(
    draft: OrderDraft, amount: Decimal, rate: Decimal | None, rates: Sequence[Decimal]
) -> Decimal:
    """Shipping or the order's discount, incl. tax."""
    if draft.charges_include_tax or not amount:
        return to_cents(amount)
    if rate is None:
        rate = max(set(rates), key=rates.count)
    return to_cents(amount * (HUNDRED + rate) / HUNDRED)


def _line_totals(draft: OrderDraft, rates: Sequence[Decimal], target: Decimal) -> list[Decimal]:
    """Each line's total incl. tax, rounded the way that meets `target`.

    Shops round per piece, per line, per rate or once: the first way that gives the shop's
    total is the shop's.
    """
    exact = [
        _including(draft, line.quantity * line.unit_price - line.discount, rate)
        for line, rate in zip(draft.lines, rates, strict=True)
    ]
    per_line = [to_cents(amount) for amount in exact]
    if sum(per_line, ZERO) == target:
        return per_line
    per_piece = [
        to_cents(line.quantity * to_cents(_including(draft, line.unit_price, rate)))
        - to_cents(_including(draft, line.discount, rate))
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
    stated = {t.rate: t.amount for t in draft.stated_taxes if t.rate is not None}
    if draft.prices_include_tax or draft.charges_include_tax or draft.discount or not stated:
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
        exact = [_including(draft, base, rate) for base in bases]
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


def _including(draft: OrderDraft, amount: Decimal, rate: Decimal) -> Decimal:
    return amount if draft.prices_include_tax else amount * (HUNDRED + rate) / HUNDRED


def _priced(
    draft: OrderDraft, line: LineDraft, rate: Decimal, total: Decimal, share: Decimal
) -> PricedLine:
    discount = to_cents(_including(draft, line.discount, rate))
    return PricedLine(
        draft=line,
        tax_rate=rate,
        unit_price=to_unit_price(_including(draft, line.unit_price, rate)),
        discount=discount,
        total=total,
        order_discount=share,
    )


def _line_rates(
    draft: OrderDraft, product_rates: Mapping[str, Decimal | None], *, franchise: bool
) -> list[Decimal]:
    """Each line's rate: the file's, the only one stated, the product's, else by the amounts."""
    rates = [line.tax_rate for line in draft.lines]
    if None not in rates:
        return _complete(rates)
    if _states_no_tax(draft) and (franchise or _is_untaxed_destination(draft)):
        return [r if r is not None else ZERO for r in rates]
    named = sorted({t.rate for t in draft.stated_taxes if t.rate is not None}, reverse=True)
    if len(named) == 1:
        return [named[0] if r is None else r for r in rates]
    guessed = [
        r if r is not None else product_rates.get(sku_key(line.sku))
        for r, line in zip(rates, draft.lines, strict=True)
    ]
    guessed = _free_lines_follow(draft, guessed)
    if None not in guessed and (not named or set(guessed) <= set(named)):
        return _complete(guessed)
    if named:
        return _split_over(draft, rates, guessed, named)
    uniform = _only_uniform_rate(draft)
    if uniform is not None:
        return [uniform] * len(rates)
    blank = next(line for line, r in zip(draft.lines, guessed, strict=True) if r is None)
    raise TaxUndecided(
        _(
            "Commande %(number)s, article « %(sku)s » : taux de TVA inconnu. Donnez-le dans le "
            "fichier (tax_rate) ou sur la fiche article, puis rejouez la commande."
        )
        % {"number": draft.number, "sku": blank.sku or blank.label},
        line=blank.line or draft.line,
        column="tax_rate",
    )


def _complete(rates: Sequence[Decimal | None]) -> list[Decimal]:
    return [rate for rate in rates if rate is not None]


def _free_lines_follow(draft: OrderDraft, rates: Sequence[Decimal | None]) -> list[Decimal | None]:
    """Nothing is due on a free line: it takes the rate of the others, any if there is none."""
    known = _complete(rates)
    others = max(set(known), key=known.count) if known else FRENCH_RATES[0]
    return [
        others if r is None and line.quantity * line.unit_price == line.discount else r
        for r, line in zip(rates, draft.lines, strict=True)
    ]


def _states_no_tax(draft: OrderDraft) -> bool:
    return bool(draft.stated_taxes) and not any(t.amount for t in draft.stated_taxes)


def _only_uniform_rate(draft: OrderDraft) -> Decimal | None:
    """The one rate that, on everything, gives the VAT stated without a rate."""
    stated = sum((t.amount for t in draft.stated_taxes), ZERO)
    if not stated or any(line.tax_rate is not None for line in draft.lines):
        return None
    count = len(draft.lines)
    fitting = [r for r in FRENCH_RATES if r and _gives(draft, [r] * count, {r: stated})]
    return fitting[0] if len(fitting) == 1 else None


def _is_untaxed_destination(draft: OrderDraft) -> bool:
    """Sent out of the Union (or overseas), or to a professional of another member state."""
    destination = draft.shipping if draft.shipping.country else draft.billing
    country = destination.country
    if not country:
        return False
    if leaves_union(country, destination.postcode):
        return True
    number = compact_vat_number(draft.customer.vat_number)
    return country not in ("FR", "MC") and is_vat_number(number)


def _split_over(
    draft: OrderDraft,
    rates: Sequence[Decimal | None],
    guessed: Sequence[Decimal | None],
    named: Sequence[Decimal],
) -> list[Decimal]:
    """The only split of lines over the stated rates that gives every stated VAT to the cent.

    What the products say is believed first, then only what the file says.
    """
    believed = [r if r in named else None for r in guessed]
    for fixed in (believed, rates) if believed != list(rates) else (rates,):
        fitting = _fitting_splits(draft, fixed, named)
        if len(fitting) == 1:
            return fitting[0]
    raise TaxUndecided(
        _(
            "Commande %(number)s : plusieurs taux de TVA (%(rates)s) et rien ne dit lequel "
            "s'applique à quel article. Donnez le taux sur les fiches articles, puis rejouez."
        )
        % {"number": draft.number, "rates": ", ".join(f"{r} %" for r in named)},
        line=draft.line,
        column="tax_rate",
    )


def _fitting_splits(
    draft: OrderDraft, rates: Sequence[Decimal | None], named: Sequence[Decimal]
) -> list[list[Decimal]]:
    choices = [(r,) if r is not None else tuple(named) for r in rates]
    size = 1
    for choice in choices:
        size *= len(choice)
    if size > MAX_SPLITS:
        return []
    stated = {t.rate: t.amount for t in draft.stated_taxes if t.rate is not None}
    return [list(c) for c in combinations(*choices) if _gives(draft, c, stated)]


def _gives(draft: OrderDraft, rates: Sequence[Decimal], stated: Mapping[Decimal, Decimal]) -> bool:
    totals = [
        to_cents(_including(draft, line.quantity * line.unit_price - line.discount, rate))
        for line, rate in zip(draft.lines, rates, strict=True)
    ]
    whole = sum(totals, ZERO)
    discount = min(_charge(draft, draft.discount, None, rates), whole)
    shares = spread(discount, totals) if whole else totals
    goods: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for total, share, rate in zip(totals, shares, rates, strict=True):
        goods[rate] += total - share
    shipping = _charge(draft, draft.shipping_amount, draft.shipping_tax_rate, rates)
    for rate, amount in shipping_by_rate(goods, shipping, draft.shipping_tax_rate).items():
        goods[rate] = goods.get(rate, ZERO) + amount
    taxed = {rate for rate in goods if rate}
    return {rate for rate in stated if rate} == taxed and all(
        abs(tax_included(goods[rate], rate) - amount) <= draft.tolerance
        for rate, amount in stated.items()
        if rate
    )
