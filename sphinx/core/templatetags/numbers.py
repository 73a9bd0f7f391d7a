"""Numbers as people write them."""

import re
from decimal import Decimal

from django import template
from django.utils.formats import number_format

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
