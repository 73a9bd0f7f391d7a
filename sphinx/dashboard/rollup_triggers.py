"""Triggers that lay down the days whose sums are stale, in the writer's own transaction.

Kept by each migrate, like the roles: SQLite loses a table's triggers whenever a migration makes
the table anew.
"""

from datetime import date
from typing import Any

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
# Only what changes a sum; the parcels of an order are counted under its shop and country.
_CHANGED = f"""
    WITH changed AS (
        SELECT n.id, o.placed_at AS was, n.placed_at FROM before o JOIN after n USING (id)
        WHERE (o.placed_at, o.shop_id, o.shipping_country, o.customer_id, o.total_incl_tax,
               o.status = 'cancelled')
        IS DISTINCT FROM (n.placed_at, n.shop_id, n.shipping_country, n.customer_id,
               n.total_incl_tax, n.status = 'cancelled'))
    {_MARK}
    SELECT {_day("was")} FROM changed
    UNION SELECT {_day("placed_at")} FROM changed
    UNION SELECT {_day("p.shipped_at")} FROM changed
        JOIN sales_deliverynote p ON p.order_id = changed.id WHERE p.shipped_at IS NOT NULL;"""
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
# Name → table, event, what it reads, what it does.
_STATEMENTS = {
    "order_placed": ("sales_order", "INSERT", _NEW, _PLACED.format("after")),
    "order_changed": ("sales_order", "UPDATE", f"{_OLD} {_NEW}", _CHANGED),
    "order_gone": ("sales_order", "DELETE", _OLD, _PLACED.format("before")),
    "note_made": ("sales_deliverynote", "INSERT", _NEW, _NOTED),
    "note_shipped": ("sales_deliverynote", "UPDATE", f"{_OLD} {_NEW}", _SHIPPED),
    "invoice_issued": (
        "invoicing_invoice",
        "INSERT",
        _NEW,
        f"{_MARK} SELECT DISTINCT issued_on FROM after;",
    ),
}


def _create_on_postgresql(cursor: Any) -> bool:
    cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'dashboard\\_%%'", [])
    there = {name for (name,) in cursor.fetchall()}
    for name, (table, event, reads, body) in _STATEMENTS.items():
        if f"dashboard_{name}" not in there:
            _function(cursor, name, body, "NULL")
            cursor.execute(
                f"CREATE TRIGGER dashboard_{name} AFTER {event} ON {table} "
                f"REFERENCING {reads} FOR EACH STATEMENT EXECUTE FUNCTION dashboard_{name}()"
            )
    if "dashboard_kind_changed" not in there:
        _function(cursor, "kind_changed", _KIND, "NEW")
        cursor.execute(
            "CREATE TRIGGER dashboard_kind_changed AFTER UPDATE OF kind ON customers_customer "
            "FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind) "
            "EXECUTE FUNCTION dashboard_kind_changed()"
        )
    return len(there) <= len(_STATEMENTS)


def _function(cursor: Any, name: str, body: str, result: str) -> None:
    cursor.execute(
        f"CREATE OR REPLACE FUNCTION dashboard_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN {body} RETURN {result}; END $$"
    )


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
_SAID = ("placed_at", "shop_id", "shipping_country", "customer_id", "total_incl_tax")
_LITE = {
    "order_placed": ("INSERT ON sales_order", _lite(("NEW.placed_at", ""))),
    "order_changed": (
        "UPDATE ON sales_order WHEN "
        + " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _SAID)
        + " OR (OLD.status = 'cancelled') <> (NEW.status = 'cancelled')",
        _lite(("OLD.placed_at", ""), ("NEW.placed_at", ""), ("p.shipped_at", _NOTES)),
    ),
    "order_gone": ("DELETE ON sales_order", _lite(("OLD.placed_at", ""))),
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
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    there = {name for (name,) in cursor.fetchall()}
    missing = [name for name in _LITE if f"dashboard_{name}" not in there]
    for name in missing:
        event, body = _LITE[name]
        cursor.execute(f"CREATE TRIGGER dashboard_{name} AFTER {event} BEGIN {body} END")
    return bool(missing)


# --- Both ----------------------------------------------------------------------------------------


def ensure_triggers(**_: Any) -> None:
    """Make the triggers that are missing; where one was, every day's sums are made anew."""
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        create = _create_on_postgresql if is_postgresql else _create_on_sqlite
        were_missing = create(cursor)
    if were_missing:
        StaleDay.objects.bulk_create(StaleDay(day=day) for day in sorted(_days_with_something()))


def _days_with_something() -> set[date]:
    placed = Order.objects.order_by().datetimes("placed_at", "day", tzinfo=PARIS)
    shipped = DeliveryNote.objects.filter(shipped_at__isnull=False).order_by()
    return {
        *(moment.date() for moment in placed),
        *(moment.date() for moment in shipped.datetimes("shipped_at", "day", tzinfo=PARIS)),
        *Invoice.objects.order_by().values_list("issued_on", flat=True).distinct(),
    }
