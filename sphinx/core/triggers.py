"""Database triggers that keep the past as it was, on PostgreSQL and SQLite alike.

Used in migrations: `operations = [*forbid_changes("invoicing_invoice", ...)]`. Whoever edits
a ledger with raw SQL is refused by the database itself.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps

_PG_FUNCTION = """
CREATE OR REPLACE FUNCTION sphinx_forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: issued rows are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def forbid_changes(table: str) -> Sequence[RunPython]:
    """Operations after which rows of `table` can be inserted, never updated or deleted."""

    def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(_PG_FUNCTION.replace("%", "%%"), params=())
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION sphinx_forbid_change()"
            )
            return
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table}: issued rows are never changed or deleted'); END"
            )

    def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
            return
        for verb in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")

    return [RunPython(create, drop)]


def forbid_changes_again(table: str) -> Sequence[RunPython]:
    """The same after a migration that altered `table`: SQLite rebuilds it without its triggers."""
    (operation,) = forbid_changes(table)

    def renew(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        assert operation.reverse_code is not None  # noqa: S101
        operation.reverse_code(apps, schema_editor)
        operation.code(apps, schema_editor)

    return [RunPython(renew, RunPython.noop)]


def allow_changes(table: str) -> Sequence[RunPython]:
    """For a migration that fills in rows of `table`; `forbid_changes_again` must follow."""
    (operation,) = forbid_changes(table)
    assert operation.reverse_code is not None  # noqa: S101
    return [RunPython(operation.reverse_code, RunPython.noop)]


def refuse_truncate(*, using: str = "default", **_: Any) -> None:
    """Have PostgreSQL refuse TRUNCATE of every table whose rows never change; run by each migrate.

    A row trigger doesn't see TRUNCATE. SQLite has none: a DELETE without WHERE fires its triggers,
    and so does INSERT OR REPLACE, since settings switch `recursive_triggers` on.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE c.relnamespace = current_schema()::regnamespace "
            "AND t.tgname = c.relname || '_append_only' AND NOT EXISTS (SELECT FROM pg_trigger o "
            "WHERE o.tgrelid = c.oid AND o.tgname = c.relname || '_no_truncate') ORDER BY 1"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION sphinx_forbid_change()"
            )
