"""Triggers that lay down the days whose sums are stale, in the writer's own transaction.

Kept by each migrate, like the roles: SQLite loses a table's triggers whenever a migration makes
the table anew.
"""

from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from invoicing.models import Invoice
from sales.models import DeliveryNote, Order
from sphinx.core.clock import PARIS
from sphinx.dashboard.models import StaleDay

_MARK = "INSERT INTO dashboard_staleday (day) "

# --- PostgreSQL: statement triggers, for an import writes thousands of orders on few days ---------

_OLD, _NEW = "OLD TABLE AS before", "NEW TABLE AS after"


def _day(moment: str) -> str:
    return f"({moment} AT TIME ZONE 'Europe/Paris')::date"


_PLACED = f"{_MARK} SELECT DISTINCT {_day('placed_at')} FROM {{0}};"
# Only what changes a sum; the parcels of an order are counted under its shop and country, and what
# it came to net only where another program invoiced it.
_CHANGED = f"""
    WITH changed AS (
        SELECT n.id, o.placed_at AS was, n.placed_at FROM before o JOIN after n USING (id)
        WHERE (o.placed_at, o.shop_id, o.shipping_country, o.customer_id, o.total_incl_tax,
               o.status = 'cancelled', o.is_history, o.invoiced_elsewhere)
        IS DISTINCT FROM (n.placed_at, n.shop_id, n.shipping_country, n.customer_id,
               n.total_incl_tax, n.status = 'cancelled', n.is_history, n.invoiced_elsewhere)
        OR ((n.is_history OR n.invoiced_elsewhere)
            AND (o.status = 'draft', o.total_tax, o.refunded_incl_tax, o.shipping_incl_tax,
                 o.shipping_refunded_incl_tax)
            IS DISTINCT FROM (n.status = 'draft', n.total_tax, n.refunded_incl_tax,
                 n.shipping_incl_tax, n.shipping_refunded_incl_tax)))
    {_MARK}
    SELECT {_day("was")} FROM changed
    UNION SELECT {_day("placed_at")} FROM changed
    UNION SELECT {_day("p.shipped_at")} FROM changed
        JOIN sales_deliverynote p ON p.order_id = changed.id WHERE p.shipped_at IS NOT NULL;"""
# Lines count by themselves in orders that another program invoiced.
_ELSEWHERE = "(o.is_history OR o.invoiced_elsewhere)"
_LINES = f"""
    {_MARK} SELECT DISTINCT {_day("o.placed_at")} FROM {{0}} l
    JOIN sales_order o ON o.id = l.order_id WHERE {_ELSEWHERE};"""
_OF_LINE = (
    "order_id", "kind", "sku", "quantity", "tax_rate", "total_incl_tax", "order_discount_incl_tax",
    "quantity_refunded", "refunded_incl_tax", "removed_incl_tax",
)  # fmt: skip


def _columns(row: str) -> str:
    return ", ".join(f"{row}.{column}" for column in _OF_LINE)


_LINES_CHANGED = f"""
    {_MARK} SELECT DISTINCT {_day("o.placed_at")}
    FROM before b JOIN after l USING (id) JOIN sales_order o ON o.id = l.order_id
    WHERE {_ELSEWHERE} AND ({_columns("b")}) IS DISTINCT FROM ({_columns("l")});"""
_SHIPPED = f"""
    {_MARK}
    SELECT {_day("n.shipped_at")} FROM before o JOIN after n USING (id)
    WHERE n.shipped_at IS NOT NULL AND n.shipped_at IS DISTINCT FROM o.shipped_at
    UNION SELECT {_day("o.shipped_at")} FROM before o JOIN after n USING (id)
    WHERE o.shipped_at IS NOT NULL AND n.shipped_at IS DISTINCT FROM o.shipped_at;"""
_NOTED = f"{_MARK} SELECT DISTINCT {_day('shipped_at')} FROM after WHERE shipped_at IS NOT NULL;"
_KIND = f"""
    {_MARK}
    SELECT {_day("placed_at")} FROM sales_order WHERE customer_id = NEW.id
    UNION SELECT {_day("p.shipped_at")} FROM sales_order o
        JOIN sales_deliverynote p ON p.order_id = o.id
        WHERE o.customer_id = NEW.id AND p.shipped_at IS NOT NULL;"""


class _Trigger(NamedTuple):
    """When it fires, for what, and what it does; row triggers return the row."""

    event: str
    each: str
    body: str

    def source(self) -> str:
        """Its function's body, which tells the whole trigger: a new release knows it by that."""
        result = "NEW" if self.each.startswith("FOR EACH ROW") else "NULL"
        return f" /* {self.event} {self.each} */ BEGIN {self.body} RETURN {result}; END "


def _statement(reads: str) -> str:
    return f"REFERENCING {reads} FOR EACH STATEMENT"


_ON_POSTGRESQL = {
    "order_placed": _Trigger("INSERT ON sales_order", _statement(_NEW), _PLACED.format("after")),
    "order_changed": _Trigger("UPDATE ON sales_order", _statement(f"{_OLD} {_NEW}"), _CHANGED),
    "order_gone": _Trigger("DELETE ON sales_order", _statement(_OLD), _PLACED.format("before")),
    "line_made": _Trigger("INSERT ON sales_orderline", _statement(_NEW), _LINES.format("after")),
    "line_changed": _Trigger(
        "UPDATE ON sales_orderline", _statement(f"{_OLD} {_NEW}"), _LINES_CHANGED
    ),
    "line_gone": _Trigger("DELETE ON sales_orderline", _statement(_OLD), _LINES.format("before")),
    "note_made": _Trigger("INSERT ON sales_deliverynote", _statement(_NEW), _NOTED),
    "note_shipped": _Trigger(
        "UPDATE ON sales_deliverynote", _statement(f"{_OLD} {_NEW}"), _SHIPPED
    ),
    "invoice_issued": _Trigger(
        "INSERT ON invoicing_invoice",
        _statement(_NEW),
        f"{_MARK} SELECT DISTINCT issued_on FROM after;",
    ),
    "kind_changed": _Trigger(
        "UPDATE OF kind ON customers_customer",
        "FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind)",
        _KIND,
    ),
}


def _create_on_postgresql(cursor: Any) -> bool:
    """Make the triggers that are missing, or are an earlier release's; whether one was."""
    cursor.execute(
        "SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE t.tgname LIKE 'dashboard\\_%%'",
        [],
    )
    there = dict(cursor.fetchall())
    others = [
        name
        for name, trigger in _ON_POSTGRESQL.items()
        if there.get(f"dashboard_{name}") != trigger.source()
    ]
    for name in others:
        trigger = _ON_POSTGRESQL[name]
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION dashboard_{name}() RETURNS trigger LANGUAGE plpgsql "
            f"AS $${trigger.source()}$$"
        )
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER dashboard_{name} AFTER {trigger.event} {trigger.each} "
            f"EXECUTE FUNCTION dashboard_{name}()"
        )
    return bool(others)


# --- SQLite: row triggers; it keeps moments in UTC, Paris is one or two hours later --------------


def _lite(*moments: tuple[str, str]) -> str:
    days = " UNION ".join(
        f"SELECT date({moment}, '+{hours} hours') AS day {source}"
        for moment, source in moments
        for hours in (1, 2)
    )
    return _lite_mark(days)


def _lite_mark(days: str) -> str:
    return (
        f"{_MARK} SELECT m.day FROM ({days}) AS m WHERE m.day IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM dashboard_staleday s WHERE s.day = m.day);"
    )


_NOTES = "FROM sales_deliverynote p WHERE p.order_id = NEW.id"
_THEIRS = "FROM sales_order o WHERE o.customer_id = NEW.id"
_THEIR_NOTES = (
    "FROM sales_deliverynote p JOIN sales_order o ON o.id = p.order_id WHERE o.customer_id = NEW.id"
)
_SAID = (
    "placed_at", "shop_id", "shipping_country", "customer_id", "total_incl_tax", "is_history",
    "invoiced_elsewhere",
)  # fmt: skip
_SAID_ELSEWHERE = (
    "total_tax", "refunded_incl_tax", "shipping_incl_tax", "shipping_refunded_incl_tax",
)  # fmt: skip


def _differs(*columns: str) -> str:
    return " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)


def _state_differs(state: str) -> str:
    return f"(OLD.status = '{state}') <> (NEW.status = '{state}')"


def _of_line(row: str) -> str:
    return f"FROM sales_order o WHERE o.id = {row}.order_id AND {_ELSEWHERE}"


_LITE = {
    "order_placed": ("INSERT ON sales_order", _lite(("NEW.placed_at", ""))),
    "order_changed": (
        f"UPDATE ON sales_order WHEN {_differs(*_SAID)} OR {_state_differs('cancelled')} "
        "OR ((NEW.is_history OR NEW.invoiced_elsewhere) "
        f"AND ({_differs(*_SAID_ELSEWHERE)} OR {_state_differs('draft')}))",
        _lite(("OLD.placed_at", ""), ("NEW.placed_at", ""), ("p.shipped_at", _NOTES)),
    ),
    "order_gone": ("DELETE ON sales_order", _lite(("OLD.placed_at", ""))),
    "line_made": ("INSERT ON sales_orderline", _lite(("o.placed_at", _of_line("NEW")))),
    "line_changed": (
        f"UPDATE ON sales_orderline WHEN {_differs(*_OF_LINE)}",
        _lite(("o.placed_at", _of_line("NEW"))),
    ),
    "line_gone": ("DELETE ON sales_orderline", _lite(("o.placed_at", _of_line("OLD")))),
    "note_made": ("INSERT ON sales_deliverynote", _lite(("NEW.shipped_at", ""))),
    "note_shipped": (
        "UPDATE ON sales_deliverynote WHEN OLD.shipped_at IS NOT NEW.shipped_at",
        _lite(("OLD.shipped_at", ""), ("NEW.shipped_at", "")),
    ),
    "invoice_issued": ("INSERT ON invoicing_invoice", _lite_mark("SELECT NEW.issued_on AS day")),
    "kind_changed": (
        "UPDATE ON customers_customer WHEN OLD.kind <> NEW.kind",
        _lite(("o.placed_at", _THEIRS), ("p.shipped_at", _THEIR_NOTES)),
    ),
}


def _create_on_sqlite(cursor: Any) -> bool:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    there = dict(cursor.fetchall())
    wanted = {
        f"dashboard_{name}": f"CREATE TRIGGER dashboard_{name} AFTER {event} BEGIN {body} END"
        for name, (event, body) in _LITE.items()
    }
    others = [name for name, sql in wanted.items() if there.get(name) != sql]
    for name in others:
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(wanted[name])
    return bool(others)


# --- Both ----------------------------------------------------------------------------------------


def ensure_triggers(**_: Any) -> None:
    """Make the triggers that are missing or an earlier release's; where one was, every day's sums
    are made anew."""
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        create = _create_on_postgresql if is_postgresql else _create_on_sqlite
        were_other = create(cursor)
    if were_other:
        StaleDay.objects.bulk_create(StaleDay(day=day) for day in sorted(_days_with_something()))


def _days_with_something() -> set[date]:
    placed = Order.objects.order_by().datetimes("placed_at", "day", tzinfo=PARIS)
    shipped = DeliveryNote.objects.filter(shipped_at__isnull=False).order_by()
    return {
        *(moment.date() for moment in placed),
        *(moment.date() for moment in shipped.datetimes("shipped_at", "day", tzinfo=PARIS)),
        *Invoice.objects.order_by().values_list("issued_on", flat=True).distinct(),
    }
