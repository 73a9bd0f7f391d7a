"""The size curve: which part of a model's demand each of its variants takes.

A variant is expected to be asked for e = ρ·Π c pieces a day while it is on the shelf: ρ is its
model's own level, c what each of its values (M, Bleu) does in all models of the category. The
factors are those under which each model, and each value in each category, comes to the pieces it
was asked for over the days on which it could be (iterative proportional fitting of a log-linear
model with exposure, Deming & Stephan 1940; Agresti, Categorical Data Analysis, ch. 9): days without
stock count on neither side, so a size that was sold out isn't taken for one that nobody wants.

A value that has hardly been on a shelf is drawn towards the sizes next to it (colours: to all
others). Then each value is taken for what it did in this very model, by (pieces + 20) /
(expected + 20), so that a model's own curve counts by what it has sold.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from inventory.options import is_size, rank
from purchasing.planning.series import Bools, Floats, Ints
from sphinx.core.texts import fold

# A curve is learned from half a year, whatever its season.
CURVE_WEEKS = 26
# What the category knows counts in a model as so many pieces.
CATEGORY_PIECES = 20.0
# A model, or a value, of which less is or could be expected to be asked for tells no curve.
LEAST_PIECES = 10.0
ROUNDS = 25


class Variant(NamedTuple):
    """A variant with what it was asked for: pieces, over the days on which it could be."""

    product_id: int
    style_id: int
    group: Any
    option_names: tuple[str, ...]
    options: tuple[str, ...]
    pieces: float
    days: float


class Share(NamedTuple):
    """What the curve gives a variant: pieces a day, of the model's own, learned from `pieces`."""

    per_day: float
    style_per_day: float
    pieces: float

    @property
    def share(self) -> float:
        """Its part of the model's demand, 0 to 1."""
        return self.per_day / self.style_per_day if self.style_per_day else 0.0


def size_curves(variants: Sequence[Variant]) -> dict[int, Share]:
    """By product what its model's curve gives it; models that sold less than ten pieces have none.

    `group` is the category whose models share what is known of values; who has none is by itself.
    """
    if not variants:
        return {}
    pieces, days = np.array([v.pieces for v in variants]), np.array([v.days for v in variants])
    style = _indices([v.style_id for v in variants])
    axes = [_Axis(variants, n) for n in range(max(len(v.options) for v in variants))]
    level = _fit(pieces, days, style, axes)
    for axis in axes:
        axis.draw_to_neighbours(pieces, days * level[style] * _product(axes, but=axis))
    usual = level[style] * _product(axes)
    # The level once more: what is expected of its variants has changed.
    usual = usual * _ratio(pieces, usual * days, style, 0.0)[style]
    per_day = usual.copy()
    # A model by itself has been learned from already: it isn't counted twice.
    has_others = _has_others(variants)
    for n in range(len(axes)):
        own = _indices([(v.style_id, *_value(v, n)) for v in variants])
        ratio = _ratio(pieces, usual * days, own, CATEGORY_PIECES)[own]
        per_day *= np.where(has_others, ratio, 1.0)
    per_style = np.bincount(style, per_day)[style]
    sold = np.bincount(style, pieces)[style]
    return {
        v.product_id: Share(float(per_day[n]), float(per_style[n]), float(sold[n]))
        for n, v in enumerate(variants)
        if sold[n] >= LEAST_PIECES and per_style[n] > 0
    }


class _Axis:
    """One of the options, over all variants: `index` of each one's value, `effect` by index."""

    def __init__(self, variants: Sequence[Variant], number: int) -> None:
        self.index = _indices([(v.group, *_value(v, number)) for v in variants])
        self.effect = np.ones(self.index.max() + 1)
        self._kin: dict[Any, dict[int, str]] = {}
        for variant, place in zip(variants, self.index.tolist(), strict=True):
            if number < len(variant.options):
                kin = (variant.group, fold(variant.option_names[number]))
                self._kin.setdefault(kin, {})[place] = variant.options[number]

    def draw_to_neighbours(self, pieces: Floats, expected: Floats) -> None:
        """Have values of which too little could be seen follow those next to them.

        `expected` is what each variant would have been asked for were its value's effect 1.
        """
        asked, usual = np.bincount(self.index, pieces), np.bincount(self.index, expected)
        found = self.effect.copy()
        for values in self._kin.values():
            places = list(values)
            mean = asked[places].sum() / max(usual[places].sum(), 1e-12)
            telling = [p for p in places if max(asked[p], usual[p] * mean) >= LEAST_PIECES]
            for place in set(places) - set(telling):
                near = _nearest(values[place], {p: values[p] for p in telling})
                base = float(np.mean(self.effect[near])) if near else mean
                seen = base * usual[place]
                found[place] = base * (asked[place] + LEAST_PIECES) / (seen + LEAST_PIECES)
        self.effect = found


def _has_others(variants: Sequence[Variant]) -> Bools:
    """Where the category has more models than the variant's own."""
    styles: dict[Any, set[int]] = {}
    for variant in variants:
        styles.setdefault(variant.group, set()).add(variant.style_id)
    return np.array([len(styles[variant.group]) > 1 for variant in variants])


def _value(variant: Variant, number: int) -> tuple[Any, ...]:
    """What a variant's value of an option is known by in its category."""
    if number >= len(variant.options):
        return "", ""
    return fold(variant.option_names[number]), variant.options[number].casefold()


def _indices(keys: Sequence[Any]) -> Ints:
    """The same number for the same key, counted from 0."""
    known: dict[Any, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _product(axes: Sequence[_Axis], *, but: _Axis | None = None) -> Any:
    """The effects of each variant's values, multiplied."""
    factors = [axis.effect[axis.index] for axis in axes if axis is not but]
    return np.prod(factors, axis=0) if factors else 1.0


def _ratio(pieces: Floats, expected: Floats, index: Ints, weight: float) -> Floats:
    """Pieces over what was expected, by index, drawn to 1 by `weight` pieces."""
    asked, usual = np.bincount(index, pieces) + weight, np.bincount(index, expected) + weight
    return np.where(usual > 0, asked / np.maximum(usual, 1e-12), 1.0)


def _fit(pieces: Floats, days: Floats, style: Ints, axes: Sequence[_Axis]) -> Floats:
    """Set the effect of each value; returns the level of each model (pieces a day)."""
    level = np.ones(style.max() + 1)
    for _round in range(ROUNDS):
        for axis in axes:
            axis.effect *= _ratio(pieces, days * level[style] * _product(axes), axis.index, 0.0)
        level *= _ratio(pieces, days * level[style] * _product(axes), style, 0.0)
    return level


def _nearest(value: str, others: Mapping[int, str]) -> list[int]:
    """Places of the sizes next to a size; of all others where it has no order, or none is like
    it."""
    here = rank(value)
    same = {place: rank(other) for place, other in others.items() if rank(other)[0] == here[0]}
    if not is_size(value) or not same:
        return list(others)
    below = [place for place in same if same[place] < here]
    above = [place for place in same if same[place] > here]
    nearest = [max(below, key=same.__getitem__)] if below else []
    return [*nearest, *([min(above, key=same.__getitem__)] if above else [])]
