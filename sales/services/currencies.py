"""Orders in other currencies, converted to euros at the firm's stated rate."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sales.drafts import OrderDraft
from sphinx.core.clock import business_date
from sphinx.core.models import ExchangeRate
from sphinx.core.money import CENT, to_cents, to_unit_price

EURO = "EUR"


class Converted(NamedTuple):
    """An order in euros, and what it was: currency, total, units for one euro."""

    draft: OrderDraft
    currency: str = ""
    total: Decimal | None = None
    rate: Decimal | None = None


def stated_rates(drafts: Iterable[OrderDraft]) -> dict[str, list[tuple[date, Decimal]]]:
    """Rates by currency, latest first, for the currencies of `drafts`; a query when any."""
    currencies = {draft.currency for draft in drafts} - {EURO}
    found: dict[str, list[tuple[date, Decimal]]] = {}
    if currencies:
        rows = ExchangeRate.objects.filter(currency__in=currencies).order_by("-valid_from")
        for currency, day, units in rows.values_list("currency", "valid_from", "units_per_euro"):
            found.setdefault(currency, []).append((day, units))
    return found


def in_euros(
    draft: OrderDraft, rates: Mapping[str, list[tuple[date, Decimal]]]
) -> Converted | None:
    """The order in euros at the rate of its day; None when no rate is stated for it."""
    if draft.currency == EURO:
        return Converted(draft)
    day = business_date(draft.placed_at)
    rate = next((units for since, units in rates.get(draft.currency, ()) if since <= day), None)
    if rate is None:
        return None
    return Converted(_converted(draft, rate), draft.currency, draft.total_incl_tax, rate)


def _converted(draft: OrderDraft, rate: Decimal) -> OrderDraft:
    """Every amount divided by `rate`; the total rules, the lines may be off by their rounding."""
    lines = tuple(
        line._replace(
            unit_price=to_unit_price(line.unit_price / rate),
            discount=to_cents(line.discount / rate),
        )
        for line in draft.lines
    )
    return draft._replace(
        lines=lines,
        total_incl_tax=to_cents(draft.total_incl_tax / rate),
        shipping_amount=to_cents(draft.shipping_amount / rate),
        discount=to_cents(draft.discount / rate),
        refunded=to_cents(draft.refunded / rate),
        stated_taxes=tuple(
            tax._replace(amount=to_cents(tax.amount / rate)) for tax in draft.stated_taxes
        ),
        tolerance=draft.tolerance + CENT * (len(lines) + 2),
    )
