"""Size curves of the models in the books: what their variants were asked for, what that gives."""

import math
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q

from inventory.models import Product, Warehouse
from purchasing.models import StockPolicy
from purchasing.planning.curves import Share, Variant, size_curves
from purchasing.planning.series import Series
from sphinx.core.money import plain
from sphinx.core.texts import fold

# Variants whose demand is read at once.
CHUNK = 1000
# ("category" or "style", its id).
Group = tuple[str, int]
_NAMES = ("style__option1_name", "style__option2_name", "style__option3_name")
_VALUES = ("option1", "option2", "option3")


def group_of(product: Product) -> Group:
    """The models that teach each other: those of a category; who has none is by itself."""
    return _group(product.style_id or 0, product.category_id)


def _group(style_id: int, category_id: int | None) -> Group:
    return ("style", style_id) if category_id is None else ("category", category_id)


def style_curves(
    groups: Collection[Group], series_of: Callable[[Sequence[int]], Series]
) -> dict[int, Share]:
    """What the curves give the active variants of the groups' models, by product.

    `series_of` is asked for the demand of a thousand products at a time.
    """
    categories = [pk for kind, pk in groups if kind == "category"]
    styles = [pk for kind, pk in groups if kind == "style"]
    rows = list(
        Product.objects.filter(
            Q(category__in=categories) | Q(category__isnull=True, style__in=styles),
            is_active=True,
            components__isnull=True,
            style__isnull=False,
        )
        .order_by("style_id", "pk")
        .values_list("pk", "style_id", "category_id", *_NAMES, *_VALUES)
    )
    variants: list[Variant] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        series = series_of([row[0] for row in chunk])
        pieces, days = series.daily.sum(axis=1).tolist(), series.known_days.tolist()
        variants += map(_variant, chunk, pieces, days)
    return size_curves(variants)


def _variant(row: tuple[Any, ...], pieces: float, days: float) -> Variant:
    product_id, style_id, category_id, *rest = row
    # By name, so that models that put size and colour the other way round learn of each other.
    named = zip(rest[:3], rest[3:], strict=True)
    told = sorted((fold(name), name, value) for name, value in named if name)
    return Variant(
        product_id=product_id,
        style_id=style_id,
        group=_group(style_id, category_id),
        option_names=tuple(name for _folded, name, _value in told),
        options=tuple(value for _folded, _name, value in told),
        pieces=pieces,
        days=days,
    )


def figures_of(product: Product, curve: Share) -> dict[str, str]:
    """The figures of a forecast that the size curve made."""
    return {
        "style": str(product.style),
        "style_options": ", ".join(product.options),
        "style_share": _text(100 * curve.share, 1),
        "style_per_day": _text(curve.style_per_day, 3),
        "style_pieces": _text(curve.pieces, 3),
        "curve_per_day": _text(curve.per_day, 3),
    }


def kept_share(product: Product, warehouse: Warehouse) -> float:
    """What the curve gave a product in the last run, where it made the forecast; else NaN."""
    if product.style_id is None:
        return math.nan
    kept = StockPolicy.objects.filter(product=product, warehouse=warehouse).first()
    return float((kept.figures.get("curve_per_day") if kept else None) or math.nan)


def _text(value: float, places: int) -> str:
    return plain(Decimal(repr(round(value, places))))
