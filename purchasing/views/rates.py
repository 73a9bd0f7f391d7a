"""The rate that a page proposes beside a currency."""

from datetime import date

from purchasing.selectors import known_units
from sphinx.core.templatetags.numbers import bare


def rate_hint(currency: str, on: date) -> str:
    """Units for one euro as the reader writes them, the last known on a day; blank without one."""
    units = known_units(currency, on)
    return "" if units is None else bare(units)
