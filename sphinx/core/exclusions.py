"""Periods of one owner that may not overlap, kept by the database itself.

Used in migrations: `operations = [no_overlap("suppliers_closure", "supplier_id", …)]`. PostgreSQL
holds it by an exclusion constraint (ranges of whole numbers and of days, which need no extension),
SQLite by triggers.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps


def no_overlap(table: str, owner: str, first: str, last: str) -> RunPython:
    """An operation after which no two rows of one `owner` share a day, `first` and `last` included.

    SQLite's triggers are lost when a later migration rebuilds the table: repeat it then.
    """
    name = f"{table}_no_overlap"

    def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist "
                f"(int8range({owner}::bigint, {owner}::bigint, '[]') WITH &&, "
                f"daterange({first}, {last}, '[]') WITH &&)"
            )
            return
        for verb in ("INSERT", "UPDATE"):
            schema_editor.execute(
                # Names of a migration, not of a person.
                f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON {table} "  # noqa: S608
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {owner} = NEW.{owner} "
                f"AND id IS NOT NEW.id AND {first} <= NEW.{last} AND {last} >= NEW.{first}) "
                f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
            )

    def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
            return
        for verb in ("insert", "update"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}_{verb}")

    return RunPython(create, drop)
