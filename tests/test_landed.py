"""What landed stays: the guard of migrations, and databases of parts that landed."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.support import landed

ONE = "x/migrations/0001_initial.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One app of one migration, which landed."""
    (tmp_path / "x" / "migrations").mkdir(parents=True)
    (tmp_path / ONE).write_text("class Migration: ...\n")
    landed.add(tmp_path, tmp_path / "landed.txt")
    return tmp_path


def faults(tree: Path) -> list[str]:
    return landed.faults(tree, tree / "landed.txt")


def test_ours_are_as_they_landed() -> None:
    assert landed.faults() == []


def test_those_of_releases_are_listed() -> None:
    released = {
        line
        for file in (landed.ROOT / "tests" / "data" / "releases").glob("*/migrations.txt")
        for line in file.read_text().splitlines()
    }
    assert released <= landed.listed().keys()


def test_a_changed_migration_is_refused_and_listing_again_doesnt_help(tree: Path) -> None:
    assert faults(tree) == []
    (tree / ONE).write_text("class Migration: initial = True\n")
    landed.add(tree, tree / "landed.txt")
    assert faults(tree) == [
        "x 0001_initial landed and has changed: put it back, and write another migration."
    ]


def test_a_renamed_migration_is_refused(tree: Path) -> None:
    shutil.move(tree / ONE, tree / "x" / "migrations" / "0001_renamed.py")
    assert [fault.split(":")[0] for fault in faults(tree)] == [
        "x 0001_initial landed and is gone",
        "x 0001_renamed isn't listed",
    ]


def test_a_squashed_migration_may_go(tree: Path) -> None:
    (tree / ONE).unlink()
    squashed = tree / "x" / "migrations" / "0001_squashed.py"
    squashed.write_text('class Migration:\n    replaces = [("x", "0001_initial")]\n')
    landed.add(tree, tree / "landed.txt")
    assert faults(tree) == []


@pytest.mark.django_db(transaction=True)
def test_a_migration_known_by_its_old_name_is_completed_once(capsys: Any) -> None:
    """On SQLite too: columns that are there are left, those that lack are made."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("core", "0017_dead_letters_and_approvals")
    recorder.record_applied("core", "0017_dead_letters")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_company DROP COLUMN second_for_refunds")

    call_command("migrate", verbosity=1)

    assert "core 0017_dead_letters_and_approvals : complétée" in capsys.readouterr().out
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, "core_company")
    assert "second_for_refunds" in {column.name for column in described}
    call_command("migrate", verbosity=1)
    assert "complétée" not in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_what_an_earlier_content_lacked_is_made(capsys: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE dashboard_savedpivot")

    call_command("migrate", verbosity=1)

    assert "dashboard 0001_initial : complétée" in capsys.readouterr().out
    assert "dashboard_savedpivot" in connection.introspection.table_names()
