"""Set-based writes: one way to insert many rows, whatever the database.

PostgreSQL takes COPY, which costs a fraction of an INSERT built by the ORM; SQLite takes
`executemany`. Defaults and constraints stay the database's; no signal is sent.
"""

import csv
import gc
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models
from psycopg2.extras import execute_values

# A table that grew by so many rows is read by what was true of the small one until it's analysed.
_GROWN = 1000


def analyse_grown() -> list[str]:
    """Have PostgreSQL look anew at tables that have much changed; returns their names.

    Autovacuum does it within minutes; who has just filled empty tables works slower until then.
    """
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT relname FROM pg_stat_user_tables WHERE schemaname = current_schema() "
            "AND n_mod_since_analyze > %s + n_live_tup / 10 ORDER BY relname",
            [_GROWN],
        )
        grown = [name for (name,) in cursor.fetchall()]
        for name in grown:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(name)}")
    return grown


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Take `count` primary keys for rows to be inserted; call inside a transaction.

    On PostgreSQL they come from the table's sequence; on SQLite the write lock that the
    transaction holds keeps others away until the rows are in.
    """
    if not count:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT min(taken), max(taken), array_agg(taken) "
                "FILTER (WHERE contiguous IS NOT TRUE) FROM (SELECT taken, "
                "max(taken) OVER () - min(taken) OVER () = %s AS contiguous FROM ("
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) AS taken "
                "FROM generate_series(1, %s)) AS numbers) AS ids",
                [count - 1, table, count],
            )
            first, last, apart = cursor.fetchone()
            # Nearly always one range; numbers that others took in between leave gaps.
            return sorted(apart) if apart else list(range(first, last + 1))
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
    first = (row[0] if row else 0) + 1
    return list(range(first, first + count))


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert `rows` of values for the `columns` (database column names) of `model`.

    Values may be None, str, int, bool, Decimal, aware datetime, date. Every column without a
    database default must be named: this passes beside Django's field defaults.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    if connection.vendor == "postgresql":
        _copy(model, table, columns, rows)
        return
    holes = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({holes})",  # noqa: S608 (names, not values)
            [[_sqlite_value(value) for value in row] for row in rows],
        )


def update_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Set `columns` of the rows of `model`; each row is its id, then the values.

    One statement a thousand rows on PostgreSQL. The caller holds the rows' locks.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    if connection.vendor == "postgresql":
        types = {f.column: f.db_type(connection) for f in model._meta.concrete_fields}
        settings = ", ".join(f"{c} = v.{c}::{types[c]}" for c in columns)
        with connection.cursor() as cursor:
            execute_values(
                cursor.cursor,
                f"UPDATE {table} SET {settings} FROM (VALUES %s) "  # noqa: S608 (names)
                f"AS v(id, {', '.join(columns)}) WHERE {table}.id = v.id",
                rows,
                page_size=1000,
            )
        return
    settings = ", ".join(f"{c} = %s" for c in columns)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {settings} WHERE id = %s",  # noqa: S608 (names, not values)
            [[*map(_sqlite_value, row[1:]), row[0]] for row in rows],
        )


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect garbage rarely meanwhile: bulk work makes many objects and few cycles.

    Measured on an import of 50,000 lines: a fifth of the time went into looking for cycles.
    """
    before = gc.get_threshold()
    gc.set_threshold(400_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def commit_lazily() -> None:
    """Let the current transaction's commit not wait for the disk (PostgreSQL).

    For a chunk of a job that can be done again from its start and that ends with an ordinary
    commit: that one makes all before it durable, in order. A crash in between loses the last
    chunks whole, never half of one.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def check_references_now() -> None:
    """Check foreign keys here and not at commit (PostgreSQL), where it is too late to react.

    Raises:
        IntegrityError: a row refers to one that isn't there.
    """
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _copy(
    model: type[models.Model], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """COPY by CSV, which the csv module writes without a line of Python a value.

    A blank cell is NULL where the column may be, else the empty text.
    """
    nullable = {field.column for field in model._meta.concrete_fields if field.null}
    quote = connection.ops.quote_name
    texts = ", ".join(quote(column) for column in columns if column not in nullable)
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    # Django passes copy_expert on as it is: its errors are the driver's own unless wrapped.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(
            f"COPY {table} ({', '.join(map(quote, columns))}) FROM STDIN "
            f"WITH (FORMAT csv, FORCE_NOT_NULL ({texts}))",
            buffer,
        )


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value
