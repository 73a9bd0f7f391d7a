"""Cells to values: amounts, quantities, dates, countries, as shops write them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial

from django.utils import translation
from django.utils.translation import gettext as _
from django_countries import countries

from sphinx.core import texts
from sphinx.core.clock import PARIS
from sphinx.core.errors import InputError
from sphinx.core.money import HUNDRED, to_cents
from sphinx.core.typed import is_of_the_books

# Cells say the same things again and again; a few thousand of the last ones are most of them,
# and memory stays the same however long the file.
CACHED = 8192
LIMIT = Decimal(1_000_000_000)
MAX_QUANTITY = Decimal(999_999)
ALPHA2 = 2
_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_NOISE = re.compile(r"[\s\u00a0\u202f€$£']|EUR", re.IGNORECASE)
_TIME = r"(?:,?[ T]+(?:à |at )?(\d{1,2})[:h](\d{2})(?::(\d{2}))?(?:\.\d+)?(?: ?([ap])\.?m\.?)?)?"
# A year of two digits, as Excel shows it, only where it can't be a day: 25/03/26, not 26-03-25.
_DATE_IN_NUMBERS = re.compile(
    rf"(\d{{1,2}})[/.-](\d{{1,2}})(?:[/.-](?=\d{{4}})|[/.])(\d{{4}}|\d\d){_TIME}", re.IGNORECASE
)
_CENTURY = 100
_YEAR_FIRST = re.compile(rf"(\d{{4}})[/.-](\d{{1,2}})[/.-](\d{{1,2}}){_TIME}", re.IGNORECASE)
# 8 déc. 2024, dimanche 8 décembre 2024; Dec 8, 2024.
_DAY_MONTH = re.compile(
    rf"(?:[^\W\d]+\.?,? )?(\d{{1,2}})(?:er|\.)? ([^\W\d]+)\.?,? (\d{{4}}){_TIME}", re.IGNORECASE
)
_MONTH_DAY = re.compile(
    rf"(?:[^\W\d]+\.?,? )?([^\W\d]+)\.? (\d{{1,2}}),? (\d{{4}}){_TIME}", re.IGNORECASE
)
# The first letters by which French and English months are told apart.
_MONTHS = {
    prefix: number
    for number, prefixes in enumerate(
        (
            "jan",
            "fev feb",
            "mar",
            "avr apr",
            "mai may",
            "juin jun",
            "juil jul",
            "aou aug",
            "sep",
            "oct",
            "nov",
            "dec",
        ),
        start=1,
    )
    for prefix in prefixes.split()
}
_MONTHS_IN_A_YEAR = 12
_TRUE = frozenset("yes y oui o true vrai 1 x ja si".split())

clean = lru_cache(maxsize=CACHED)(texts.clean)


@lru_cache(maxsize=CACHED)
def text(cell: str) -> str:
    """Cleaned text; exporters put an apostrophe before what could be a formula: '=1+1."""
    return texts.without_guard(texts.clean(cell))


@lru_cache(maxsize=CACHED)
def folded(cell: str) -> str:
    """The cell as words are compared: see `texts.fold`."""
    return texts.fold(cell)


@lru_cache(maxsize=CACHED)
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


def _or_none(check: Callable[[str, int, str], Decimal | None], text: str) -> Decimal | None:
    """What the check makes of a text; None when it refuses it."""
    try:
        return check(text, 0, "")
    except InputError:
        return None


def _amount(text: str, line: int, column: str) -> Decimal:
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


def _price(text: str, line: int, column: str) -> Decimal:
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


def _quantity(text: str, line: int, column: str) -> Decimal:
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


def _rate(text: str, line: int, column: str) -> Decimal | None:
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


# The same few texts come back in every file: each is checked once, and only a wrong one is
# checked again, to say where it stands.
_amounts = lru_cache(maxsize=CACHED)(partial(_or_none, _amount))
_prices = lru_cache(maxsize=CACHED)(partial(_or_none, _price))
_quantities = lru_cache(maxsize=CACHED)(partial(_or_none, _quantity))
_rates = lru_cache(maxsize=1_000)(partial(_or_none, _rate))


def amount(text: str, line: int, column: str) -> Decimal:
    """An amount of money of 0 or more, rounded half up to cents; blank is 0.

    Raises:
        InputError: not a number, or negative.
    """
    value = _amounts(text)
    return _amount(text, line, column) if value is None else value


def price(text: str, line: int, column: str) -> Decimal:
    """A unit price of 0 or more, with the decimals that the shop gives.

    Raises:
        InputError: not a number, or negative.
    """
    value = _prices(text)
    return _price(text, line, column) if value is None else value


def quantity(text: str, line: int, column: str) -> Decimal:
    """A quantity above 0, three decimals at most.

    Raises:
        InputError: blank, zero, negative, too precise or not a number.
    """
    value = _quantities(text)
    return _quantity(text, line, column) if value is None else value


def rate(text: str, line: int, column: str) -> Decimal | None:
    """A VAT rate in percent; None when blank.

    Raises:
        InputError: not a number from 0 to 100.
    """
    value = _rates(text)
    return _rate(text, line, column) if value is None else value


@lru_cache(maxsize=CACHED)
def _moment(text: str, day_first: bool | None, zone: tzinfo) -> datetime | None:
    value = _iso(text) or _with_offset(text) or _written(text, day_first)
    if value and not is_of_the_books(value.date()):
        return None
    return value if value is None or value.tzinfo else value.replace(tzinfo=zone)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _with_offset(text: str) -> datetime | None:
    """2025-10-07 09:50:26 +0200, as Shopify writes it; 2025-10-07 09:50:26 UTC."""
    if text.endswith(" UTC"):
        value = _iso(text[:-4])
        return value.replace(tzinfo=UTC) if value else None
    for pattern in ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M %z"):
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 (%z is in both)
        except ValueError:
            continue
    return None


def _is_ambiguous(first: int, second: int) -> bool:
    return max(first, second) <= _MONTHS_IN_A_YEAR and first != second


def _written(text: str, day_first: bool | None) -> datetime | None:
    """A date as people write it, in numbers or with the month's name."""
    if match := _DATE_IN_NUMBERS.fullmatch(text):
        first, second, year = (int(part) for part in match.groups()[:3])
        year += 2000 if year < _CENTURY else 0
        if day_first is None and _is_ambiguous(first, second):
            return None
        # What can't be a month is the day, whatever the file's order.
        if second > _MONTHS_IN_A_YEAR or (not day_first and first <= _MONTHS_IN_A_YEAR):
            first, second = second, first
        return _at(year, second, first, *match.groups()[3:])
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in match.groups()[:3])
        return _at(year, month, day, *match.groups()[3:])
    if match := _DAY_MONTH.fullmatch(text):
        return _at(int(match[3]), _month(match[2]), int(match[1]), *match.groups()[3:])
    if match := _MONTH_DAY.fullmatch(text):
        return _at(int(match[3]), _month(match[1]), int(match[2]), *match.groups()[3:])
    return None


def _month(name: str) -> int:
    """1 to 12; 0 for a word that is no month."""
    word = texts.fold(name)
    return _MONTHS.get(word[:3], _MONTHS.get(word[:4], 0))


def _at(
    year: int,
    month: int,
    day: int,
    hour: str | None,
    minute: str | None,
    second: str | None,
    half: str | None,
) -> datetime | None:
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    try:
        return datetime(year, month, day, hours, int(minute or 0), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None


class DateOrder:
    """Whether a file writes the day or the month first, by the dates that leave no doubt."""

    def __init__(self) -> None:
        self._seen: set[bool] = set()
        self._has_half_days = False

    def see(self, text: str) -> None:
        """Learn from one date."""
        match = _DATE_IN_NUMBERS.match(text) if "/" in text else None
        if match:
            first, second = int(match[1]), int(match[2])
            self._has_half_days = self._has_half_days or bool(match[7])
            if (first > _MONTHS_IN_A_YEAR) != (second > _MONTHS_IN_A_YEAR):
                self._seen.add(first > _MONTHS_IN_A_YEAR)

    @property
    def day_first(self) -> bool | None:
        """None when dates contradict one another.

        Where none of them tells, the month is first with a clock of twelve hours (3/4/26 9:05 PM),
        else the day.
        """
        if not self._seen:
            return not self._has_half_days
        return next(iter(self._seen)) if len(self._seen) == 1 else None


def moment(
    text: str, line: int, column: str, *, day_first: bool | None = True, zone: tzinfo = PARIS
) -> datetime:
    """A date or date and time; without a zone it is in `zone`.

    `day_first` decides on dates such as 03/04/2026 only; None refuses those.

    Raises:
        InputError: blank, not a date, or one that may be read two ways.
    """
    text = " ".join(text.split())
    value = _moment(text, day_first, zone)
    if value is None and day_first is None and _moment(text, True, zone):
        raise _refused(
            "cell.ambiguous_date",
            _(
                "Ligne %(line)s, colonne %(column)s : « %(text)s » peut se lire de deux façons, et "
                "le fichier mêle les deux ordres (jour/mois et mois/jour). Écrivez les dates ainsi "
                ": 2026-03-01."
            ),
            text,
            line,
            column,
        )
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


def maybe_moment(
    text: str, line: int, column: str, *, day_first: bool | None = True, zone: tzinfo = PARIS
) -> datetime | None:
    """A date or None when blank."""
    if not text.strip():
        return None
    return moment(text, line, column, day_first=day_first, zone=zone)


def yes(text: str) -> bool:
    """True for yes, oui, true, 1…"""
    return text.strip().casefold() in _TRUE


@lru_cache(maxsize=1)
def _countries_by_name() -> dict[str, str]:
    """Folded names of countries in the languages that shops write → their codes."""
    found = {}
    for language in ("it", "es", "de", "en", "fr"):
        with translation.override(language):
            found.update({texts.fold(str(name)): code for code, name in countries})
    return found | _OTHER_NAMES


_OTHER_NAMES = {
    "usa": "US",
    "etats unis": "US",
    "united states": "US",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "angleterre": "GB",
    "holland": "NL",
    "hollande": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "republique tcheque": "CZ",
    "france metropolitaine": "FR",
    "la reunion": "RE",
    "russia": "RU",
    "russie": "RU",
    "south korea": "KR",
    "coree du sud": "KR",
    "fra": "FR",
    "bel": "BE",
    "deu": "DE",
    "che": "CH",
}


@lru_cache(maxsize=CACHED)
def country(text: str) -> str:
    """ISO 3166-1 alpha-2, from a code of two letters or a name; blank when it is neither."""
    code = text.strip().upper()
    if len(code) == ALPHA2 and code.isascii() and code.isalpha():
        return "GB" if code == "UK" else code
    return _countries_by_name().get(texts.fold(code), "") if code else ""


@lru_cache(maxsize=CACHED)
def unquoted(cell: str) -> str:
    """Cleaned text without the one apostrophe that keeps spreadsheets from reading a number."""
    return texts.clean(cell).removeprefix("'")
