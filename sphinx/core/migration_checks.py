"""Checks and indexes added to tables that are in use, without holding readers and writers up.

PostgreSQL reads the whole table under its strongest lock to add a check. Added as NOT VALID it
binds what is written from then on; VALIDATE, in a migration of its own, reads the rest under a
lock that stops nobody. An index is made concurrently, outside any transaction. SQLite, which has
one writer anyway, needs none of this.
"""

from typing import Any

from django.db import migrations


class AddCheckNotValid(migrations.AddConstraint):
    """Add a check that binds new rows only; a ValidateCheck must follow in another migration."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            sql = self.constraint.create_sql(model, schema_editor)
            schema_editor.execute(f"{sql} NOT VALID", params=None)


class ValidateCheck(migrations.operations.base.Operation):
    """Prove a check that was added as not valid, row by row."""

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing changes in the models."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
            quote = schema_editor.quote_name
            schema_editor.execute(
                f"ALTER TABLE {quote(table)} VALIDATE CONSTRAINT {quote(self.name)}"
            )

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """A check that holds needs no undoing."""

    def describe(self) -> str:
        return f"Validate {self.name} on {self.model_name}"


class AddIndexInUse(migrations.AddIndex):
    """Make an index while the table is written; the migration must say `atomic = False`.

    One that was cut short is made anew.
    """

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            schema_editor.add_index(model, self.index, concurrently=True)
