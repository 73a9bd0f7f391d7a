"""Cells to values: amounts, quantities, dates, countries, as shops write them."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from django.utils.translation import gettext as _

from sphinx.core import texts
from sphinx.core.clock import PARIS
from sphinx.core.errors import InputError
from sphinx.core.money import HUNDRED, to_cents

LIMIT = Decimal(1_000_000_000)
MAX_QUANTITY = Decimal(999_999)
ALPHA2 = 2
_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_NOISE = re.compile(r"[\s\u00a0\u202f€$£']|EUR", re.IGNORECASE)
_FRENCH_DATE = re.compile(
    r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T](\d{1,2})[:h](\d{2})(?::(\d{2}))?)?"
)
_TRUE = frozenset("yes y oui o true vrai 1 x".split())

clean = lru_cache(maxsize=100_000)(texts.clean)


@lru_cache(maxsize=100_000)
def _number(text: str) -> Decimal | None:
    """A decimal written any usual way; None when it isn't one."""
    if not _PLAIN_NUMBER.fullmatch(text):
        text = _NOISE.sub("", text)
        if "," in text and "." in text:
            # The last sign is the decimal one: 1.234,56 or 1,234.56.
            thousands = "." if text.rfind(",") > text.rfind(".") else ","
            text = text.replace(thousands, "")
        text = text.replace(",", ".").replace("\u2212", "-")
        if not _PLAIN_NUMBER.fullmatch(text):
            return None
    try:
        value = Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern admits decimals only
        return None
    return value if abs(value) < LIMIT else None


def _refused(code: str, message: str, text: str, line: int, column: str) -> InputError:
    """The error of a cell; `message` takes %(line)s, %(column)s and %(text)s."""
    shown = {"line": line, "column": column, "text": text[:40]}
    return InputError(message % shown, code=code, line=line, column=column)


def number(text: str, line: int, column: str) -> Decimal:
    """A number; blank is 0.

    Raises:
        InputError: not a number, or a billion or more.
    """
    if not text:
        return Decimal(0)
    value = _number(text)
    if value is None:
        if not text.strip():
            return Decimal(0)
        raise _refused(
            "cell.not_a_number",
            _(
                "Ligne %(line)s, colonne %(column)s : « %(text)s » n'est pas un nombre utilisable. "
                "Attendu par exemple 12.50 ou 12,50."
            ),
            text,
            line,
            column,
        )
    return value


def amount(text: str, line: int, column: str) -> Decimal:
    """An amount of money of 0 or more, rounded half up to cents; blank is 0.

    Raises:
        InputError: not a number, or negative.
    """
    value = number(text, line, column)
    if value < 0:
        raise _refused(
            "cell.negative",
            _("Ligne %(line)s, colonne %(column)s : « %(text)s » est négatif."),
            text,
            line,
            column,
        )
    return to_cents(value)


def price(text: str, line: int, column: str) -> Decimal:
    """A unit price of 0 or more, with the decimals that the shop gives.

    Raises:
        InputError: not a number, or negative.
    """
    value = number(text, line, column)
    if value < 0:
        raise _refused(
            "cell.negative",
            _("Ligne %(line)s, colonne %(column)s : le prix « %(text)s » est négatif."),
            text,
            line,
            column,
        )
    return value


def quantity(text: str, line: int, column: str) -> Decimal:
    """A quantity above 0, three decimals at most.

    Raises:
        InputError: blank, zero, negative, too precise or not a number.
    """
    value = number(text, line, column)
    if value <= 0 or value > MAX_QUANTITY or value != round(value, 3):
        raise _refused(
            "cell.bad_quantity",
            _(
                "Ligne %(line)s, colonne %(column)s : quantité « %(text)s » impossible. "
                "Attendu un nombre positif, trois décimales au plus."
            ),
            text,
            line,
            column,
        )
    return value


def rate(text: str, line: int, column: str) -> Decimal | None:
    """A VAT rate in percent; None when blank.

    Raises:
        InputError: not a number from 0 to 100.
    """
    stripped = text.strip().rstrip("%").strip()
    if not stripped:
        return None
    value = number(stripped, line, column)
    if not 0 <= value < HUNDRED:
        raise _refused(
            "cell.bad_rate",
            _("Ligne %(line)s, colonne %(column)s : « %(text)s » n'est pas un taux de TVA en %%."),
            text,
            line,
            column,
        )
    return to_cents(value)


@lru_cache(maxsize=50_000)
def _moment(text: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        match = _FRENCH_DATE.fullmatch(text)
        if not match:
            return _with_offset(text)
        day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            value = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (zone below)
        except ValueError:
            return None
    return value if value.tzinfo else value.replace(tzinfo=PARIS)


def _with_offset(text: str) -> datetime | None:
    """2025-10-07 09:50:26 +0200, as Shopify writes it."""
    for pattern in ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M %z"):
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 (%z is in both)
        except ValueError:
            continue
    return None


def moment(text: str, line: int, column: str) -> datetime:
    """A date or date and time; without a zone it is Europe/Paris.

    Raises:
        InputError: blank or not a date.
    """
    value = _moment(text.strip())
    if value is None:
        raise _refused(
            "cell.not_a_date",
            _(
                "Ligne %(line)s, colonne %(column)s : « %(text)s » n'est pas une date. "
                "Attendu par exemple 2026-03-01 14:30 ou 01/03/2026."
            ),
            text,
            line,
            column,
        )
    return value


def maybe_moment(text: str, line: int, column: str) -> datetime | None:
    """A date or None when blank."""
    return moment(text, line, column) if text.strip() else None


def yes(text: str) -> bool:
    """True for yes, oui, true, 1…"""
    return text.strip().casefold() in _TRUE


def country(text: str) -> str:
    """ISO 3166-1 alpha-2, upper case; blank when it isn't a code of two letters."""
    code = text.strip().upper()
    return code if len(code) == ALPHA2 and code.isascii() and code.isalpha() else ""


def unquoted(text: str) -> str:
    """Without the one apostrophe that keeps spreadsheets from reading a number."""
    text = clean(text)
    return text[1:] if text.startswith("'") else text
