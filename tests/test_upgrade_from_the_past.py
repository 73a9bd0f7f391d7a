"""Databases of the past, migrated to now: every row proven, and the same FEC.

Each archive in tests/data/upgrades is a demo of 24 orders, named by the commit whose programs
migrated a PostgreSQL database and filled it: those where a migration had another name than now,
or less in it (sphinx/core/landed.py). It holds the database, its received and handed-over files,
and the FEC as those programs exported it; documents weren't printed, to keep it small.
"""

import csv
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.core.test_backup import elsewhere, manage

__all__ = ["elsewhere"]
PASTS = sorted((Path(__file__).parent / "data" / "upgrades").iterdir())
YEAR = ("--from", "2026-01-01", "--to", "2026-12-31", "--format", "fec")


def entries(path: Path) -> list[dict[str, str]]:
    """The FEC's lines, but for lettering: payments are booked, and letter them, since later."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [{**row, "EcritureLet": "", "DateLet": ""} for row in rows]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("past", PASTS, ids=lambda path: path.name.split(".")[0])
def test_a_database_of_the_past_is_brought_to_now(
    elsewhere: str, tmp_path: Path, past: Path
) -> None:
    with tarfile.open(past) as tar:
        tar.extractall(tmp_path)  # noqa: S202 (our own)
    loaded = subprocess.run(
        ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(tmp_path / "database.sql"), elsewhere],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr

    status, said = manage(elsewhere, tmp_path, "migrate", json_asked=False)
    assert status == 0, said
    now = tmp_path / "now.txt"
    assert manage(elsewhere, tmp_path, "export_journal", *YEAR, "--output", str(now))[0] == 0
    assert len(entries(now)) > 90
    assert entries(now) == entries(tmp_path / "fec.txt")
    status, proven = manage(elsewhere, tmp_path, "verify")
    assert [check for check in proven["checks"] if not check["ok"]] == []
    assert status == 0
