"""Numbers as people write them."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format

from sphinx.core.money import plain

register = template.Library()


@register.filter
def bare(value: Decimal, places: int = 0) -> str:
    """Without trailing zeros, `places` decimals at least, in the reader's language: 5,5; 3."""
    decimals = max(places, len(plain(value).partition(".")[2]))
    return number_format(value, decimal_pos=decimals, use_l10n=True, force_grouping=True)
