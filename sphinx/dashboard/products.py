"""What references brought in a period: net sales EUR excl. tax, pieces, cost, from the kept sums.

Over long periods whole months are read as months, the days at both ends as days.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sphinx.core.money import to_cents
from sphinx.core.replica import reading_connection
from sphinx.dashboard.figures import EVERYTHING, Chosen
from sphinx.dashboard.models import ProductDay
from sphinx.dashboard.periods import Period

TOP = 15
_PIECE = Decimal("0.001")


class Sold(NamedTuple):
    """What a product, category or supplier brought (EUR excl. tax after discounts, credit notes
    off), the pieces, the cost of what left, its share of the whole in percent; `history` is what
    it brought before the first day here, which counts in its rank and its share."""

    key: str
    label: str
    product_id: int | None
    net: Decimal
    pieces: Decimal
    cost: Decimal
    share: int
    history: Decimal
    history_pieces: Decimal

    @property
    def brought(self) -> Decimal:
        """Net sales, those of before the first day here too, EUR excl. tax."""
        return self.net + self.history

    @property
    def margin(self) -> Decimal:
        """Net sales less the cost of what left, EUR excl. tax."""
        return self.net - self.cost


# A product's supplier is the first of those that are preferred.
_PREFERRED = (
    "(SELECT product_id, MIN(supplier_id) AS supplier_id "
    "FROM suppliers_supplierproduct WHERE is_preferred GROUP BY product_id)"
)
# The tables that tell what a reference of `facts` is: product p, category g, supplier s.
_PRODUCT = "LEFT JOIN inventory_product p ON p.sku = facts.sku"
_JOINS = {
    "sku": (_PRODUCT,),
    "category": (_PRODUCT, "LEFT JOIN inventory_productcategory g ON g.id = p.category_id"),
    "supplier": (
        _PRODUCT,
        f"LEFT JOIN {_PREFERRED} AS sp ON sp.product_id = p.id",
        "LEFT JOIN suppliers_supplier s ON s.id = sp.supplier_id",
    ),
}
# What sums are grouped by: the columns (key, label, product) and the key.
_GROUPS = {
    "sku": (
        "facts.sku, MAX(p.label), MAX(p.id)",
        "facts.sku",
    ),
    "category": (
        "COALESCE(g.name, ''), COALESCE(g.name, ''), CAST(NULL AS bigint)",
        "COALESCE(g.name, '')",
    ),
    "supplier": (
        "COALESCE(s.name, ''), COALESCE(s.name, ''), CAST(NULL AS bigint)",
        "COALESCE(s.name, '')",
    ),
}


def joins_of(groups: Iterable[str]) -> str:
    """The joins that tell the category or supplier of kept sums called `facts`, each once."""
    return " ".join(dict.fromkeys(join for group in groups for join in _JOINS.get(group, ())))


def sold_by(
    group: str, period: Period, chosen: Chosen = EVERYTHING, limit: int | None = TOP
) -> list[Sold]:
    """The best sellers among products ("sku"), categories or suppliers, best first."""
    return _best_first(_found([_best(group, limit)], period, chosen)[0])


def least_sold(period: Period, chosen: Chosen = EVERYTHING, limit: int = TOP) -> list[Sold]:
    """Active products that lie in stock and brought least, nothing sold at all first."""
    return _best_first(_found([_least(limit, chosen)], period, chosen)[0], sign=1)


class Sellers(NamedTuple):
    """What a page shows of a period, best first but for the least sold."""

    products: list[Sold]
    least: list[Sold]
    categories: list[Sold]
    suppliers: list[Sold]


def sellers(period: Period, chosen: Chosen = EVERYTHING) -> Sellers:
    """All four at once: the sums of a long period are read one time."""
    wanted = [
        _best("sku", TOP),
        _least(TOP, chosen),
        _best("category", TOP),
        _best("supplier", TOP),
    ]
    products, least, categories, suppliers = _found(wanted, period, chosen)
    return Sellers(
        _best_first(products),
        _best_first(least, sign=1),
        _best_first(categories),
        _best_first(suppliers),
    )


def _best_first(rows: list[Sold], sign: int = -1) -> list[Sold]:
    return sorted(rows, key=lambda sold: (sign * sold.brought, sold.key))


class _Select(NamedTuple):
    sql: str
    places: list[Any]


def _best(group: str, limit: int | None) -> _Select:
    columns, key = _GROUPS[group]
    at_most = f"LIMIT {int(limit)}" if limit is not None else ""
    return _Select(
        f"SELECT {columns}, SUM(facts.net), SUM(facts.pieces), SUM(facts.cost), "
        "SUM(SUM(facts.net + facts.history)) OVER (), SUM(facts.history), "
        f"SUM(facts.history_pieces) FROM facts {joins_of([group])} GROUP BY {key} "
        "HAVING SUM(facts.net) <> 0 OR SUM(facts.pieces) <> 0 OR SUM(facts.history_pieces) <> 0 "
        f"ORDER BY SUM(facts.net + facts.history) DESC, 1 {at_most}",
        [],
    )


def _least(limit: int, chosen: Chosen) -> _Select:
    among, places = _among_products(chosen, "p.sku")
    return _Select(
        "SELECT p.sku, p.label, p.id, COALESCE(facts.net, 0) AS net, COALESCE(facts.pieces, 0), "
        "COALESCE(facts.cost, 0), 0, COALESCE(facts.history, 0), COALESCE(facts.history_pieces, 0) "
        "FROM inventory_product p LEFT JOIN facts ON facts.sku = p.sku "
        "WHERE p.is_active AND EXISTS (SELECT 1 FROM inventory_stockposition sp "
        "WHERE sp.product_id = p.id AND sp.on_hand > 0) "
        f"{among} ORDER BY COALESCE(facts.net + facts.history, 0), p.sku LIMIT {int(limit)}",
        places,
    )


def _found(selects: list[_Select], period: Period, chosen: Chosen) -> list[list[Sold]]:
    """What each select finds among the sums of a period by reference, in one statement."""
    facts, places = _facts(period, chosen)
    tagged = " UNION ALL ".join(
        f"SELECT {n}, part{n}.* FROM ({select.sql}) AS part{n}" for n, select in enumerate(selects)
    )
    places += [place for select in selects for place in select.places]
    sql = (
        "WITH facts AS MATERIALIZED (SELECT sku, SUM(net) AS net, SUM(pieces) AS pieces, "
        "SUM(cost) AS cost, SUM(history) AS history, SUM(history_pieces) AS history_pieces "
        f"FROM ({facts}) AS said GROUP BY sku) {tagged}"
    )
    found: list[list[Sold]] = [[] for _select in selects]
    for number, *row in _rows(sql, places):
        found[number].append(_sold(*row))
    return found


def _sold(key: str, label: str | None, product: int | None, *sums: Any) -> Sold:
    net, pieces, cost, whole, history, before = (Decimal(str(value)) for value in sums)
    share = int((net + history) * 100 / whole) if whole > 0 else 0
    return Sold(
        key, label or key, product, to_cents(net), pieces.quantize(_PIECE),
        to_cents(cost), share, to_cents(history), before.quantize(_PIECE),
    )  # fmt: skip


def _rows(sql: str, places: list[Any]) -> list[tuple[Any, ...]]:
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, places)
        return list(cursor.fetchall())


def _facts(period: Period, chosen: Chosen) -> tuple[str, list[Any]]:
    """A select of sku, net, pieces, cost and what was sold before, and its parameters.

    Months are kept of all sales only: what is chosen among them is read by day.
    """
    of_some = EVERYTHING._replace(category_id=chosen.category_id, supplier_id=chosen.supplier_id)
    parts = _pieces(period) if chosen == of_some else [("dashboard_productday", period)]
    where, chosen_places = conditions(chosen)
    selects, places = [], []
    for table, part in parts:
        column = "month" if table == "dashboard_productmonth" else "day"
        selects.append(
            "SELECT facts.sku, net_excl_tax AS net, pieces, cost_excl_tax AS cost, "
            "history_excl_tax AS history, history_pieces "
            f"FROM {table} AS facts WHERE {column} BETWEEN %s AND %s{where}"
        )
        places += [part.start, part.end, *chosen_places]
    return " UNION ALL ".join(selects), places


def conditions(chosen: Chosen) -> tuple[str, list[Any]]:
    """What is chosen, as conditions on kept sums called `facts`, each after an AND."""
    sql, places = "", []
    for column, value in (
        ("shop_id", chosen.shop_id),
        ("country", chosen.country or None),
        ("is_business", chosen.is_business),
    ):
        if value is not None:
            sql += f" AND facts.{column} = %s"
            places.append(value)
    among, product_places = _among_products(chosen, "facts.sku")
    return sql + among, places + product_places


def _among_products(chosen: Chosen, sku: str) -> tuple[str, list[Any]]:
    sql, places = "", []
    if chosen.category_id:
        sql += f" AND {sku} IN (SELECT sku FROM inventory_product WHERE category_id = %s)"
        places.append(chosen.category_id)
    if chosen.supplier_id:
        sql += (
            f" AND {sku} IN (SELECT sold.sku FROM inventory_product sold "
            f"JOIN {_PREFERRED} AS sp ON sp.product_id = sold.id WHERE sp.supplier_id = %s)"
        )
        places.append(chosen.supplier_id)
    return sql, places


def _pieces(period: Period) -> Iterator[tuple[str, Period]]:
    """The period cut into days before the first whole month, whole months, days after them."""
    first = _month_after(period.start) if period.start.day > 1 else period.start
    after = (period.end + timedelta(days=1)).replace(day=1)
    if not ProductDay.objects.filter(day__gt=period.end).exists():
        # Nothing comes after it: its last month is as whole as can be.
        after = _month_after(period.end)
    if first >= after:
        yield "dashboard_productday", period
        return
    if period.start < first:
        yield "dashboard_productday", Period(period.start, first - timedelta(days=1))
    yield "dashboard_productmonth", Period(first, after - timedelta(days=1))
    if after <= period.end:
        yield "dashboard_productday", Period(after, period.end)


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
