"""What orders, invoices and parcels say of each day, as SQL: the definitions behind the sums.

Each select ends in a condition for the days (or customers) that are wanted. EUR; civil days in
Europe/Paris. What shops sold before their first day here was invoiced elsewhere: it is summed
apart, as history, less what the shops gave back.
"""

from typing import NamedTuple

from django.db import connection


class Rollup(NamedTuple):
    """A table of sums: what names a row, what is summed, and the select that says it.

    `{days:COLUMN}`-like places are filled in by `source_of`.
    """

    table: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]

    @property
    def columns(self) -> str:
        """Every column but the id."""
        return ", ".join((*self.keys, *self.sums))


_SALE = ("day", "shop_id", "country", "is_business")
_OF_PRODUCTS = ("net_excl_tax", "pieces", "cost_excl_tax", "history_excl_tax", "history_pieces")
SALES_DAY = Rollup(
    "dashboard_salesday",
    _SALE,
    ("orders", "ordered_incl_tax", "documents", "net_excl_tax", "tax", "credited_excl_tax",
     "cost_excl_tax", "history_orders", "history_excl_tax"),
)  # fmt: skip
PRODUCT_DAY = Rollup("dashboard_productday", (*_SALE, "sku"), _OF_PRODUCTS)
PRODUCT_MONTH = Rollup("dashboard_productmonth", ("month", "sku"), _OF_PRODUCTS)
BUYER = Rollup("dashboard_buyer", ("customer_id",), ("first_ordered_on", "last_ordered_on"))

# Sold, and not from here: an order that is still to be paid is no sale yet.
_IS_HISTORY = "(o.is_history OR o.invoiced_elsewhere) AND o.status NOT IN ('draft', 'cancelled')"
# What pieces that never left come to was not always said to be given back.
_GIVEN_BACK = """
    COALESCE((SELECT CASE WHEN SUM(l.removed_incl_tax) > o.refunded_incl_tax
                          THEN SUM(l.removed_incl_tax) END
              FROM sales_orderline l WHERE l.order_id = o.id), o.refunded_incl_tax)"""
_KEPT = f"""
    CASE WHEN o.total_incl_tax > {_GIVEN_BACK} THEN
        ROUND((o.total_incl_tax - o.total_tax) * (1 - 1.0 * {_GIVEN_BACK} / o.total_incl_tax), 2)
    ELSE 0 END"""
_PLACED = """
    SELECT {placed} AS day, o.shop_id, o.shipping_country AS country,
           c.kind = 'company' AS is_business,
           1 AS orders, o.total_incl_tax AS ordered_incl_tax, 0 AS documents, 0 AS net_excl_tax,
           0 AS tax, 0 AS credited_excl_tax, 0 AS cost_excl_tax,
           CASE WHEN {is_history} THEN 1 ELSE 0 END AS history_orders,
           CASE WHEN {is_history} THEN {kept} ELSE 0 END AS history_excl_tax
    FROM sales_order o JOIN customers_customer c ON c.id = o.customer_id
    WHERE o.status <> 'cancelled' {placed_in}"""
_ISSUED = """
    SELECT i.issued_on, i.shop_id, i.country, i.is_business,
           0, 0, 1, {sign} * i.total_excl_tax, {sign} * i.total_tax,
           CASE WHEN i.kind = 'credit_note' THEN i.total_excl_tax ELSE 0 END, 0, 0, 0
    FROM invoicing_invoice i
    WHERE 1 = 1 {issued_in}"""
_LEFT = """
    FROM sales_deliverynoteline l
    JOIN sales_deliverynote n ON n.id = l.delivery_note_id
    JOIN sales_order o ON o.id = n.order_id
    JOIN customers_customer c ON c.id = o.customer_id
    {order_line}
    WHERE n.shipped_at IS NOT NULL {shipped_in}"""
_COST = (
    """
    SELECT {shipped} AS day, o.shop_id, o.shipping_country, c.kind = 'company',
           0, 0, 0, 0, 0, 0, l.quantity * COALESCE(l.unit_cost, 0), 0, 0"""
    + _LEFT
)
_SOLD = """
    SELECT i.issued_on AS day, i.shop_id, i.country, i.is_business, g.sku,
           {sign} * g.total_excl_tax AS net_excl_tax, {sign} * g.quantity AS pieces,
           0 AS cost_excl_tax, 0 AS history_excl_tax, 0 AS history_pieces
    FROM invoicing_invoiceline g JOIN invoicing_invoice i ON i.id = g.invoice_id
    WHERE g.kind = 'goods' {issued_in}"""
_COST_OF = (
    """
    SELECT {shipped}, o.shop_id, o.shipping_country, c.kind = 'company', ol.sku,
           0, 0, l.quantity * COALESCE(l.unit_cost, 0), 0, 0"""
    + _LEFT
)
# A line as it was sold, and what was given back for its pieces: as the shop says, else their
# share. Less than they cost is a gesture, and they stayed with the customer.
_LINES = """
    SELECT l.order_id, l.kind, l.sku, l.tax_rate, l.quantity, l.quantity_refunded,
           l.total_incl_tax - l.order_discount_incl_tax AS sold,
           1.0 * (l.total_incl_tax - l.order_discount_incl_tax)
               * l.quantity_refunded / l.quantity AS refunded_share,
           l.refunded_incl_tax
    FROM sales_orderline l"""
# What was given back without a word on which article lowers all of them, and carriage, alike.
_SOLD_BEFORE = f"""
    SELECT h.day, h.shop_id, h.country, h.is_business, h.sku, 0, 0, 0,
           ROUND(CASE WHEN h.rest <= 0 THEN h.kept
                      WHEN h.rest < h.whole THEN h.kept * (1 - 1.0 * h.rest / h.whole)
                      ELSE 0 END / (1 + h.tax_rate / 100.0), 2),
           h.pieces
    FROM (
        SELECT {{placed}} AS day, o.shop_id, o.shipping_country AS country,
               c.kind = 'company' AS is_business, g.kind, g.sku, g.tax_rate,
               g.sold - COALESCE(g.refunded_incl_tax, g.refunded_share) AS kept,
               g.quantity - CASE WHEN g.refunded_incl_tax < g.refunded_share - 0.01 * g.quantity
                                 THEN 0 ELSE g.quantity_refunded END AS pieces,
               o.refunded_incl_tax - o.shipping_refunded_incl_tax
                   - SUM(COALESCE(g.refunded_incl_tax, g.refunded_share)) OVER one AS rest,
               o.shipping_incl_tax - o.shipping_refunded_incl_tax
                   + SUM(g.sold - COALESCE(g.refunded_incl_tax, g.refunded_share)) OVER one
                   AS whole
        FROM sales_order o JOIN customers_customer c ON c.id = o.customer_id
        JOIN ({_LINES}) g ON g.order_id = o.id
        WHERE {{is_history}} {{placed_in}}
        WINDOW one AS (PARTITION BY o.id)) h
    WHERE h.kind = 'goods'"""
_BY_MONTH = """
    SELECT {month} AS month, d.sku, d.net_excl_tax, d.pieces, d.cost_excl_tax,
           d.history_excl_tax, d.history_pieces
    FROM dashboard_productday d
    WHERE 1 = 1 {day_in}"""
_SOURCES = {
    SALES_DAY: (_PLACED, _ISSUED, _COST),
    PRODUCT_DAY: (_SOLD, _COST_OF, _SOLD_BEFORE),
    PRODUCT_MONTH: (_BY_MONTH,),
}
_BUYERS = """
    SELECT o.customer_id, MIN({placed}) AS first_ordered_on, MAX({placed}) AS last_ordered_on
    FROM sales_order o
    WHERE o.status <> 'cancelled' {customers}
    GROUP BY o.customer_id"""
# Who ordered in those days, and whose first or last order is said to be of them.
AFFECTED = """
    SELECT o.customer_id FROM sales_order o WHERE 1 = 1 {placed_in}
    UNION SELECT b.customer_id FROM dashboard_buyer b WHERE 1 = 1 {first_in}
    UNION SELECT b.customer_id FROM dashboard_buyer b WHERE 1 = 1 {last_in}"""


def source_of(rollup: Rollup, *, some: bool) -> str:
    """A select of `rollup.columns` from its sources.

    With `some` only of the days between %(start)s and %(end)s, moments %(first)s to %(after)s.
    """
    if rollup is BUYER:
        return fill(_BUYERS, some=some, customers=f"AND o.customer_id IN ({AFFECTED})")
    parts = " UNION ALL ".join(_SOURCES[rollup])
    keys = ", ".join(rollup.keys)
    sums = ", ".join(f"SUM({name}) AS {name}" for name in rollup.sums)
    whole = f"SELECT {keys}, {sums} FROM ({parts}) AS facts GROUP BY {keys}"
    return fill(whole, some=some)


def fill(sql: str, *, some: bool, customers: str = "") -> str:
    """`sql` for the database at hand, of all days or of some."""
    moments = "AND {0} >= %(first)s AND {0} < %(after)s"
    days = "AND {0} BETWEEN %(start)s AND %(end)s"
    limits = {
        "placed_in": moments.format("o.placed_at"),
        "shipped_in": moments.format("n.shipped_at"),
        "issued_in": days.format("i.issued_on"),
        "day_in": days.format("d.day"),
        "first_in": days.format("b.first_ordered_on"),
        "last_in": days.format("b.last_ordered_on"),
    }
    limits = limits if some else dict.fromkeys(limits, "")
    sql = sql.replace("{customers}", customers if some else "")
    return sql.format(
        **limits,
        placed=_civil_day("o.placed_at"),
        shipped=_civil_day("n.shipped_at"),
        month=_month("d.day"),
        sign="CASE WHEN i.kind = 'credit_note' THEN -1 ELSE 1 END",
        is_history=_IS_HISTORY,
        kept=_KEPT,
        order_line="JOIN sales_orderline ol ON ol.id = l.order_line_id",
    )


def _civil_day(column: str) -> str:
    if connection.vendor == "postgresql":
        return f"({column} AT TIME ZONE 'Europe/Paris')::date"
    # A function that Django gives each of its SQLite connections.
    return f"django_datetime_cast_date({column}, 'Europe/Paris', 'UTC')"


def _month(column: str) -> str:
    if connection.vendor == "postgresql":
        return f"date_trunc('month', {column})::date"
    return f"date({column}, 'start of month')"
