"""What the project is made of and how it changes: advisories read, dangerous locks named."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.advisories import read, warning
from tests.support.migrations import complaints

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent


def test_a_known_hole_is_told_with_what_mends_it() -> None:
    answer = {
        "dependencies": [
            {"name": "django", "version": "5.2.0",
             "vulns": [{"id": "PYSEC-1", "fix_versions": ["5.2.1"]}]},
            {"name": "kombu", "version": "5.6", "vulns": []},
            {"name": "vine", "skip_reason": "not found"},
        ]
    }  # fmt: skip

    assert read(json.dumps(answer)) == (["django 5.2.0: PYSEC-1 (5.2.1)"], 1, 3)
    assert "NOT CHECKED for 1 of 3" in warning(json.dumps(answer))


def test_what_could_not_be_asked_is_a_warning_and_nothing_unasked_is_none() -> None:
    assert warning("").startswith("WARNING: advisories NOT CHECKED")
    assert warning('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}') == ""


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("ALTER TABLE a ADD COLUMN b int NOT NULL;", "adding-required-field"),
        ("CREATE INDEX x ON a (b);", "require-concurrent-index-creation"),
        ("ALTER TABLE a ALTER COLUMN b TYPE bigint;", "changing-column-type"),
        ("ALTER TABLE a RENAME COLUMN b TO c;", "renaming-column"),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0);", "constraint-missing-not-valid"),
    ],
)
def test_a_migration_that_would_stop_an_open_shop_is_named(sql: str, rule: str) -> None:
    assert rule in complaints(sql)


def test_a_migration_that_stops_nobody_passes() -> None:
    assert complaints("ALTER TABLE a ADD COLUMN b int DEFAULT 0 NOT NULL;") == ""


def test_the_bill_of_materials_names_every_package(tmp_path: Path) -> None:
    out = tmp_path / "sbom.json"
    tool = shutil.which("cyclonedx-py") or str(Path(sys.executable).with_name("cyclonedx-py"))
    command = [tool, "requirements", "requirements.txt", "--of", "JSON", "-o", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    named = {part["name"].lower() for part in json.loads(out.read_text())["components"]}
    pinned = {
        line.split("==")[0].split("[")[0].lower()
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    assert len(pinned) > 50
    assert named == pinned
