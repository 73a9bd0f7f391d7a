"""A model as a table: its variants by their options, with stock, sales and what is proposed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Sum

from inventory.models import Product, Style
from inventory.options import in_order, is_size
from inventory.selectors import asked_between, free_stock
from purchasing.models import PurchaseOrder, PurchaseOrderLine

ZERO = Decimal(0)
# Sizes stand side by side unless there are more: then they don't fit a phone's screen anyway.
MOST_COLUMNS = 12


class Cell(NamedTuple):
    """A variant and its pieces; neither where the model has none of these values."""

    product: Product | None
    pieces: Decimal | None


class Row(NamedTuple):
    """A row: its value or values, the cells in the order of the columns, their sum."""

    name: str
    cells: list[Cell]
    total: Decimal


class Matrix(NamedTuple):
    """The table; with a single option its values are the rows, and there are no columns."""

    row_name: str
    column_name: str
    columns: list[str]
    rows: list[Row]
    totals: list[Decimal]
    total: Decimal


def variants_of(style: Style) -> list[Product]:
    """The active variants of a model."""
    return list(style.variants.filter(is_active=True).order_by("pk"))


def free_pieces(products: Iterable[Product]) -> dict[int, Decimal]:
    """What can be sold of each, zero of what has never been in stock."""
    ids = [product.pk for product in products]
    return dict.fromkeys(ids, ZERO) | free_stock(ids)


def sold_pieces(products: Iterable[Product], *, on: date, days: int) -> dict[int, Decimal]:
    """What was asked for of each in the `days` before a day."""
    ids = [product.pk for product in products]
    found = asked_between(ids, first=on - timedelta(days=days), before=on)
    return dict.fromkeys(ids, ZERO) | found


def proposed_pieces(products: Iterable[Product]) -> dict[int, Decimal]:
    """What open proposals would buy of each."""
    ids = [product.pk for product in products]
    rows = (
        PurchaseOrderLine.objects.filter(
            product__in=ids, purchase_order__status=PurchaseOrder.Status.PROPOSED
        )
        .order_by()
        .values_list("product_id")
        .annotate(pieces=Sum("quantity"))
    )
    return dict.fromkeys(ids, ZERO) | dict(rows)


def matrix(style: Style, products: Sequence[Product], pieces: Mapping[int, Decimal]) -> Matrix:
    """The variants by their options: sizes across, all else down."""
    names = style.option_names
    values = {p.pk: (p.option1, p.option2, p.option3)[: len(names)] for p in products}
    across = _across(names, list(values.values()))
    columns = in_order(v[across] for v in values.values()) if across is not None else [""]
    rows: dict[tuple[str, ...], dict[str, Product]] = {}
    for product in products:
        own = values[product.pk]
        down = tuple(v for n, v in enumerate(own) if n != across)
        rows.setdefault(down, {})[own[across] if across is not None else ""] = product
    down_names = [name for n, name in enumerate(names) if n != across]
    order = [in_order(column) for column in zip(*rows, strict=True)]
    told = [
        _row(" / ".join(down), [rows[down].get(value) for value in columns], pieces)
        for down in sorted(rows, key=lambda d: [order[n].index(v) for n, v in enumerate(d)])
    ]
    totals = [sum((row.cells[n].pieces or ZERO for row in told), ZERO) for n in range(len(columns))]
    return Matrix(
        " / ".join(down_names),
        names[across] if across is not None else "",
        columns,
        told,
        totals,
        sum(totals, ZERO),
    )


def _across(names: Sequence[str], variants: Sequence[Sequence[str]]) -> int | None:
    """The option whose values stand side by side: the sizes, else the one with fewest values."""
    if len(names) == 1 or not variants:
        return None
    values = [set(column) for column in zip(*variants, strict=True)]
    sizes = [
        n for n, found in enumerate(values)
        if all(map(is_size, found)) and len(found) <= MOST_COLUMNS
    ]  # fmt: skip
    return sizes[0] if sizes else min(range(len(names)), key=lambda n: len(values[n]))


def _row(name: str, found: Sequence[Product | None], pieces: Mapping[int, Decimal]) -> Row:
    cells = [Cell(p, pieces[p.pk] if p else None) for p in found]
    return Row(name, cells, sum((c.pieces or ZERO for c in cells), ZERO))
