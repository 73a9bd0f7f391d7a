"""Which column of an unknown file holds which field: guessed from names and from values.

Names in eight languages (dialects/vocabulary.csv) say most; the values confirm or contradict
them. Every guess says why.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from ftp_ingest.dialects.base import Header
from ftp_ingest.dialects.vocabulary import VOCABULARY
from sphinx.core import cells
from sphinx.core.errors import InputError
from sphinx.core.texts import fold

EXACT, CONTAINED, BY_VALUE = 100, 60, 40
CONFIRMED, CONTRADICTED = 15, -45
ENOUGH = 40
SAMPLES = 3
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MOST = 0.8
_LONGEST_PLAIN_WORD = 3
# "2 x Bougie", "Bougie x 2": articles with their quantity, which "10 x 15 cm" isn't.
_COUNTED = re.compile(r"(?<!\w)\d+ ?[x×*] ?[^\W\d]|[^\W\d]\)? ?[x×*] ?\d+(?!\w)", re.IGNORECASE)


class Guess(NamedTuple):
    """A field and the column it seems to be in; `place` −1 for none, `score` out of 115."""

    field: str
    place: int
    score: int
    reason: str
    samples: tuple[str, ...]


def _reads(reader: Callable[[str, int, str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            reader(text, 1, "")
        except InputError:
            return False
        return True

    return fits


def _is_rate(text: str) -> bool:
    try:
        value = cells.rate(text, 1, "")
    except InputError:
        return False
    return value is not None and value <= 27  # noqa: PLR2004 (Hungary's, the highest)


_FITS: dict[str, Callable[[str], bool]] = {
    "email": lambda text: bool(_EMAIL.fullmatch(text)),
    "placed_at": _reads(cells.moment),
    "paid_at": _reads(cells.moment),
    "created_at": _reads(cells.moment),
    "quantity": _reads(cells.quantity),
    "unit_price_incl_tax": _reads(cells.price),
    "unit_price_excl_tax": _reads(cells.price),
    "line_discount_incl_tax": _reads(cells.number),
    "order_discount_incl_tax": _reads(cells.number),
    "shipping_incl_tax": _reads(cells.number),
    "line_total_incl_tax": _reads(cells.number),
    "total_incl_tax": _reads(cells.amount),
    "refunded_incl_tax": _reads(cells.number),
    "tax_rate": _is_rate,
    "shipping_tax_rate": _is_rate,
    "billing_country": lambda text: bool(cells.country(text)),
    "shipping_country": lambda text: bool(cells.country(text)),
    "country": lambda text: bool(cells.country(text)),
}


def guess_columns(header: Header, rows: Sequence[Sequence[str]], kind: str) -> list[Guess]:
    """A guess a field, the surest first taken; a column serves one field."""
    values = [_values(rows, place) for place in range(len(header.names))]
    scored = sorted(
        (
            guess
            for field in VOCABULARY[kind]
            for place, name in enumerate(header.names)
            if (guess := _score(field, kind, place, name, values[place])).score >= ENOUGH
        ),
        key=lambda guess: -guess.score,
    )
    taken: dict[str, Guess] = {}
    used: set[int] = set()
    for guess in scored:
        if guess.field not in taken and guess.place not in used:
            taken[guess.field] = guess
            used.add(guess.place)
    _one_price(taken)
    _name_in_two(taken)
    nothing = _("aucune colonne ne ressemble à ce champ")
    return [taken.get(f, Guess(f, -1, 0, nothing, ())) for f in VOCABULARY[kind]]


def guess_kind(header: Header, rows: Sequence[Sequence[str]]) -> str:
    """Orders where a quantity and a price seem to be there, else customers."""
    found = {g.field for g in guess_columns(header, rows, "orders") if g.place >= 0}
    sold = {"quantity", "total_incl_tax", "line_total_incl_tax"}
    return "orders" if sold & found else "customers"


def items_in_one_cell(header: Header, rows: Sequence[Sequence[str]]) -> str:
    """The column that has all articles of an order in one cell, "" where there is none."""
    for place, name in enumerate(header.names):
        counted = [len(_COUNTED.findall(text)) for text in _values(rows, place)]
        if counted and sum(map(bool, counted)) >= _MOST * len(counted) and max(counted) > 1:
            return name
    return ""


def _one_price(taken: dict[str, Guess]) -> None:
    """A file has prices of one sort: those incl. tax, unless only the others are sure."""
    gross, net = taken.get("unit_price_incl_tax"), taken.get("unit_price_excl_tax")
    if gross and net:
        del taken["unit_price_incl_tax" if net.score > gross.score else "unit_price_excl_tax"]


def _name_in_two(taken: dict[str, Guess]) -> None:
    """Next to a column of first names, that of the recipient's name has last names."""
    if "first_name" in taken and "last_name" not in taken and "shipping_name" in taken:
        taken["last_name"] = taken.pop("shipping_name")._replace(field="last_name")


def _values(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    found = (row[place].strip() for row in rows if place < len(row))
    return [text for text in found if text]


def _score(field: str, kind: str, place: int, name: str, values: Sequence[str]) -> Guess:
    score, reason = _by_name(field, kind, name)
    fits = _FITS.get(field)
    samples = tuple(dict.fromkeys(values))[:SAMPLES]
    if fits and values:
        share = sum(map(fits, values)) / len(values)
        if share >= _MOST and score:
            score += CONFIRMED
            reason = _("%(reason)s, les valeurs le confirment") % {"reason": reason}
        elif score:
            score += CONTRADICTED
            reason = _("%(reason)s, mais les valeurs n'y ressemblent pas") % {"reason": reason}
        elif share == 1 and field == "email":
            score, reason = BY_VALUE, _("les valeurs sont des adresses e-mail")
    return Guess(field, place, score, reason, samples)


def _by_name(field: str, kind: str, name: str) -> tuple[int, str]:
    known = VOCABULARY[kind][field]
    folded = fold(name)
    if not folded:
        return 0, ""
    aliases = [fold(alias) for alias in (*known.near, *known.far)]
    if folded in aliases:
        return EXACT - min(aliases.index(folded), 20), _("nom connu : « %s »") % name
    words = set(folded.split())
    for alias in aliases:
        parts = set(alias.split())
        if parts <= words and len(alias) > _LONGEST_PLAIN_WORD:
            return CONTAINED + len(parts), _("nom proche de « %s »") % alias
    return 0, ""
