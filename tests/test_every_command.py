"""Every command of ours starts and ends well under each Python that operators have.

Debian's own is what `make demo` installs on; 3.13 is Debian 13's. Where one of them is absent the
test says so and is skipped; .ci/test brings our packages for a 3.13 that is there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sphinx.core import clock

ROOT = Path(__file__).resolve().parent.parent
USUAL = f"{sys.version_info.major}.{sys.version_info.minor}"
_YEAR = clock.today().year
YEAR = ("--from", f"{_YEAR}-01-01", "--to", f"{_YEAR}-12-31")
# In order, as a day goes; {out} is a folder of the test's.
DAY = (
    ("migrate", "-v", "0"),
    ("setup", "--set", "company.name=Maison", "--set", "shop.code=b"),
    ("load_catalogue", "{out}/catalogue.csv"),
    ("ingest", "tests/data/pivot", "--shop", "b", "--create-shop"),
    ("pull_feeds",),
    ("stock",),
    ("replenish",),
    ("deliver", "--ready", "--ship"),
    ("invoice", "--delivered"),
    ("export_journal", *YEAR, "--format", "fec", "--output", "{out}/journal.txt"),
    ("fec", "--check", "{out}/journal.txt"),
    ("trace", "--all"),
    ("backtest", "--sample"),
    ("archive", *YEAR, "--output", "{out}/archive.zip"),
    ("check_archive", "{out}/archive.zip"),
    ("receive_invoices", "{out}/none.xml"),
    ("platform_exchange",),
    ("ereport", *YEAR, "--output", "{out}/report.xml"),
    ("rebuild_statistics",),
    ("rotate_keys",),
    ("attestation", "--output", "{out}/attestation.pdf"),
    ("verify",),
    ("backup", "--output", "{out}/backup.tar"),
    ("restore", "--input", "{out}/backup.tar"),
)
# Without a platform, nor an invoice that came: one sentence.
REFUSING = {"receive_invoices", "platform_exchange", "ereport"}
# Those that run until stopped, or need what only tests and the demo have.
ELSEWHERE = {"serve", "demo", "build_guide"}


def debians() -> str | None:
    """Debian's own, where it is of a version that our packages are installed for."""
    path = "/usr/bin/python3"
    if not Path(path).exists() or _version(path) != USUAL:
        return None
    return path


def newer() -> str | None:
    """Python 3.13, on the path or among uv's."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    found = [str(ROOT / "var" / "python3.13" / "bin" / "python"), shutil.which("python3.13")]
    if Path(uv).exists():
        asked = subprocess.run(
            [uv, "python", "find", "--no-python-downloads", "3.13"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        found.append(asked.stdout.strip() if asked.returncode == 0 else None)
    return next((path for path in found if path and _version(path) == "3.13"), None)


def _version(python: str) -> str:
    if not Path(python).exists():
        return ""
    ran = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout.strip()


def packages_of(python: str) -> Path | None:
    """Where our packages are for it: this environment's, or one made by .ci/other-python."""
    version = _version(python)
    if version == USUAL:
        return Path(next(path for path in sys.path if path.endswith("site-packages")))
    made = ROOT / "var" / f"python{version}" / "lib" / f"python{version}" / "site-packages"
    return made if made.is_dir() else None


def run(
    python: str, packages: Path, data: Path, *command: str
) -> "subprocess.CompletedProcess[str]":
    ours = ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if k not in ours}
    return subprocess.run(
        [python, "manage.py", *command],
        cwd=ROOT,
        env={
            **kept,
            "PYTHONPATH": str(packages),
            # Compiled once for all commands, and nothing of it left among the sources.
            "PYTHONPYCACHEPREFIX": str(data.parent / "compiled"),
            "DATABASE_URL": f"sqlite:///{data / 'sphinx.sqlite3'}",
            "SPHINX_DATA_DIR": str(data),
            "DEBUG": "1",
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.once
def test_no_command_is_left_out() -> None:
    ours = {
        path.stem
        for path in ROOT.glob("*/management/commands/*.py")
        if not path.stem.startswith("_")
    } | {path.stem for path in ROOT.glob("sphinx/*/management/commands/[!_]*.py")}
    assert ours == {command[0] for command in DAY} | ELSEWHERE


@pytest.mark.once
@pytest.mark.parametrize("find", [debians, newer], ids=["debian", "3.13"])
def test_a_day_of_commands(find: Callable[[], str | None], tmp_path: Path) -> None:
    python = find()
    if python is None:
        pytest.skip(f"no such Python on this machine: {find.__doc__}")
    packages = packages_of(python)
    if packages is None:
        pytest.skip(f"no packages for {python}: .ci/other-python {python}")
    (tmp_path / "catalogue.csv").write_text(
        "sku;label;tax_rate;cost;on_hand\nBOU-01;Bougie;20;8;50\nLIV-07;Livre;5.5;9;50\n",
        encoding="utf-8",
    )
    for number, command in enumerate(DAY):
        data = tmp_path / ("there" if command[0] == "restore" else "here")
        words = [word.replace("{out}", str(tmp_path)) for word in command]
        ran = run(python, packages, data, *words)
        assert "Traceback" not in ran.stderr, (number, command, ran.stderr[-3000:])
        allowed = (0, 1, 2) if command[0] in REFUSING else (0, 1)
        assert ran.returncode in allowed, (command, ran.stdout[-500:], ran.stderr[-500:])
    proven = run(python, packages, tmp_path / "there", "verify")
    assert proven.returncode == 0, proven.stdout
