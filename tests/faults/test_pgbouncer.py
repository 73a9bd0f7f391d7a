"""Everything works through PgBouncer's transaction pooling, with fewer connections than hands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from accounting_export.models import JournalEntry
from invoicing.models import Invoice
from sales.models import Order
from tests.factories import FeedFactory, ProductFactory, ShopFactory
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.apart import environment as apart
from tests.support.machines import assert_proven, free_port, wait_for

PGBOUNCER = Path("/usr/sbin/pgbouncer")
pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pooled(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What processes are started with that reach the tests' database by two shared connections."""
    port, theirs = free_port(), connection.settings_dict
    ini = tmp_path / "pgbouncer.ini"
    ini.write_text(
        f"[databases]\n* = host={theirs['HOST']} port={theirs['PORT'] or 5432}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
    )
    if auth_user := theirs["USER"]:
        ini.write_text(ini.read_text().replace("port=", f"user={auth_user} port=", 1))
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    command = [str(PGBOUNCER), "-q", *user, str(ini)]
    process = subprocess.Popen(command, cwd="/", stderr=subprocess.PIPE)
    environment = apart(tmp_path / "data", DEBUG="1", DATABASE_POOLED="1")
    here = f":{theirs['PORT'] or 5432}/"
    environment["DATABASE_URL"] = environment["DATABASE_URL"].replace(here, f":{port}/")
    try:
        wait_for(lambda: _answers(environment), 20)
        yield environment
    finally:
        process.kill()
        process.wait(timeout=10)


def _answers(environment: dict[str, str]) -> bool:
    asked = ["psql", environment["DATABASE_URL"], "-c", "select 1"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def manage(environment: dict[str, str], *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *args], env=environment, stdout=subprocess.PIPE
    )


def test_from_the_file_to_the_journal_by_six_hands(pooled: dict[str, str], tmp_path: Path) -> None:
    header, row = ORDERS.splitlines()
    ProductFactory(sku="A", on_hand=6 * 50)
    for shop in range(6):
        folder = tmp_path / "depots" / str(shop)
        folder.mkdir(parents=True)
        rows = "".join(row.replace("1;2026", f"{n};2026", 1) + "\n" for n in range(50))
        (folder / "orders.csv").write_text(f"{header}\n{rows}")
        FeedFactory(
            code=f"f{shop}", protocol="folder", directory=str(folder),
            shop=ShopFactory(code=f"shop{shop}"),
        )  # fmt: skip

    hands = [manage(pooled, "pull_feeds", "--feed", f"f{shop}") for shop in range(6)]
    assert [hand.wait(timeout=120) for hand in hands] == [0] * 6
    for command in (["deliver", "--ready", "--ship"], ["invoice", "--delivered"]):
        both = [manage(pooled, *command) for _ in range(2)]
        assert [hand.wait(timeout=120) for hand in both] == [0, 0], command
    fec = manage(pooled, "verify", "--json")
    told, _none = fec.communicate(timeout=120)

    assert json.loads(told)["ok"]
    assert Order.objects.count() == 300
    assert Invoice.objects.count() == 300
    assert JournalEntry.objects.filter(invoice__isnull=False).count() == 300
    assert_proven()
