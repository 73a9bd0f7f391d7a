"""Databases made while a migration had another name, or less in it, are brought to today's.

Before 0.2.0 some migrations were renamed, or filled up, after they had landed. A database of
that time holds a part of what today's migration makes: `migrate` would make it a second time
(DuplicateColumn), or never. `replaces` can't help, since what is there is less than what the
migration makes now. So `catch_up`, before `migrate`, goes through such a migration's operations
and does those whose effect is missing. Landed migrations change no more (tests/support/landed.py);
nothing is to be added here.
"""

from dataclasses import dataclass
from typing import Any

from django.db import migrations
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation


@dataclass(frozen=True)
class Landed:
    """A migration of which a part landed once, and how a database that has only it is known."""

    app: str
    name: str
    # Names under which a part of it, or all, was applied.
    once: tuple[str, ...] = ()
    # Tables, or columns as table.column, that one of its earlier contents didn't make.
    lacked: tuple[str, ...] = ()
    # Where what it lacked was kept: a statement that brings it over.
    brings: str = ""


LANDED = (
    Landed("sales", "0001_initial", lacked=("sales_deliverynote.source_line",)),
    Landed("purchasing", "0002_learned_levels_invoices", once=("0002_learned_levels",)),
    Landed("accounting_export", "0007_hand_over", once=("0007_batch_cuts",)),
    Landed("dashboard", "0001_initial", lacked=("dashboard_savedpivot",)),
    Landed(
        "core",
        "0017_dead_letters_and_approvals",
        once=("0017_dead_letters",),
        lacked=("core_company.forget_after_years",),
    ),
    Landed("core", "0018_exchange_rate_source", lacked=("core_shop.names_other_currencies",)),
    Landed("sales", "0016_payment_references", once=("0015_payment_references",)),
    Landed("sales", "0017_direct_deliveries", once=("0015_direct_deliveries",)),
    Landed(
        "invoicing",
        "0014_settled_without_money",
        lacked=("invoicing_transfer",),
        brings="INSERT INTO invoicing_transfer (given_id, taken_id) "
        "SELECT taken_from_id, id FROM invoicing_payment WHERE taken_from_id IS NOT NULL",
    ),
)


def catch_up(connection: BaseDatabaseWrapper) -> list[str]:
    """Do what is missing of migrations that are applied in part; returns them, as "app name"."""
    done, executor = [], MigrationExecutor(connection)
    for landed in LANDED:
        if _caught_up(executor, landed):
            done.append(f"{landed.app} {landed.name}")
            executor = MigrationExecutor(connection)
    return done


def _caught_up(executor: MigrationExecutor, landed: Landed) -> bool:
    applied, key = executor.loader.applied_migrations, (landed.app, landed.name)
    if key in applied:
        lacks = not all(_has(executor.connection, it) for it in landed.lacked)
    elif any((landed.app, name) in applied for name in landed.once):
        lacks = False
    else:
        return False
    # An earlier content may have needed less. Only those that aren't applied: for Django, to
    # migrate to one that is means to go back to it.
    needs = [it.key for it in executor.loader.graph.node_map[key].parents if it.key not in applied]
    if key in applied and not lacks and not needs:
        return False
    executor.migrate(needs)
    _complete(MigrationExecutor(executor.connection), landed, brings=landed.brings if lacks else "")
    return True


def _complete(executor: MigrationExecutor, landed: Landed, *, brings: str) -> None:
    key = (landed.app, landed.name)
    whole = executor.loader.graph.nodes[key]
    operations: list[Operation] = [UnlessThere(operation) for operation in whole.operations]
    if brings:
        operations.append(migrations.RunSQL(brings))
    rest = type("Rest", (migrations.Migration,), {"operations": operations})
    before = executor.loader.project_state([key], at_end=False)
    executor.apply_migration(before, rest(landed.name, landed.app))


class UnlessThere(Operation):
    """An operation that is left out where the database has its effect already."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models change as if it were done: it is, one way or the other."""
        self.operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        operation, connection = self.operation, schema_editor.connection
        if isinstance(operation, migrations.CreateModel):
            model = to_state.apps.get_model(app_label, operation.name)
            if _has(connection, model._meta.db_table):
                _add_missing(schema_editor, model)
                return
        elif isinstance(operation, migrations.AddField):
            model = to_state.apps.get_model(app_label, operation.model_name)
            column = model._meta.get_field(operation.name).column
            if _has(connection, f"{model._meta.db_table}.{column}"):
                return
        elif isinstance(operation, migrations.AddIndex | migrations.AddConstraint):
            model = to_state.apps.get_model(app_label, operation.model_name)
            added = operation.deconstruct()[2]
            if (added.get("index") or added["constraint"]).name in _names(connection, model):
                return
        elif isinstance(operation, migrations.RemoveIndex | migrations.RemoveConstraint):
            model = from_state.apps.get_model(app_label, operation.model_name)
            if operation.name not in _names(connection, model):
                return
        operation.database_forwards(app_label, schema_editor, from_state, to_state)


def _has(connection: BaseDatabaseWrapper, what: str) -> bool:
    """Is there the table, or the column said as table.column?"""
    table, _dot, column = what.partition(".")
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        described = connection.introspection.get_table_description(cursor, table)
    return not column or column in {it.name for it in described}


def _names(connection: BaseDatabaseWrapper, model: Any) -> set[str]:
    """Of the indexes and constraints on its table."""
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, model._meta.db_table))


def _add_missing(schema_editor: Any, model: Any) -> None:
    """The columns and indexes that a table made by an earlier content hasn't."""
    for field in model._meta.local_fields:
        if not _has(schema_editor.connection, f"{model._meta.db_table}.{field.column}"):
            schema_editor.add_field(model, field)
    for index in model._meta.indexes:
        if index.name not in _names(schema_editor.connection, model):
            schema_editor.add_index(model, index)
    for field in model._meta.local_fields:
        if field.db_index and not field.remote_field and not _is_indexed(schema_editor, field):
            without = field.clone()
            without.db_index = False
            without.set_attributes_from_name(field.name)
            schema_editor.alter_field(model, without, field)


def _is_indexed(schema_editor: Any, field: Any) -> bool:
    connection, table = schema_editor.connection, field.model._meta.db_table
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table).values()
    return any(it["index"] and it["columns"][:1] == [field.column] for it in found)
