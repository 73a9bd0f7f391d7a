"""Numbers and days as people type them into our own pages, and into the pages' addresses."""

import re
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from sphinx.core.errors import InputError

# No key, no count has more digits.
_KEY = re.compile(r"[0-9]{1,18}")
# Days that the books can be about; sums with others leave the calendar.
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2150, 12, 31)


def key_of(text: str | None) -> int | None:
    """The key of a row (or a count) as our own buttons and links have it; None for all else.

    `"²".isdigit()` is true, and twenty nines are no key of the database's.
    """
    return int(text) if text and _KEY.fullmatch(text) else None


def day_of(text: str | None) -> date | None:
    """A day as the browser sends it, within what the books can be about; None for all else."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if is_of_the_books(day) else None


def is_of_the_books(day: date) -> bool:
    """True for a day that the books can be about."""
    return FIRST_DAY <= day <= LAST_DAY


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


def typed_rate(text: str) -> Decimal | None:
    """How many of a currency one euro is worth, six decimals at most; None when blank.

    Raises:
        InputError: it isn't a number.
    """
    return typed_number(text, places=6, digits=8) if text.strip() else None


def typed_day(text: str) -> date:
    """A day as the browser sends it.

    Raises:
        InputError: it isn't a day.
    """
    day = day_of(text)
    if day is None:
        raise InputError(_("Choisissez un jour."), code="typed.day")
    return day
