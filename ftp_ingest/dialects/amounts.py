"""What several kinds of shop have in common: lines given excl. tax with their tax, or by total."""

from collections.abc import Iterable
from decimal import Decimal

from sales.drafts import FEE, GIFT_CARD, GOODS, TIP, LineDraft, StatedTax
from sphinx.core.money import CENT, HUNDRED, ZERO, to_cents
from sphinx.core.texts import fold
from sphinx.core.vat import FRENCH_RATES
from sphinx.core.vat_rates import CURRENT_RATES

_TIPS = frozenset(("tip", "tips", "pourboire", "gratuity"))
_GIFT_CARDS = ("gift card", "carte cadeau", "cheque cadeau", "bon cadeau", "e gift card")


def rate_between(net: Decimal, tax: Decimal, named: Iterable[Decimal] = ()) -> Decimal | None:
    """The VAT rate (percent) that gives `tax` on `net`, to a cent; None when it can't be told.

    Small amounts leave several rates possible: the file's own come first, then the French
    ones, then those of the other member states; of one kind the nearest.
    """
    if not net:
        return None
    if not tax:
        return Decimal("0.00")
    exact = tax * HUNDRED / net
    for kind in (tuple(named), FRENCH_RATES, CURRENT_RATES):
        fitting = [r for r in kind if r and abs(net * r / HUNDRED - tax) <= CENT]
        if fitting:
            return min(fitting, key=lambda rate: abs(rate - exact))
    return None


def line_of_totals(
    *,
    sku: str,
    label: str,
    quantity: Decimal,
    total: Decimal,
    before_discount: Decimal,
    rate: Decimal | None,
    line: int,
    kind: str = GOODS,
) -> LineDraft:
    """A line known by what it costs in all (EUR, after and before its discount)."""
    listed = max(total, before_discount)
    return LineDraft(
        sku=sku[:80],
        label=label[:200],
        quantity=quantity,
        unit_price=listed / quantity,
        tax_rate=rate,
        discount=listed - total,
        line=line,
        kind=kind,
    )


def untaxed_rates_are_open(lines: Iterable[LineDraft]) -> list[LineDraft]:
    """Where an order bears no VAT at all its lines' rates are left to be found.

    A shop without tax set up writes 0 everywhere: that is not a rate it applied.
    """
    return [line._replace(tax_rate=None) if line.kind in (GOODS, FEE) else line for line in lines]


def stated(taxes: dict[Decimal, Decimal], whole: Decimal) -> tuple[StatedTax, ...]:
    """VAT as stated by rate, else as a whole (EUR)."""
    named = tuple(StatedTax(rate, amount) for rate, amount in taxes.items() if amount)
    return named or (StatedTax(None, whole),)


def rounding(pieces: int) -> Decimal:
    """How far (EUR) `pieces` roundings to the cent may lead."""
    return to_cents(pieces * CENT) if pieces else ZERO


def sorted_out(line: LineDraft, *, is_taxed: bool) -> LineDraft:
    """Tips, and gift cards sold without VAT, told from goods by their label.

    Neither bears VAT: a tip is no price, a card for any good is taxed when it is spent
    (CGI, art. 256 ter). They are no goods of the stock.
    """
    label = fold(line.label)
    if not line.sku and label in _TIPS:
        return line._replace(kind=TIP, tax_rate=Decimal("0.00"))
    if not is_taxed and label.startswith(_GIFT_CARDS):
        return line._replace(kind=GIFT_CARD, sku="", tax_rate=Decimal("0.00"))
    return line
