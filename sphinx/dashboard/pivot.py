"""Sales crossed: rows by columns, one measure, from the kept sums of days.

EUR, pieces, civil days in Europe/Paris. What a measure says in all is what the statistics page
says of the same period.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.utils.dates import MONTHS_AP
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from inventory.models import Product
from sphinx.core.models import Shop
from sphinx.core.money import ZERO, to_cents
from sphinx.core.replica import reading_connection
from sphinx.dashboard.figures import Chosen
from sphinx.dashboard.periods import Period
from sphinx.dashboard.products import conditions, joins_of

MOST_ROWS, MOST_COLUMNS = 100, 24
EUROS, COUNT = "€", ""


class Dimension(NamedTuple):
    """What rows or columns are; of time they keep their order, others go by size."""

    label: Any
    sql: str
    is_time: bool = False
    # Only sums by product know it.
    is_of_products: bool = False


class Measure(NamedTuple):
    """What is summed, EUR unless it counts; of which kept sums."""

    label: Any
    sql: str
    unit: str
    is_of_products: bool = False


class Pivot(NamedTuple):
    """What was asked."""

    rows: str
    columns: str
    measure: str
    period: Period
    chosen: Chosen


class Line(NamedTuple):
    """A row: its name, a value a column (None of nothing), their sum."""

    name: str
    values: list[Decimal | None]
    total: Decimal


class Crossed(NamedTuple):
    """The table: names of the columns, rows, sums of the columns, the sum of all."""

    columns: list[str]
    lines: list[Line]
    totals: list[Decimal]
    total: Decimal


def _postgresql() -> bool:
    return connection.vendor == "postgresql"


DIMENSIONS = {
    "day": Dimension(gettext_lazy("Jour"), "day", is_time=True),
    "week": Dimension(gettext_lazy("Semaine"), "week", is_time=True),
    "month": Dimension(gettext_lazy("Mois"), "month", is_time=True),
    "year": Dimension(gettext_lazy("Année"), "year", is_time=True),
    "shop": Dimension(gettext_lazy("Boutique"), "facts.shop_id"),
    "country": Dimension(gettext_lazy("Pays de livraison"), "facts.country"),
    "kind": Dimension(gettext_lazy("Clientèle"), "facts.is_business"),
    "category": Dimension(gettext_lazy("Catégorie"), "COALESCE(g.name, '')", is_of_products=True),
    "supplier": Dimension(gettext_lazy("Fournisseur"), "COALESCE(s.name, '')", is_of_products=True),
    "product": Dimension(gettext_lazy("Article"), "facts.sku", is_of_products=True),
}
MEASURES = {
    "turnover": Measure(gettext_lazy("Chiffre d'affaires HT"), "facts.net_excl_tax", EUROS),
    "margin": Measure(
        gettext_lazy("Marge brute HT"), "facts.net_excl_tax - facts.cost_excl_tax", EUROS
    ),
    "tax": Measure(gettext_lazy("TVA facturée"), "facts.tax", EUROS),
    "credited": Measure(gettext_lazy("Avoirs HT"), "facts.credited_excl_tax", EUROS),
    "documents": Measure(gettext_lazy("Factures et avoirs"), "facts.documents", COUNT),
    "orders": Measure(gettext_lazy("Commandes"), "facts.orders", COUNT),
    "ordered": Measure(gettext_lazy("Commandé TTC"), "facts.ordered_incl_tax", EUROS),
    "history": Measure(gettext_lazy("Repris HT"), "facts.history_excl_tax", EUROS),
    "history_orders": Measure(gettext_lazy("Commandes reprises"), "facts.history_orders", COUNT),
    "goods": Measure(
        gettext_lazy("Marchandises HT"), "facts.net_excl_tax", EUROS, is_of_products=True
    ),
    "goods_margin": Measure(
        gettext_lazy("Marge des marchandises HT"),
        "facts.net_excl_tax - facts.cost_excl_tax",
        EUROS,
        is_of_products=True,
    ),
    "pieces": Measure(gettext_lazy("Pièces vendues"), "facts.pieces", COUNT, is_of_products=True),
    "history_goods": Measure(
        gettext_lazy("Marchandises reprises HT"),
        "facts.history_excl_tax",
        EUROS,
        is_of_products=True,
    ),
    "history_pieces": Measure(
        gettext_lazy("Pièces reprises"), "facts.history_pieces", COUNT, is_of_products=True
    ),
}


def cross(asked: Pivot) -> Crossed:
    """The table that was asked for; what is beyond its size goes into a last row or column."""
    cells = {
        (row, column): Decimal(str(value)).quantize(Decimal("0.001"))
        for row, column, value in _sums(asked)
        if value is not None
    }
    if MEASURES[asked.measure].unit == EUROS:
        cells = {place: to_cents(value) for place, value in cells.items()}
    rows = _ordered(asked.rows, cells, 0, MOST_ROWS)
    columns = _ordered(asked.columns, cells, 1, MOST_COLUMNS) if asked.columns else [""]
    table = _folded(cells, rows, columns)
    names = _namer(asked.rows, rows)
    heads = _namer(asked.columns, columns) if asked.columns else str
    others = _("Autres")
    lines = [
        Line(
            others if row is _OTHERS else names(row),
            [table.get((row, column)) for column in columns],
            sum((table.get((row, column), ZERO) for column in columns), ZERO),
        )
        for row in rows
    ]
    totals = [sum((table.get((r, c), ZERO) for r in rows), ZERO) for c in columns]
    shown = [others if c is _OTHERS else heads(c) for c in columns] if asked.columns else []
    return Crossed(shown, lines, totals, sum(totals, ZERO))


_OTHERS = object()


def _ordered(code: str, cells: dict[Any, Decimal], side: int, most: int) -> list[Any]:
    """Keys in time, or the largest first; `_OTHERS` last where there are too many."""
    sizes: dict[Any, Decimal] = {}
    for place, value in cells.items():
        sizes[place[side]] = sizes.get(place[side], ZERO) + value
    if DIMENSIONS[code].is_time:
        keys = sorted(sizes)
        return keys if len(keys) <= most else [_OTHERS, *keys[-most:]]
    keys = sorted(sizes, key=lambda key: (-sizes[key], str(key)))
    return keys if len(keys) <= most else [*keys[:most], _OTHERS]


def _folded(
    cells: dict[Any, Decimal], rows: Iterable[Any], columns: Iterable[Any]
) -> dict[Any, Decimal]:
    known_rows, known_columns = set(rows), set(columns)
    table: dict[Any, Decimal] = {}
    for (row, column), value in cells.items():
        place = (
            row if row in known_rows else _OTHERS,
            column if column in known_columns else _OTHERS,
        )
        table[place] = table.get(place, ZERO) + value
    return table


def _sums(asked: Pivot) -> list[tuple[Any, Any, Any]]:
    measure = MEASURES[asked.measure]
    codes = [code for code in (asked.rows, asked.columns) if code]
    column = _key(asked.columns) if asked.columns else "''"
    table = "dashboard_productday" if measure.is_of_products else "dashboard_salesday"
    where, places = conditions(asked.chosen)
    sql = (
        f"SELECT {_key(asked.rows)} AS r, {column} AS c, SUM({measure.sql}) FROM {table} AS facts "
        f"{joins_of(codes)} WHERE facts.day BETWEEN %s AND %s{where} GROUP BY 1, 2"
    )
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, [asked.period.start, asked.period.end, *places])
        return [row for row in cursor.fetchall() if row[2]]


_IN_TIME = {
    "day": ("to_char(facts.day, 'YYYY-MM-DD')", "strftime('%%Y-%%m-%%d', facts.day)"),
    # ISO weeks: the Thursday tells the year.
    "week": (
        "to_char(facts.day, 'IYYY-IW')",
        "strftime('%%Y', date(facts.day, '-3 days', 'weekday 4')) || '-' || printf('%%02d', "
        "(strftime('%%j', date(facts.day, '-3 days', 'weekday 4')) - 1) / 7 + 1)",
    ),
    "month": ("to_char(facts.day, 'YYYY-MM')", "strftime('%%Y-%%m', facts.day)"),
    "year": ("to_char(facts.day, 'YYYY')", "strftime('%%Y', facts.day)"),
}


def _key(code: str) -> str:
    if DIMENSIONS[code].is_time:
        return _IN_TIME[code][0 if _postgresql() else 1]
    return DIMENSIONS[code].sql


def _namer(code: str, keys: Iterable[Any]) -> Callable[[Any], str]:
    """What a key is called on the screen."""
    if code == "product":
        skus = [key for key in keys if key is not _OTHERS]
        labels = dict(Product.objects.filter(sku__in=skus).values_list("sku", "label"))
        return lambda key: f"{labels[key]} ({key})" if labels.get(key) else str(key) or _("Sans")
    if code == "shop":
        shops = dict(Shop.objects.values_list("pk", "name"))
        return lambda key: shops.get(key, str(key))
    if code == "country":
        names = dict(countries)
        return lambda key: str(names.get(key, key)) or _("Inconnu")
    if code == "kind":
        return lambda key: _("Professionnels") if key else _("Particuliers")
    if code == "month":
        return lambda key: f"{MONTHS_AP[int(key[5:])]} {key[:4]}"
    if code == "week":
        return lambda key: _("S%(week)s %(year)s") % {"week": key[5:], "year": key[:4]}
    if code == "day":
        return lambda key: f"{key[8:]}/{key[5:7]}/{key[:4]}"
    return lambda key: str(key) or _("Sans")
