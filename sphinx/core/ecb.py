"""Euro reference rates of the European Central Bank: those shipped with the program, its site's.

The package CurrencyConverter carries the ECB's history from 1999 to the day of its release. The
site gives the last ninety days as XML: https://www.ecb.europa.eu/stats/eurofxref/. Rates are
published on working days, about 16:00; currencies come and go (BGN until 2025, RUB until 2022).
"""

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any, NamedTuple

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from lxml import etree

from sphinx.core.errors import InputError, ServerUnreachable
from sphinx.core.validators import is_currency

# The ninety days weigh 100 kB; the whole history, 8 MB, isn't asked for.
MAX_BYTES = 2 * 1024**2
CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 10, 20, 60
_NAMESPACE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}"
_LARGEST = Decimal(10) ** 8


class Quote(NamedTuple):
    """How many units of a currency one euro is worth on a day."""

    currency: str
    day: date
    units: Decimal


# --- Shipped ------------------------------------------------------------------------------


@cache
def _shipped() -> Any:
    # A quarter of a second and 40 MB: only where an order is in another currency.
    from currency_converter import CurrencyConverter

    return CurrencyConverter(decimal=True)


@lru_cache(maxsize=10_000)
def shipped_units(currency: str, day: date) -> Decimal | None:
    """Units for one euro on exactly that day; None when the ECB quotes none."""
    from currency_converter import RateNotFoundError

    try:
        units: Decimal = _shipped().convert(1, "EUR", currency, day)
    except (RateNotFoundError, ValueError):
        return None
    return units


def shipped_until() -> date:
    """The last day whose rates are shipped."""
    last: date = _shipped().bounds["EUR"].last_date
    return last


def is_quoted(currency: str) -> bool:
    """Whether the ECB still quoted the currency when the shipped rates ended."""
    bounds = _shipped().bounds.get(currency)
    return bounds is not None and bounds.last_date == shipped_until()


# --- From the ECB's site ------------------------------------------------------------------


def fetch_quotes(today: date) -> list[Quote]:
    """What the ECB's site says of the last ninety days.

    Raises:
        ServerUnreachable: the site doesn't answer, or not as it should.
        InputError: what it sends isn't the ECB's rates: nothing of it is taken.
    """
    return list(_quotes(_download(settings.ECB_RATES_URL), today))


def _download(url: str) -> bytes:
    """The bytes at `url`: so many at most, within so long."""
    late = time.monotonic() + WHOLE_SECONDS
    data = bytearray()
    try:
        with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as reply:
            if reply.status_code != requests.codes.ok:
                raise _unreachable(str(reply.status_code))
            for piece in reply.iter_content(64 * 1024):
                data += piece
                if len(data) > MAX_BYTES:
                    raise _refused(_("plus de %(limit)s octets") % {"limit": MAX_BYTES})
                if time.monotonic() > late:
                    raise _unreachable("timeout")
    except requests.RequestException as error:
        raise _unreachable(type(error).__name__) from error
    return bytes(data)


def _quotes(data: bytes, today: date) -> Iterator[Quote]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _refused(str(error)[:80]) from error
    if root.getroottree().docinfo.doctype:
        raise _refused("DOCTYPE")
    days = root.findall(f"{_NAMESPACE}Cube/{_NAMESPACE}Cube")
    if not days:
        raise _refused(_("aucun jour"))
    for node in days:
        day = _day(node.get("time", ""), today)
        for cube in node.iterfind(f"{_NAMESPACE}Cube"):
            yield _quote(cube.get("currency", ""), day, cube.get("rate", ""))


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _refused(_("« %s » n'est pas un jour") % text[:20]) from error
    if day > today:
        raise _refused(_("le %s est à venir") % day.strftime("%d/%m/%Y"))
    return day


def _quote(currency: str, day: date, rate: str) -> Quote:
    try:
        units = Decimal(rate)
    except InvalidOperation as error:
        raise _refused(_("« %s » n'est pas un cours") % rate[:20]) from error
    fits = units.is_finite() and 0 < units < _LARGEST and units == round(units, 6)
    if not fits or not is_currency(currency):
        raise _refused(f"{currency[:10]} {rate[:20]}")
    return Quote(currency, day, units)


def _unreachable(reason: str) -> ServerUnreachable:
    return ServerUnreachable(
        _("Le site de la BCE ne donne pas ses cours pour l'instant (%s) : nouvel essai plus tard.")
        % reason
    )


def _refused(reason: str) -> InputError:
    return InputError(
        _(
            "Ce que donne le site de la BCE n'est pas son fichier de cours (%s) : rien n'en est "
            "repris. Vérifiez ECB_RATES_URL ; d'ici là, donnez les cours à la main."
        )
        % reason,
        code="rates.unreadable",
    )
