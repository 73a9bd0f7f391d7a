"""Numbers and days kept as texts, as people write them."""

import re
from datetime import date
from decimal import Decimal

from django import template
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from sphinx.core.counting import AT_MOST
from sphinx.core.exchange import EURO
from sphinx.core.money import plain

register = template.Library()
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@register.filter
def local(text: str) -> str:
    """A number kept as text (0.25) as the reader writes it (0,25); other text as it is."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        return text
    return number_format(
        Decimal(text), decimal_pos=len(text.partition(".")[2]), use_l10n=True, force_grouping=True
    )


@register.filter
def bare(value: Decimal, places: int = 0) -> str:
    """Without trailing zeros, `places` decimals at least, in the reader's language: 5,5; 3."""
    decimals = max(places, len(plain(value).partition(".")[2]))
    return number_format(value, decimal_pos=decimals, use_l10n=True, force_grouping=True)


@register.filter
def shown(value: Decimal | str | int, places: int = 0) -> str:
    """A number, even one kept as text, as `bare` writes it; other text as it is."""
    text = str(value)
    return bare(Decimal(text), places) if _NUMBER.fullmatch(text) else text


@register.filter
def counted(value: int) -> str:
    """A count of `count_up_to`: "plus de 1 000" for all that is more."""
    number = number_format(min(value, AT_MOST), use_l10n=True, force_grouping=True)
    return _("plus de %s") % number if value > AT_MOST else number


@register.filter
def sign(currency: str) -> str:
    """How a currency is written after an amount: €, else its code, which says whose dollar."""
    return "€" if currency == EURO else currency


@register.filter
def iso_day(text: str) -> str:
    """A day kept as text (2026-11-24) as the reader writes it (24/11/2026)."""
    return date_format(date.fromisoformat(text), "SHORT_DATE_FORMAT")
