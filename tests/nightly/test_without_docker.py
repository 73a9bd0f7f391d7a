"""docs/without-docker.md typed on a bare Debian, line by line, from user to disaster."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from tests.nightly.debian import Debian
from tests.support.machines import free_port

pytestmark = pytest.mark.nightly

PAGE = settings.BASE_DIR / "docs" / "without-docker.md"
UNITS = settings.BASE_DIR / "deploy" / "systemd"
SOURCE = "/srv/sphinx.git"
PASSWORD = "un-mot-de-passe"
# What stands for the operator at the settings' file.
EDITOR = """#!/bin/sh
key=$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))')
sed -i "s|^SECRET_KEY=.*|SECRET_KEY=$key|" "$1"
sed -i "s|MOTDEPASSE@127.0.0.1:5432|{password}@127.0.0.1:$(pg_lsclusters -h | cut -d' ' -f3)|" "$1"
sed -i "s|127.0.0.1:6379|127.0.0.1:{redis}|" "$1"
"""


def _section(title: str) -> str:
    """What the page says under a title."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.S | re.M)
    assert found, title
    return found[1]


def _typed(title: str) -> str:
    """What is typed under a title; systemd isn't there to be asked."""
    text = "\n".join(re.findall(r"^```sh\n(.*?)^```", _section(title), re.S | re.M))
    lines = [line for line in text.splitlines() if not line.startswith("systemctl")]
    return "\n".join(lines).replace("YOUR_COPY_OF_THE_REPOSITORY", SOURCE)


def _unit(name: str, port: int) -> str:
    """What a unit starts, as its user with its settings."""
    text = (UNITS / f"sphinx-{name}.service").read_text()
    started = re.search(r"^ExecStart=(.+)$", text, re.M)
    assert started
    command = started[1].replace("%%", "%").replace(":8000", f":{port}")
    return (
        "cd /opt/sphinx; export HOME=/var/lib/sphinx; exec runuser -u sphinx -- "
        f"sh -c 'set -a; . /etc/sphinx/sphinx.env; exec {command}'"
    )


@contextmanager
def _at_work(debian: Debian, port: int) -> Iterator[None]:
    """Site, workers and beat, while they are needed."""
    running = [
        subprocess.Popen(
            debian.command(_unit(name, port)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in ("web", "worker", "feeds", "beat")
    ]
    try:
        yield
        assert [process.poll() for process in running] == [None] * len(running)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def _asked(port: int, path: str) -> int:
    """The site's answer, asked as the proxy asks."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        headers={"Host": "gestion.exemple.fr", "X-Forwarded-Proto": "https"},
    )
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (http)
                return int(answer.status)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _answering(debian: Debian) -> str:
    ping = (
        "cd /opt/sphinx; runuser -u sphinx -- sh -c 'set -a; . /etc/sphinx/sphinx.env; "
        "HOME=/var/lib/sphinx .venv/bin/celery -A sphinx inspect ping --timeout 5'"
    )
    until = time.monotonic() + 60
    while True:
        try:
            told = debian.run(ping)
        except AssertionError:
            told = ""
        if "2 nodes online" in told or time.monotonic() > until:
            return told


# Debian 12 with Python 3.11, Debian 13 with 3.13.
@pytest.mark.parametrize("debian", ["bookworm", "trixie"], indirect=True)
def test_the_page_makes_an_installation(debian: Debian) -> None:
    site, redis = free_port(), free_port()
    subprocess.run(
        ["git", "clone", "--quiet", "--bare", str(settings.BASE_DIR), f"{debian.root}{SOURCE}"],
        check=True,
    )
    editor = EDITOR.replace("{password}", PASSWORD).replace("{redis}", str(redis))
    debian.write("/usr/local/bin/editor", editor, mode=0o755)

    debian.run(_typed("1. Packages, a user, the program"))
    debian.run("pg_ctlcluster $(pg_lsclusters -h | cut -d' ' -f1,2) start")
    debian.run(f"runuser -u redis -- redis-server --port {redis} --dir /tmp --daemonize yes")
    debian.run(_typed("2. The database"), answers=f"{PASSWORD}\n{PASSWORD}\n")
    debian.run(_typed("3. The settings"))
    first_run = "4. The first run"
    firm = re.search(r"^```json\n(.*?)^```", _section(first_run), re.S | re.M)
    assert firm
    debian.write("/root/societe.json", firm[1])
    debian.run(_typed(first_run))
    debian.run(_typed("5. Site, workers, beat"))

    with _at_work(debian, site):
        assert _asked(site, "/healthz") == 200
        assert _asked(site, "/compte/login/") == 200
        assert "2 nodes online" in _answering(debian)

    debian.run(_unit("backup", site))
    debian.run(_unit("verify", site))
    debian.run(_typed("A new version"))

    debian.run("runuser -u postgres -- dropdb sphinx")
    debian.run("runuser -u postgres -- createdb --owner sphinx --encoding UTF8 sphinx")
    kept = debian.run("ls /var/backups/sphinx").split()[-1]
    restore = _typed("The day of the disaster").replace("sphinx-AAAAMMJJ-HHMMSS.tar", kept)
    debian.run(restore)
    who = "from django.contrib.auth import get_user_model as m; print(m().objects.get().username)"
    assert "lea" in debian.run(f'sphinx shell -c "{who}"')
