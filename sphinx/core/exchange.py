"""The rate of a currency on a day: the firm's own, else the European Central Bank's.

VAT directive 2006/112, art. 91: the latest rate that the ECB has published when the tax becomes
chargeable. A day without one (week-end, holiday) has the last before it.
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max, Q

from sphinx.core.ecb import Quote, fetch_quotes, is_quoted, shipped_units, shipped_until
from sphinx.core.events import announce
from sphinx.core.exchange_events import rates_changed
from sphinx.core.models import ExchangeRate
from sphinx.core.services import company, record

Source = ExchangeRate.Source
EURO = "EUR"
# An older rate says nothing of the day: the ECB no longer quotes the currency.
MAX_AGE = timedelta(days=10)


class Rate(NamedTuple):
    """Units for one euro, the day of this rate, who gives it (ExchangeRate.Source).

    Orders of before these were kept have neither day nor source.
    """

    units: Decimal
    day: date | None
    source: str


class Rates:
    """The rates of some currencies, as read for some days; the shipped ones are behind them."""

    def __init__(self, rows: Iterable[tuple[str, date, Decimal, str]]) -> None:
        self._manual: dict[str, list[Rate]] = {}
        self._ecb: dict[tuple[str, date], Decimal] = {}
        self._fetched: dict[str, date] | None = None
        for currency, day, units, source in rows:
            if source == Source.ECB:
                self._ecb[currency, day] = units
            else:
                self._manual.setdefault(currency, []).append(Rate(units, day, source))

    def at(self, currency: str, on: date) -> Rate | None:
        """The rate in force on a day, never one of a later day; None when there is none."""
        for rate in self._manual.get(currency, ()):
            if rate.day and rate.day <= on:
                return rate
        for age in range(MAX_AGE.days + 1):
            day = on - timedelta(days=age)
            units = self._ecb.get((currency, day)) or shipped_units(currency, day)
            if units is not None:
                return Rate(units, day, Source.ECB)
        return None

    def known_until(self, currency: str) -> date | None:
        """The last day whose rate of the ECB is known; None when it no longer quotes it."""
        if self._fetched is None:
            rows = ExchangeRate.objects.filter(source=Source.ECB).values("currency")
            newest = rows.annotate(newest=Max("valid_from")).order_by()
            self._fetched = dict(newest.values_list("currency", "newest"))
        days = [self._fetched[currency]] if currency in self._fetched else []
        return max([*days, shipped_until()]) if days or is_quoted(currency) else None


def rates_of(currencies: Collection[str], days: Collection[date]) -> Rates:
    """What the database says of these currencies on these days; a query when any."""
    if not currencies:
        return Rates([])
    near = Q(valid_from__range=(min(days) - MAX_AGE, max(days)))
    rows = ExchangeRate.objects.filter(
        ~Q(source=Source.ECB) | near, currency__in=currencies
    ).order_by("-valid_from")
    return Rates(rows.values_list("currency", "valid_from", "units_per_euro", "source"))


def indicative_units(currencies: Collection[str], on: date) -> dict[str, Decimal]:
    """Units of each currency for one euro, the last known where that day has none: to compare
    prices, never for the books. A currency of which nothing at all is known isn't in it."""
    foreign = {currency for currency in currencies if currency != EURO}
    found = {EURO: Decimal(1)}
    rates = rates_of(foreign, {on})
    for currency in sorted(foreign):
        rate = rates.at(currency, on)
        last = None if rate else rates.known_until(currency)
        if last and last < on:
            rate = rates_of({currency}, {last}).at(currency, last)
        if rate:
            found[currency] = rate.units
    return found


def refresh_rates(*, today: date) -> int:
    """Take what the ECB's site says, where the firm wants it; how many rates were new.

    Raises:
        TransientError: the site can't be reached now.
        InputError: it gives something else.
    """
    if not company().fetches_ecb_rates:
        return 0
    return _keep(fetch_quotes(today))


@transaction.atomic
def _keep(quotes: Iterable[Quote]) -> int:
    """Write the rates that are new or that the ECB corrected; the same again changes nothing."""
    given = {(quote.currency, quote.day): quote.units for quote in quotes}
    days = [day for _currency, day in given]
    known = ExchangeRate.objects.filter(
        source=Source.ECB, valid_from__range=(min(days), max(days))
    ).values_list("currency", "valid_from", "units_per_euro")
    for currency, day, units in known:
        if given.get((currency, day)) == units:
            del given[currency, day]
    rows = [
        ExchangeRate(currency=currency, valid_from=day, units_per_euro=units, source=Source.ECB)
        for (currency, day), units in given.items()
    ]
    ExchangeRate.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["currency", "valid_from", "source"],
        update_fields=["units_per_euro"],
    )
    if rows:
        record("rates.fetched", [company()], rates=len(rows), until=max(days).isoformat())
        announce(rates_changed, currencies=sorted({row.currency for row in rows}))
    return len(rows)
