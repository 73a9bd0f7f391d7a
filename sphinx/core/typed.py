"""Numbers and days as people type them into our own pages."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from sphinx.core.errors import InputError


def typed_number(text: str, *, places: int = 3, digits: int = 9) -> Decimal:
    """A number of 0 or more with at most `places` decimals and `digits` before them; blank is 0.

    Raises:
        InputError: it isn't one.
    """
    plain = text.strip().replace("\u202f", "").replace("\xa0", "").replace(" ", "")
    refused = _("« %(text)s » ne convient pas : il faut un nombre, %(places)s décimales au plus.")
    try:
        value = Decimal(plain.replace(",", ".") or "0")
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < 10**digits or value != round(value, places):
        raise InputError(refused % {"text": text[:20], "places": places}, code="typed.number")
    return value


def typed_day(text: str) -> date:
    """A day as the browser sends it.

    Raises:
        InputError: it isn't a day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(_("Choisissez un jour."), code="typed.day") from None
