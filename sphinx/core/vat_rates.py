"""VAT rates on goods in the other member states, with the day each set came into force.

Distance sales under the one-stop shop bear the destination's rates (CGI art. 258 A). To check or
extend a row: the Commission's Taxes in Europe database (TEDB). Rates of Greek islands, Madeira
and the Azores stand with their country's; Northern Ireland is XI; zero is left out.
The shop's rate is booked as charged; the table serves to show the merchant a rate that the
destination doesn't know, and to tell a rate that a file states by amounts only.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

# The one-stop shop began that day (directive 2017/2455).
START = date(2021, 7, 1)

# Country → (in force from, rates in percent), oldest first. A change adds a row at the end.
_RATES: dict[str, tuple[tuple[date, str], ...]] = {
    # Basic food at 4.9 since July 2026; 19 in Jungholz and Mittelberg.
    "AT": ((START, "20 19 13 10"), (date(2026, 7, 1), "20 19 13 10 4.9")),
    "BE": ((START, "21 12 6"),),
    "BG": ((START, "20 9"),),
    "CY": ((START, "19 9 5"), (date(2023, 7, 23), "19 9 5 3")),
    "CZ": ((START, "21 15 10"), (date(2024, 1, 1), "21 12")),
    "DE": ((START, "19 7"),),
    "DK": ((START, "25"),),
    "EE": (
        (START, "20 9 5"),
        (date(2024, 1, 1), "22 9 5"),
        (date(2025, 1, 1), "22 13 9"),
        (date(2025, 7, 1), "24 13 9"),
    ),
    # Basic food at 0, then 2, seed oils and pasta at 5, then 7.5: 2023 and 2024 (RDL 4/2024).
    "ES": (
        (START, "21 10 4"),
        (date(2023, 1, 1), "21 10 7.5 5 4 2"),
        (date(2025, 1, 1), "21 10 4"),
    ),
    "FI": (
        (START, "24 14 10"),
        (date(2024, 9, 1), "25.5 14 10"),
        (date(2026, 1, 1), "25.5 13.5 10"),
    ),
    "GR": ((START, "24 17 13 9 6 4 3"),),
    "HR": ((START, "25 13 5"),),
    "HU": ((START, "27 18 5"),),
    "IE": ((START, "23 13.5 9 4.8"),),
    "IT": ((START, "22 10 5 4"),),
    "LT": ((START, "21 9 5"), (date(2026, 1, 1), "21 12 5")),
    # One point less for a year (law of 26 October 2022).
    "LU": (
        (START, "17 14 8 3"),
        (date(2023, 1, 1), "16 13 7 3"),
        (date(2024, 1, 1), "17 14 8 3"),
    ),
    "LV": ((START, "21 12 5"),),
    "MT": ((START, "18 7 5"), (date(2024, 1, 1), "18 12 7 5")),
    "NL": ((START, "21 9"),),
    "PL": ((START, "23 8 5"),),
    "PT": ((START, "23 22 16 13 12 9 6 5 4"),),
    "RO": ((START, "19 9 5"), (date(2025, 8, 1), "21 11")),
    "SE": ((START, "25 12 6"),),
    "SI": ((START, "22 9.5 5"),),
    "SK": (
        (START, "20 10"),
        (date(2023, 1, 1), "20 10 5"),
        (date(2025, 1, 1), "23 19 5"),
    ),
    "XI": ((START, "20 5"),),
}


class RatePeriod(NamedTuple):
    """Rates in percent of a country from `start` until the day before `end` (None: still)."""

    country: str
    start: date
    end: date | None
    rates: frozenset[Decimal]


def rate_periods() -> Iterator[RatePeriod]:
    """Every set of rates with the days that it was in force."""
    for country, changes in _RATES.items():
        ends = [start for start, _rates in changes[1:]]
        for (start, rates), end in zip(changes, [*ends, None], strict=True):
            known = frozenset(Decimal(r).quantize(Decimal("0.01")) for r in rates.split())
            yield RatePeriod(country, start, end, known)


def rates_in(country: str, on: date) -> frozenset[Decimal]:
    """Rates in percent on goods in `country` that day; empty where none is known."""
    for period in rate_periods():
        ended = period.end is not None and period.end <= on
        if period.country == country and period.start <= on and not ended:
            return period.rates
    return frozenset()


# Those in force now and the standing ones of regions, dearest first.
CURRENT_RATES = tuple(
    sorted({r for p in rate_periods() if p.end is None for r in p.rates}, reverse=True)
)
