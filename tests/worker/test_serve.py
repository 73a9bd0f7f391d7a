"""`make serve` without Redis: site, worker and scheduler on one SQLite file and a file broker."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.ftp_ingest.test_feeds import ORDERS

pytestmark = pytest.mark.services


def manage(environment: dict[str, str], *args: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *args],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_dropped_file_comes_in_by_itself(tmp_path: Path) -> None:
    drop = tmp_path / "depot"
    drop.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 60
        while not (came := manage(environment, "trace", "--all")) and time.monotonic() < end:
            time.sleep(0.5)
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)

    assert "1 (essai) confirmed" in came
    assert answer.status == 200
