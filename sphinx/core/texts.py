"""Cleaning of text that comes from outside; numbers in sentences for people."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_SPACES = re.compile(r"\s+")
_SCIENTIFIC = re.compile(r"'?\d(?:[.,]\d+)?[eE]\+\d{1,3}")


def clean(text: str, limit: int = 0) -> str:
    """NFC, without control characters, runs of white space made one; cut at `limit`."""
    if text.isascii() and text.isprintable() and "  " not in text:
        text = text.strip()
    else:
        text = _SPACES.sub(" ", _CONTROL.sub(" ", unicodedata.normalize("NFC", text))).strip()
    return text[:limit] if limit else text


def whole_words(text: str, limit: int) -> str:
    """The text up to `limit` characters, without the word that would be cut."""
    if len(text) <= limit:
        return text
    return text[: limit + 1].rpartition(" ")[0]


def fold(text: str) -> str:
    """For comparison: without accents, case, or anything but letters and digits."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return re.sub(r"[^a-z0-9]+", " ", decomposed.encode("ascii", "ignore").decode()).strip()


def sku_key(sku: str) -> str:
    """What makes two SKUs the same: case and surrounding or doubled spaces don't count."""
    return clean(sku).casefold()


def is_spoilt(text: str) -> bool:
    """True for a long number that a spreadsheet rounded: 3,76012E+12."""
    return "+" in text and bool(_SCIENTIFIC.fullmatch(text))


def safe_cell(text: str) -> str:
    """A cell of a CSV or workbook that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def without_guard(text: str) -> str:
    """A cell as it was before a program kept spreadsheets from taking it for a formula."""
    return text[1:] if text.startswith(("'=", "'+", "'-", "'@")) else text


def said(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a sentence is filled in with; amounts as the reader writes them: 1 234,56."""
    return {name: _written(v) if isinstance(v, Decimal) else v for name, v in values.items()}


def _written(number: Decimal) -> str:
    places = len(f"{number:f}".partition(".")[2])
    return number_format(number, places, use_l10n=True, force_grouping=True)


def visible(text: str) -> str:
    """What a stranger wrote, fit to be shown and kept: control characters and bytes that are no
    text (surrogates) are escaped, the rest stays as it is."""
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in whole)
