"""Distance sales to consumers of the Union: from 10,000 EUR a year on, VAT is due where they go.

CGI, art. 258 A and 259 D: below, in this calendar year and the last one, French VAT applies; the
sale that exceeds it, and all after it, bear VAT of the country of arrival. Excl. tax, over all
countries together. Who chose the one-stop shop does so from the first euro.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import F, Q, Sum

from accounting_export.models import JournalLine
from accounting_export.vat_returns import SALES, standard_rates
from sphinx.core.money import ZERO, to_cents
from sphinx.core.services import company
from sphinx.core.territories import EU_COUNTRIES, place_name
from sphinx.core.vat import TaxRegime

THRESHOLD = Decimal(10_000)
# Share of the threshold from which it is warned.
WARNED_FROM = Decimal("0.8")


class CountrySales(NamedTuple):
    """Sales to consumers of a country (EUR excl. tax), and its normal rate (percent)."""

    country: str
    name: str
    amount: Decimal
    standard_rate: Decimal | None


class DistanceSales(NamedTuple):
    """Where the firm stands: sales of the year and of the one before, by country this year."""

    year: int
    amount: Decimal
    before: Decimal
    by_country: list[CountrySales]
    uses_oss: bool

    @property
    def percent(self) -> Decimal:
        return (self.amount * 100 / THRESHOLD).quantize(Decimal(1))

    @property
    def left(self) -> Decimal:
        return max(THRESHOLD - self.amount, ZERO)

    @property
    def is_over(self) -> bool:
        """VAT of the countries of arrival is due, and the firm doesn't charge it."""
        return not self.uses_oss and max(self.amount, self.before) > THRESHOLD

    @property
    def is_near(self) -> bool:
        """It will be soon."""
        return not (self.uses_oss or self.is_over) and self.amount >= THRESHOLD * WARNED_FROM


def distance_sales(on: date) -> DistanceSales:
    """The calendar year of `on`, as far as it is booked, credit notes taken off."""
    sums = _sums(date(on.year, 1, 1), on)
    before = _sums(date(on.year - 1, 1, 1), date(on.year - 1, 12, 31))
    rates = standard_rates(on)
    return DistanceSales(
        on.year,
        sum(sums.values(), ZERO),
        sum(before.values(), ZERO),
        [
            CountrySales(country, place_name(country), amount, rates.get(country))
            for country, amount in sorted(sums.items(), key=lambda item: (-item[1], item[0]))
            if amount
        ],
        company().uses_oss,
    )


def _sums(first: date, last: date) -> dict[str, Decimal]:
    """Booked sales to buyers without a VAT number, by country."""
    number = "entry__invoice__mentions__buyer__vat_number"
    rows = (
        JournalLine.objects.filter(
            Q(**{number: ""}) | Q(**{f"{number}__isnull": True}),
            entry__invoice__country__in=EU_COUNTRIES - {"FR"},
            entry__invoice__tax_regime__in=(TaxRegime.DOMESTIC, TaxRegime.OSS),
            entry__entry_date__range=(first, last),
            nature__in=SALES,
        )
        .order_by()
        .values_list("entry__invoice__country")
        .annotate(amount=Sum(F("credit") - F("debit")))
    )
    return {country: to_cents(amount) for country, amount in rows}
