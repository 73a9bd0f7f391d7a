"""What an operator installs from: units, settings, the page that is typed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

DEPLOY = settings.BASE_DIR / "deploy"
PAGE = settings.BASE_DIR / "docs" / "without-docker.md"
HERE = Path(sys.executable).parent.parent.parent
# systemd's own scale, from 0 (shut) to 10 (open).
MOST_EXPOSED = 2.0
analyze = shutil.which("systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with this installation in the place of /opt/sphinx."""
    for file in (DEPLOY / "systemd").rglob("*.*"):
        if file.is_file():
            target = tmp_path / file.relative_to(DEPLOY / "systemd")
            target.parent.mkdir(exist_ok=True)
            text = file.read_text().replace("/opt/sphinx/deploy", str(DEPLOY))
            target.write_text(text.replace("/opt/sphinx", str(HERE)))
    return tmp_path


def asked(units: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze, told where the units are."""
    return subprocess.run(
        [str(analyze), *words],
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(analyze is None, reason="systemd isn't here")
def test_systemd_understands_every_unit(units: Path) -> None:
    files = [str(file) for file in units.glob("sphinx*.*") if file.is_file()]

    done = asked(units, "verify", "--man=no", *files)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(analyze is None, reason="systemd isn't here")
@pytest.mark.parametrize("name", ["web", "worker", "feeds", "beat", "backup", "verify"])
def test_every_service_is_shut_in(units: Path, name: str) -> None:
    done = asked(
        units, "security", "--offline=true", "--no-pager", f"{units}/sphinx-{name}.service"
    )

    level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= MOST_EXPOSED


def test_a_backup_is_kept_and_old_ones_go(tmp_path: Path) -> None:
    old, young = tmp_path / "sphinx-20200101-023000.tar", tmp_path / "sphinx-20260101-023000.tar"
    old.touch()
    young.touch()
    subprocess.run(["touch", "-d", "20 days ago", str(old)], check=True)
    program = tmp_path / "opt"
    (program / "deploy").mkdir(parents=True)
    shutil.copy(DEPLOY / "backup", program / "deploy")
    (program / ".venv" / "bin").mkdir(parents=True)
    (program / ".venv" / "bin" / "python").symlink_to(sys.executable)
    # What is asked of manage.py is tested with it: here a file that is written, or not.
    (program / "manage.py").write_text("import sys; open(sys.argv[-1], 'x').close()")

    subprocess.run([str(program / "deploy" / "backup"), str(tmp_path)], check=True)

    kept = sorted(file.name for file in tmp_path.glob("*.tar"))
    assert old.name not in kept
    assert young.name in kept
    assert len(kept) == 2


def test_a_backup_that_fails_removes_nothing(tmp_path: Path) -> None:
    old = tmp_path / "sphinx-20200101-023000.tar"
    old.touch()
    subprocess.run(["touch", "-d", "20 days ago", str(old)], check=True)
    program = tmp_path / "opt"
    (program / "deploy").mkdir(parents=True)
    shutil.copy(DEPLOY / "backup", program / "deploy")

    done = subprocess.run(
        [str(program / "deploy" / "backup"), str(tmp_path)], capture_output=True, check=False
    )

    assert done.returncode != 0
    assert old.exists()


def test_every_setting_of_the_sample_is_read_somewhere() -> None:
    names = re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "sphinx.env").read_text(), re.MULTILINE)
    read = (settings.BASE_DIR / "sphinx" / "settings.py").read_text()
    read += (DEPLOY / "backup").read_text()

    assert names
    assert [name for name in names if name not in read] == []


def test_the_page_names_files_that_are_there() -> None:
    text = PAGE.read_text()
    links = [settings.BASE_DIR / "docs" / link for link in re.findall(r"\]\(([^)#]+)\)", text)]
    typed = [
        settings.BASE_DIR / path for path in re.findall(r"/opt/sphinx/(deploy\S*|\S+\.txt)", text)
    ]

    assert [str(file) for file in links + typed if not file.exists()] == []


def test_the_page_starts_every_unit_there_is() -> None:
    text = PAGE.read_text()
    started = {
        word.removesuffix(".target").removesuffix(".timer")
        for line in re.findall(r"^systemctl enable --now (.+)$", text, re.MULTILINE)
        for word in line.split()
    }
    units = {f.stem for f in (DEPLOY / "systemd").glob("sphinx*.*") if f.is_file()}

    assert started == units
