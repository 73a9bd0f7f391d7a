"""What an administrator of the database can do: change rows with the triggers off."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import IntegrityError, connection, transaction


@contextmanager
def triggers_off() -> Iterator[Any]:
    """A cursor that no trigger stops, inside a transaction; afterwards they are as before."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield cursor
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield cursor
        for _name, sql in triggers:
            cursor.execute(sql)


def empty_tables_in_tests() -> None:
    """Let Django empty the tables between tests, which is refused to everybody else."""
    operations = type(connection.ops)
    flush = operations.execute_sql_flush
    if getattr(flush, "passes_triggers", False):
        return

    def passing(self: Any, sql_list: list[str]) -> None:
        # Most tests leave no row that never changes: triggers go only where one did.
        with suppress(IntegrityError), transaction.atomic():
            flush(self, sql_list)
            return
        with transaction.atomic(), triggers_off():
            flush(self, sql_list)

    passing.passes_triggers = True  # type: ignore[attr-defined]
    operations.execute_sql_flush = passing  # type: ignore[method-assign]
