"""What a shop's name of an article tells of it: the model it is of, and its size and colour.

Shops write a variant's options behind the model's name, each program in its way:
- named: "T-shirt (Taille : M - Couleur : Bleu)" and "T-shirt - Taille : M- Couleur : Bleu"
  (PrestaShop), "T-shirt (Size: M | Color: Blue)" (Wix), "(Size:M,Color:Blue)" (Etsy, eBay);
- by position: "T-shirt - M / Bleu" (Shopify), "T-shirt - Bleu, M" (WooCommerce),
  "T-shirt (M / Bleu)" (Matrixify, Squarespace).
One name tells nothing for sure: what stands behind a dash may be part of the name. Several articles
whose names are the same before it and differ behind it do.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from inventory.models import MOST_OPTIONS
from inventory.options import Rank, is_colour, is_size, name_of, rank
from sphinx.core.texts import clean, fold, sku_key

# An option's name and its value; names have no sign that parts options.
_PAIR = re.compile(r"\s*\[?([^\s:,|;/()\[\]-][^:,|;/()\[\]]{0,38}?)\s?:\s*(\S[^:]*?)\]?\s*")
_BETWEEN_PAIRS = re.compile(r"\s*(?:- | / |[,|;])\s*(?=[^:,|;/()]{1,40}\s?:)")
_BRACKETS = re.compile(r"(.+?)\s*\(([^()]+)\)")
_DASH = " - "


class Named(NamedTuple):
    """An article's name read: the model's, options' names (blank: by position), their values."""

    base: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    separator: str


class Known(NamedTuple):
    """An article as it is in the books; `style_id` and `options` where it is a variant already."""

    pk: int
    sku: str
    name: str
    style_id: int | None = None
    options: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()


class Found(NamedTuple):
    """Articles that are variants of one model, of a new one or of `style_id`."""

    label: str
    option_names: tuple[str, ...]
    variants: tuple[tuple[Known, tuple[str, ...]], ...]
    style_id: int | None = None
    # Its options are named by the shop, or their values say what they are.
    is_sure: bool = False


def read_name(name: str) -> Named | None:
    """The reading of one name; None where it has no options."""
    text = clean(name)
    bracketed = _BRACKETS.fullmatch(text)
    if bracketed and (found := _read(bracketed[1], bracketed[2])):
        return found
    # Of several dashes the one before the options' names, else the last.
    start = text.find(_DASH)
    while start > 0:
        if found := _pairs(text[:start], text[start + len(_DASH) :]):
            return found
        start = text.find(_DASH, start + 1)
    base, dash, tail = text.rpartition(_DASH)
    return _by_position(base, tail) if dash and base else None


def _read(base: str, tail: str) -> Named | None:
    return _pairs(base, tail) or _by_position(base, tail)


def _pairs(base: str, tail: str) -> Named | None:
    """`Taille : M- Couleur : Bleu`."""
    matches = [_PAIR.fullmatch(part) for part in _BETWEEN_PAIRS.split(tail)]
    found = [match for match in matches if match]
    if not found or len(found) != len(matches) or len(found) > MOST_OPTIONS or not base.strip():
        return None
    names = tuple(match[1].strip()[:40] for match in found)
    if len({fold(name) for name in names}) < len(names):
        return None
    return Named(base.strip(), names, tuple(match[2].strip()[:60] for match in found), ":")


def _by_position(base: str, tail: str) -> Named | None:
    """`M / Bleu`, `Bleu, M`, `M`."""
    for separator in (" / ", ", "):
        if separator in tail:
            values = tuple(part.strip()[:60] for part in tail.split(separator))
            break
    else:
        separator, values = "", (tail.strip()[:60],)
    if not all(values) or len(values) > MOST_OPTIONS:
        return None
    return Named(base.strip(), (), values, separator)


def recognise(articles: Iterable[Known]) -> list[Found]:
    """The models that the articles' names tell, by name; articles of a model draw others to it.

    A group is left alone where anything could be read in two ways: two articles with the same
    values, options told by position of which none is a size or a colour, two models of one name.
    """
    groups: dict[tuple[str, tuple[str, ...], int], list[tuple[Known, Named]]] = defaultdict(list)
    for article in articles:
        if read := read_name(article.name):
            names = tuple(sorted(fold(name) for name in read.names))
            groups[sku_key(read.base), names, len(read.values)].append((article, read))
    # One name told by two ways of writing: nobody knows whether they are one model.
    often = Counter(base for base, _names, _count in groups)
    found = [
        told
        for (base, _names, _count), members in groups.items()
        if often[base] == 1 and (told := _told(members))
    ]
    return sorted(found, key=lambda f: (sku_key(f.label), f.style_id or 0))


def _told(members: Sequence[tuple[Known, Named]]) -> Found | None:
    first = members[0][1]
    if len({read.separator for _a, read in members}) > 1:
        return None
    values = [_in_order_of(first.names, read) for _a, read in members]
    if len({tuple(map(str.casefold, row)) for row in values}) < len(members):
        return None
    styles = {article.style_id for article, _read in members if article.style_id}
    if len(styles) > 1:
        return None
    if styles:
        return _more_of(styles.pop(), members, values)
    is_named = bool(first.names)
    if len(members) == 1 or not (is_named or _tells_by_position(first.separator, values)):
        return None
    columns = list(zip(*values, strict=True))
    names = first.names or tuple(name_of(c, n) for n, c in enumerate(columns, start=1))
    if len(set(names)) < len(names):
        return None
    pairs = zip((a for a, _r in members), values, strict=True)
    variants = tuple(sorted(pairs, key=_place))
    is_sure = is_named or all(map(_tells_itself, columns))
    return Found(first.base[:200], names, variants, None, is_sure)


def _place(variant: tuple[Known, tuple[str, ...]]) -> tuple[list[Rank], str]:
    """Where a variant stands among the others: by its values, as people put them."""
    return [rank(value) for value in variant[1]], variant[0].sku


def _in_order_of(names: Sequence[str], read: Named) -> tuple[str, ...]:
    """The values of a name in the order in which the first one has them."""
    if not names:
        return read.values
    by_name = dict(zip(map(fold, read.names), read.values, strict=True))
    return tuple(by_name[fold(name)] for name in names)


def _tells_by_position(separator: str, values: Sequence[tuple[str, ...]]) -> bool:
    """A stroke parts options and nothing else; commas and a lone value stand in names too."""
    columns = list(zip(*values, strict=True))
    # What is the same in all is part of the name.
    if any(len(set(column)) == 1 for column in columns) and separator != " / ":
        return False
    if separator == " / ":
        return True
    return any(map(_tells_itself, columns))


def _tells_itself(column: Sequence[str]) -> bool:
    """Values that are sizes, or colours, whoever named them."""
    return all(map(is_size, column)) or all(map(is_colour, column))


def _more_of(
    style_id: int, members: Sequence[tuple[Known, Named]], values: Sequence[tuple[str, ...]]
) -> Found | None:
    """Articles to add to a model that others of the name are variants of, read as these were."""
    fresh: list[tuple[Known, tuple[str, ...]]] = []
    names: tuple[str, ...] = ()
    for (article, _read), row in zip(members, values, strict=True):
        if article.style_id is None:
            fresh.append((article, row))
        elif tuple(map(fold, row)) != tuple(map(fold, article.options)):
            return None
        else:
            names = article.option_names
    label = members[0][1].base
    variants = tuple(sorted(fresh, key=_place))
    return Found(label, names, variants, style_id, is_sure=True) if fresh else None
