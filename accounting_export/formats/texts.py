"""Texts as accountants' programs take them: no separators, no character that they don't know."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from anyascii import anyascii

_SEPARATORS = re.compile(r"[\s|;\"\x00-\x1f\x7f\u00a0\u202f]+")


def text(value: str) -> str:
    """NFC, with separators of any format, quotes and control characters made one space."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFC", value)).strip()


# For what comes back on line after line: names of accounts and of third parties.
kept_text = lru_cache(maxsize=4096)(text)


def in_charset(value: str, charset: str) -> str:
    """`value` with what `charset` doesn't know written in Latin letters: Œ → OE, Иван → Ivan."""
    try:
        value.encode(charset)
    except UnicodeEncodeError:
        return "".join(_known(character, charset) for character in value)
    return value


def _known(character: str, charset: str) -> str:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return _SEPARATORS.sub(" ", str(anyascii(character)))
    return character


def comma(amount: Decimal) -> str:
    """1234.5 → "1234,50"."""
    return f"{amount:.2f}".replace(".", ",") if amount else "0,00"


def dot(amount: Decimal) -> str:
    """1234.5 → "1234.50"."""
    return f"{amount:.2f}"


def cents(amount: Decimal) -> str:
    """1234.5 → "123450"."""
    return f"{amount:.2f}".replace(".", "")
