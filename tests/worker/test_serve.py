"""`make serve` without Redis: site, worker and scheduler on one SQLite file and a file broker."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.machines import free_port, wait_for

pytestmark = pytest.mark.services


def manage(environment: dict[str, str], *args: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *args],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_dropped_file_comes_in_by_itself(tmp_path: Path) -> None:
    drop = tmp_path / "data" / "depots" / "essai"
    drop.mkdir(parents=True)
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/sphinx.sqlite3",
        "SPHINX_DATA_DIR": str(tmp_path / "data"),
        "SPHINX_BEAT_SECONDS": "2",
        "DEBUG": "1",
    }
    manage(environment, "migrate", "-v", "0")
    feed = f"shop=shop, protocol='folder', directory='{drop}'"
    manage(
        environment,
        "shell",
        "-v",
        "0",
        "-c",
        "from ftp_ingest.models import Feed; from sphinx.core.models import Shop; "
        f"shop = Shop.objects.create(code='essai', name='Essai'); Feed.objects.create({feed})",
    )
    (drop / "orders.csv").write_text(ORDERS)
    # What it says goes to the test's own output: shown when the test fails.
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        env=environment,
        start_new_session=True,
    )
    try:
        wait_for(lambda: manage(environment, "trace", "--all"), seconds=180)
        came = manage(environment, "trace", "--all")
        # The worker may be up before the site.
        wait_for(lambda: is_ready(port))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)

    assert "1 (essai) confirmed" in came


def test_what_ends_by_itself_ends_all_and_is_named(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/sphinx.sqlite3",
        "SPHINX_DATA_DIR": str(tmp_path / "data"),
        "DEBUG": "1",
    }
    manage(environment, "migrate", "-v", "0")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", port],
            check=False,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
        )

    assert server.returncode == 1
    assert "le site (gunicorn) s'est arrêté (code 1)" in server.stderr
