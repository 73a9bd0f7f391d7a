"""Which VAT rate each line of an order bears: the file's, the article's, else by the amounts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product as combinations
from typing import NamedTuple

from django.utils.translation import gettext as _

from sales.drafts import OrderDraft
from sales.errors import TaxUndecided
from sales.services.parts import charge, including, shipping_by_rate
from sphinx.core.money import HUNDRED, ZERO, spread, tax_included, to_cents
from sphinx.core.territories import leaves_union, vat_place
from sphinx.core.validators import compact_vat_number, is_vat_number
from sphinx.core.vat import FRENCH_RATES

# Beyond this many possible splits of lines over rates, a human decides.
MAX_SPLITS = 4096


class TaxFacts(NamedTuple):
    """What is known of VAT beside the order itself.

    `product_rates` gives percent by article key; `franchise` is True for a firm that charges no VAT
    (CGI, art. 293 B). Of the shop: `states_vat` is True where its exports state VAT, so that a
    stated 0 is a statement; `untaxed_rate` is what its untaxed prices contain, None unless said.
    """

    product_rates: Mapping[str, Decimal | None] = {}
    franchise: bool = False
    states_vat: bool = False
    untaxed_rate: Decimal | None = None


def line_rates(draft: OrderDraft, facts: TaxFacts) -> list[Decimal]:
    """Each line's rate: the file's, the only one stated, the product's, else by the amounts.

    Raises:
        TaxUndecided: none of them tells.
    """
    rates = [line.tax_rate for line in draft.lines]
    if None not in rates:
        return _complete(rates)
    if states_no_tax(draft) and (
        facts.franchise or facts.states_vat or is_untaxed_destination(draft)
    ):
        return [r if r is not None else ZERO for r in rates]
    named = stated_rates(draft)
    if facts.franchise and not named:
        return [r if r is not None else ZERO for r in rates]
    if len(named) == 1:
        return [named[0] if r is None else r for r in rates]
    guessed = [
        r if r is not None else facts.product_rates.get(line.article_key)
        for r, line in zip(rates, draft.lines, strict=True)
    ]
    if states_no_tax(draft) and facts.untaxed_rate is not None:
        guessed = [facts.untaxed_rate if r is None else r for r in guessed]
    guessed = _free_lines_follow(draft, guessed)
    if _owes_nothing(draft):
        # No VAT is due whatever the rate: the order never waits for one.
        common = named[0] if named else FRENCH_RATES[0]
        guessed = [common if r is None else r for r in guessed]
    if None not in guessed and (not named or set(guessed) <= set(named) or _owes_nothing(draft)):
        return _complete(guessed)
    if named:
        return _split_over(draft, rates, guessed, named)
    uniform = _only_uniform_rate(draft)
    if uniform is not None:
        return [uniform] * len(rates)
    raise _undecided(draft, guessed)


def stated_rates(draft: OrderDraft) -> list[Decimal]:
    """The rates that the order names, highest first."""
    return sorted({t.rate for t in draft.stated_taxes if t.rate is not None}, reverse=True)


def stated_by_rate(draft: OrderDraft) -> dict[Decimal, Decimal]:
    """The VAT that the order states, by the rates that it names."""
    stated: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for tax in draft.stated_taxes:
        if tax.rate is not None:
            stated[tax.rate] += tax.amount
    return dict(stated)


def _owes_nothing(draft: OrderDraft) -> bool:
    return (
        not draft.total_incl_tax or draft.state == "cancelled" or draft.payment_status == "refunded"
    )


def _undecided(draft: OrderDraft, rates: Sequence[Decimal | None]) -> TaxUndecided:
    blank = next(line for line, r in zip(draft.lines, rates, strict=True) if r is None)
    cause = ""
    if states_no_tax(draft):
        cause = _(
            "Les exports de cette boutique ne disent aucune TVA : dites une fois s'il faut en "
            "compter, et à quel taux (Passerelle › Questions). Les commandes entreront d'elles-"
            "mêmes."
        )
    return TaxUndecided(
        _(
            "Commande %(number)s, article « %(sku)s » : taux de TVA inconnu. Donnez-le dans le "
            "fichier (tax_rate) ou sur la fiche article, puis rejouez la commande."
        )
        % {"number": draft.number, "sku": blank.sku or blank.label},
        line=blank.line or draft.line,
        column="tax_rate",
        cause=cause,
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


def states_no_tax(draft: OrderDraft) -> bool:
    """True where the order says that it bears no VAT."""
    return bool(draft.stated_taxes) and not any(t.amount for t in draft.stated_taxes)


def _only_uniform_rate(draft: OrderDraft) -> Decimal | None:
    """The one rate that, on everything, gives the VAT stated without a rate."""
    stated = sum((t.amount for t in draft.stated_taxes), ZERO)
    if not stated or any(line.tax_rate is not None for line in draft.lines):
        return None
    count = len(draft.lines)
    fitting = [
        r
        for r in FRENCH_RATES
        if r and _is_of_total(draft, r, stated) and _gives(draft, [r] * count, {r: stated})
    ]
    return fitting[0] if len(fitting) == 1 else None


def _is_of_total(draft: OrderDraft, rate: Decimal, stated: Decimal) -> bool:
    """True where the rate, on all that was charged, gives the VAT but for a cent a line.

    What prices rounded by piece leave open doesn't touch it: total and VAT are both stated.
    """
    if draft.shipping_amount and draft.shipping_tax_rate not in (None, rate):
        return True
    allowed = Decimal(len(draft.lines) + 1) / HUNDRED
    return abs(tax_included(draft.total_incl_tax, rate) - stated) <= allowed


def is_untaxed_destination(draft: OrderDraft) -> bool:
    """Sent out of the Union (or overseas), or to a professional of another member state."""
    destination = draft.shipping if draft.shipping.country else draft.billing
    country = destination.country
    if not country:
        return False
    if leaves_union(country, destination.postcode):
        return True
    number = compact_vat_number(draft.customer.vat_number)
    return vat_place(country, destination.postcode) != "FR" and is_vat_number(number)


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
    stated = stated_by_rate(draft)
    return [list(c) for c in combinations(*choices) if _gives(draft, c, stated)]


def _gives(draft: OrderDraft, rates: Sequence[Decimal], stated: Mapping[Decimal, Decimal]) -> bool:
    totals = [
        to_cents(including(draft, line.quantity * line.unit_price - line.discount, rate))
        for line, rate in zip(draft.lines, rates, strict=True)
    ]
    whole = sum(totals, ZERO)
    discount = min(charge(draft, draft.discount, None, rates), whole)
    shares = spread(discount, totals) if whole else totals
    goods: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for total, share, rate in zip(totals, shares, rates, strict=True):
        goods[rate] += total - share
    shipping = charge(draft, draft.shipping_amount, draft.shipping_tax_rate, rates)
    for rate, amount in shipping_by_rate(goods, shipping, draft.shipping_tax_rate).items():
        goods[rate] = goods.get(rate, ZERO) + amount
    taxed = {rate for rate in goods if rate}
    return {rate for rate in stated if rate} == taxed and all(
        abs(tax_included(goods[rate], rate) - amount) <= draft.tolerance
        for rate, amount in stated.items()
        if rate
    )
