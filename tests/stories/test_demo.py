"""`make demo`, as a newcomer runs it, and again as one in a hurry does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.services


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("DEBUG", "SECRET_KEY")}
    return {
        **clean,
        "DATABASE_URL": f"sqlite:///{tmp_path}/sphinx.sqlite3",
        "SPHINX_DATA_DIR": str(tmp_path / "data"),
    }


def manage(environment: dict[str, str], *args: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *args],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_demo_runs_whole_and_a_second_time_adds_nothing(environment: dict[str, str]) -> None:
    manage(environment, "migrate", "-v", "0")

    first: dict[str, Any] = json.loads(manage(environment, "demo", "--json"))
    second: dict[str, Any] = json.loads(manage(environment, "demo", "--json"))

    assert first["verified"]
    assert second["verified"]
    assert first["figures"]["commandes"] >= 120
    assert first["figures"]["lignes mises de côté"] == 1
    assert all(Path(path).exists() for path in first["files"].values())
    fresh = {"nouveaux bons ce passage"}
    assert {k: v for k, v in second["figures"].items() if k not in fresh} == {
        k: v for k, v in first["figures"].items() if k not in fresh
    }
    assert second["figures"]["nouveaux bons ce passage"] == 0
