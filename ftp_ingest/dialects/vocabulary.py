"""What shops call the fields of an order and of a customer, in eight languages.

The table is vocabulary.csv. The pivot format takes its own names and the French and English
ones as they are; the mapping assistant guesses with the German, Spanish, Italian, Portuguese,
Dutch and Polish ones too. Names are compared folded: without case, accents or marks.
"""

import csv
from pathlib import Path
from typing import NamedTuple


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
