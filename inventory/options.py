"""Values of a model's options as people put them in order: S before M, 38 before 40."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from sphinx.core.texts import fold

_LETTERS = {"s": -1, "m": 0, "l": 1}
_EXTRA = re.compile(r"(?:(\d)\s?)?(x*)([sl])")
_NUMBER = re.compile(r"(\d{1,3}(?:[.,]\d)?)(?: (\d)/(\d))?(?:\s?([a-z]+))?\b.*")
# Months before years: clothes for children.
_MONTHS = {"m": 1, "mois": 1, "month": 1, "months": 1, "an": 12, "ans": 12, "a": 12, "year": 12,
           "years": 12, "y": 12}  # fmt: skip
_WORDS = {
    "xs": "xs", "extra small": "xs", "small": "s", "medium": "m", "large": "l",
    "extra large": "xl", "petit": "s", "moyen": "m", "grand": "l", "petite": "s", "moyenne": "m",
    "grande": "l", "regular": "m", "standard": "m", "normal": "m", "normale": "m",
}  # fmt: skip
_ONE_SIZE = {"tu", "taille unique", "unique", "one size", "onesize", "os"}
# Letters, ages, numbers: two kinds are never one beside the other.
_LETTER_KIND, _AGE_KIND, _NUMBER_KIND, _OTHER_KIND = range(4)
_COLOURS = frozenset(
    "noir blanc bleu rouge vert jaune rose gris beige marron orange violet ecru marine kaki "
    "bordeaux turquoise dore argent argente or camel moutarde lilas corail creme ivoire taupe "
    "anthracite chocolat fuchsia parme prune sable terracotta multicolore "
    "black white blue red green yellow pink grey gray brown purple navy khaki gold silver cream "
    "ivory charcoal burgundy teal tan".split()
)
# Bleu marine clair; more words are a name.
_COLOUR_WORDS = 3
Rank = tuple[int, float, str]


def rank(value: str) -> Rank:
    """Where a value stands among those of its option: sizes by size, all else by name."""
    text = value.strip().casefold()
    found = _letters(text)
    if found is not None:
        return _LETTER_KIND, found, ""
    if match := _NUMBER.fullmatch(text):
        number = float(match[1].replace(",", "."))
        if match[2] and match[3] != "0":
            number += int(match[2]) / int(match[3])
        if match[4] in _MONTHS:
            return _AGE_KIND, number * _MONTHS[match[4]], ""
        return _NUMBER_KIND, number, fold(text)
    return _OTHER_KIND, 0.0, fold(text) or text


def _letters(text: str) -> float | None:
    """XS is −2, S −1, M 0, L 1, XL 2, 2XL and XXL 3; None for what is no such size."""
    text = _WORDS.get(fold(text), text)
    if text in _LETTERS:
        return float(_LETTERS[text])
    match = _EXTRA.fullmatch(text)
    if not match or not (match[1] or match[2]) or (match[1] and len(match[2]) != 1):
        return None
    count = int(match[1]) if match[1] else len(match[2])
    return float((count + 1) * _LETTERS[match[3]])


def is_size(value: str) -> bool:
    """True for what only a size is: XL, 38, 41 1/3, 6 mois, taille unique."""
    return rank(value)[0] != _OTHER_KIND or fold(value) in _ONE_SIZE


def is_colour(value: str) -> bool:
    """True for what begins or ends with the name of a colour: Bleu, Bleu marine, Dark blue."""
    words = fold(value).split()
    return 0 < len(words) <= _COLOUR_WORDS and bool({words[0], words[-1]} & _COLOURS)


def in_order(values: Iterable[str]) -> list[str]:
    """Values of an option as a person would put them."""
    return sorted(set(values), key=rank)


def name_of(values: Iterable[str], number: int) -> str:
    """What an option nobody named is called, by its values; `number` counts from 1."""
    given = list(values)
    if given and all(is_size(value) for value in given):
        return _("Taille")
    if given and sum(is_colour(value) for value in given) * 2 > len(given):
        return _("Couleur")
    return _("Critère %s") % number
