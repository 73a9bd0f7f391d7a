"""What shops call the fields of an order and of a customer, in eight languages.

The table is vocabulary.csv. The pivot format takes its own names and the French and English
ones as they are; the mapping assistant guesses with the German, Spanish, Italian, Portuguese,
Dutch and Polish ones too. Names are compared folded: without case, accents or marks.
"""

import csv
import re
from pathlib import Path
from typing import NamedTuple

from ftp_ingest.dialects.base import Header
from sphinx.core.texts import fold


class Names(NamedTuple):
    """A field's names: taken without asking (ours first), and only proposed."""

    near: tuple[str, ...]
    far: tuple[str, ...]


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _read() -> dict[str, dict[str, Names]]:
    tables: dict[str, dict[str, Names]] = {}
    path = Path(__file__).with_suffix(".csv")
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter=";"):
            near = (row["field"], *_split(row["french_and_english"]))
            names = Names(near, _split(row["other_languages"]))
            tables.setdefault(row["kind"], {})[row["field"]] = names
    return tables


VOCABULARY = _read()

# Fields of an order that no file of customers has a column for.
_SOLD = ("order_number", "sku", "label", "quantity", "unit_price_incl_tax", "unit_price_excl_tax")
# Names that customers have too: a first name in Spanish, a civility, a remark.
_SHARED = frozenset(("nombre", "title", "description"))
_LINE = re.compile(r"(line|lineitem|line item|order item|product|item) \w+")


def _folded(fields: tuple[str, ...]) -> frozenset[str]:
    names = (VOCABULARY["orders"][field] for field in fields)
    return frozenset(fold(name) for known in names for name in (*known.near, *known.far)) - _SHARED


_SOLD_NAMES = _folded(_SOLD)


def sells_goods(header: Header) -> bool:
    """True when a column is an order's: its number, an article, a quantity, a price."""
    return any(name in _SOLD_NAMES or _LINE.fullmatch(name) for name in header.folded)
