"""What references brought in a period: net sales EUR excl. tax, pieces, cost, from the kept sums.

Over long periods whole months are read as months, the days at both ends as days.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from sphinx.core.money import to_cents
from sphinx.dashboard.figures import EVERYTHING, Chosen
from sphinx.dashboard.models import ProductDay
from sphinx.dashboard.periods import Period

TOP = 15


class Sold(NamedTuple):
    """What a product, category or supplier brought (EUR excl. tax after discounts, credit notes
    off), the pieces, the cost of what left, and its share of the whole in percent."""

    key: str
    label: str
    product_id: int | None
    net: Decimal
    pieces: Decimal
    cost: Decimal
    share: int

    @property
    def margin(self) -> Decimal:
        """Net sales less the cost of what left, EUR excl. tax."""
        return self.net - self.cost


# What sums are grouped by: the columns (key, label, product) and the tables they come from.
_GROUPS = {
    "sku": (
        "facts.sku, MAX(p.label), MAX(p.id)",
        "facts.sku",
        "LEFT JOIN inventory_product p ON p.sku = facts.sku",
    ),
    "category": (
        "COALESCE(g.name, ''), COALESCE(g.name, ''), CAST(NULL AS bigint)",
        "COALESCE(g.name, '')",
        "LEFT JOIN inventory_product p ON p.sku = facts.sku "
        "LEFT JOIN inventory_productcategory g ON g.id = p.category_id",
    ),
    "supplier": (
        "COALESCE(s.name, ''), COALESCE(s.name, ''), CAST(NULL AS bigint)",
        "COALESCE(s.name, '')",
        "LEFT JOIN inventory_product p ON p.sku = facts.sku "
        "LEFT JOIN (SELECT product_id, MIN(supplier_id) AS supplier_id "
        "FROM suppliers_supplierproduct WHERE is_preferred GROUP BY product_id) AS sp "
        "ON sp.product_id = p.id "
        "LEFT JOIN suppliers_supplier s ON s.id = sp.supplier_id",
    ),
}


def sold_by(
    group: str, period: Period, chosen: Chosen = EVERYTHING, limit: int | None = TOP
) -> list[Sold]:
    """The best sellers among products ("sku"), categories or suppliers, best first."""
    return _best_first(_found([_best(group, limit)], period, chosen)[0])


def least_sold(period: Period, chosen: Chosen = EVERYTHING, limit: int = TOP) -> list[Sold]:
    """Active products that lie in stock and brought least, nothing sold at all first."""
    return _best_first(_found([_least(limit)], period, chosen)[0], sign=1)


class Sellers(NamedTuple):
    """What a page shows of a period, best first but for the least sold."""

    products: list[Sold]
    least: list[Sold]
    categories: list[Sold]
    suppliers: list[Sold]


def sellers(period: Period, chosen: Chosen = EVERYTHING) -> Sellers:
    """All four at once: the sums of a long period are read one time."""
    wanted = [_best("sku", TOP), _least(TOP), _best("category", TOP), _best("supplier", TOP)]
    products, least, categories, suppliers = _found(wanted, period, chosen)
    return Sellers(
        _best_first(products),
        _best_first(least, sign=1),
        _best_first(categories),
        _best_first(suppliers),
    )


def _best_first(rows: list[Sold], sign: int = -1) -> list[Sold]:
    return sorted(rows, key=lambda sold: (sign * sold.net, sold.key))


def _best(group: str, limit: int | None) -> str:
    columns, key, joins = _GROUPS[group]
    at_most = f"LIMIT {int(limit)}" if limit is not None else ""
    return (
        f"SELECT {columns}, SUM(facts.net), SUM(facts.pieces), SUM(facts.cost), "
        f"SUM(SUM(facts.net)) OVER () FROM facts {joins} GROUP BY {key} "
        f"HAVING SUM(facts.net) <> 0 OR SUM(facts.pieces) <> 0 ORDER BY 4 DESC, 1 {at_most}"
    )


def _least(limit: int) -> str:
    return (
        "SELECT p.sku, p.label, p.id, COALESCE(facts.net, 0) AS net, COALESCE(facts.pieces, 0), "
        "COALESCE(facts.cost, 0), 0 "
        "FROM inventory_product p LEFT JOIN facts ON facts.sku = p.sku "
        "WHERE p.is_active AND EXISTS (SELECT 1 FROM inventory_stockposition sp "
        "WHERE sp.product_id = p.id AND sp.on_hand > 0) "
        f"ORDER BY net, p.sku LIMIT {int(limit)}"
    )


def _found(selects: list[str], period: Period, chosen: Chosen) -> list[list[Sold]]:
    """What each select finds among the sums of a period by reference, in one statement."""
    facts, places = _facts(period, chosen)
    tagged = " UNION ALL ".join(
        f"SELECT {n}, part{n}.* FROM ({select}) AS part{n}" for n, select in enumerate(selects)
    )
    sql = (
        "WITH facts AS MATERIALIZED (SELECT sku, SUM(net) AS net, SUM(pieces) AS pieces, "
        f"SUM(cost) AS cost FROM ({facts}) AS said GROUP BY sku) {tagged}"
    )
    found: list[list[Sold]] = [[] for _select in selects]
    for number, *row in _rows(sql, places):
        found[number].append(_sold(*row))
    return found


def _sold(key: str, label: str | None, product: int | None, *sums: Any) -> Sold:
    net, pieces, cost, whole = (Decimal(str(value)) for value in sums)
    share = int(net * 100 / whole) if whole > 0 else 0
    return Sold(
        key, label or key, product, to_cents(net), pieces.quantize(Decimal("0.001")),
        to_cents(cost), share,
    )  # fmt: skip


def _rows(sql: str, places: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, places)
        return list(cursor.fetchall())


def _facts(period: Period, chosen: Chosen) -> tuple[str, list[Any]]:
    """A select of sku, net, pieces and cost, and its parameters."""
    if chosen != EVERYTHING:
        return _days(period, chosen)
    selects, places = [], []
    for table, part in _pieces(period):
        column = "month" if table == "dashboard_productmonth" else "day"
        selects.append(
            "SELECT sku, net_excl_tax AS net, pieces, cost_excl_tax AS cost "
            f"FROM {table} WHERE {column} BETWEEN %s AND %s"
        )
        places += [part.start, part.end]
    return " UNION ALL ".join(selects), places


def _days(period: Period, chosen: Chosen) -> tuple[str, list[Any]]:
    sql = (
        "SELECT sku, net_excl_tax AS net, pieces, cost_excl_tax AS cost "
        "FROM dashboard_productday WHERE day BETWEEN %s AND %s"
    )
    places: list[Any] = [period.start, period.end]
    for column, value in (
        ("shop_id", chosen.shop_id),
        ("country", chosen.country or None),
        ("is_business", chosen.is_business),
    ):
        if value is not None:
            sql += f" AND {column} = %s"
            places.append(value)
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
