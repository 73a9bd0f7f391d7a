"""Disk full, folder closed, database away: one sentence, and nothing half-kept."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from invoicing.models import Invoice, InvoicePdf
from invoicing.services import issue_invoice
from tests.bench.shop_files import write_orders
from tests.factories import NOON, line, shipped

# Nobody makes a folder there, not even root.
CLOSED = Path("/sys/kernel/sphinx")


@pytest.fixture
def invoice(db: None) -> Invoice:
    return issue_invoice(delivery_note_id=shipped("1", line("A", "120.00")).pk, at=NOON)


def full_disk_is_possible() -> bool:
    if not shutil.which("unshare"):
        return False
    mount = "mount -t tmpfs -o size=4k none /mnt"
    return subprocess.run(["unshare", "-m", "sh", "-c", mount], check=False).returncode == 0


MANAGE = f"{sys.executable} manage.py"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installation of its own; its data folder is `data`."""
    place = tmp_path_factory.mktemp("full")
    (place / "data").mkdir()
    write_orders(place / "orders.csv", 500)
    env = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{place / 'base.sqlite3'}",
        "SPHINX_DATA_DIR": str(place / "data"),
        "DEBUG": "1",
        "PLACE": str(place),
    }
    migrate = [*MANAGE.split(), "migrate", "-v", "0"]
    subprocess.run(migrate, env=env, check=True, cwd=settings.BASE_DIR)
    return env


@pytest.mark.skipif(not full_disk_is_possible(), reason="mounting asks for rights")
@pytest.mark.parametrize(
    "command",
    [
        "backup --output $SPHINX_DATA_DIR/copie.tar",
        "ingest --shop x --create-shop $PLACE/orders.csv",
    ],
)
def test_a_command_on_a_full_disk_says_so_and_keeps_nothing(
    installed: dict[str, str], command: str
) -> None:
    script = (
        "mount -t tmpfs -o size=64k none $SPHINX_DATA_DIR; "
        f"{MANAGE} {command}; echo rc=$?; "
        "find $SPHINX_DATA_DIR -type f -not -name secret.key"
    )

    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=installed,
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
    )

    assert "disque est plein" in done.stderr or "No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout.split() == ["rc=2"]


@pytest.mark.django_db
def test_a_command_that_may_not_write_says_so(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped("1", line("A", "120.00"))
    settings.DATA_DIR = CLOSED

    with pytest.raises(SystemExit) as ended:
        call_command("invoice", "--delivered")

    assert ended.value.code == 2
    assert "n'est pas accessible" in capsys.readouterr().err
    assert not InvoicePdf.objects.exists()


def test_a_page_that_may_not_write_says_so(
    invoice: Invoice, settings: Any, admin_client: Client
) -> None:
    settings.DATA_DIR = CLOSED
    admin_client.raise_request_exception = False

    page = admin_client.get(reverse("invoicing:pdf", args=[invoice.pk]))

    assert page.status_code == 503
    assert "n&#x27;est pas accessible" in page.content.decode()


@pytest.fixture
def no_database(transactional_db: None) -> Iterator[None]:
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    yield
    connection.close()
    connection.settings_dict["PORT"] = port


@pytest.mark.postgres
def test_a_page_without_its_database_says_so(no_database: None) -> None:
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32

    page = client.get("/")

    assert page.status_code == 503
    assert "base de données ne répond pas" in page.content.decode()


def test_an_error_of_ours_says_nothing_of_its_cause(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin_client.raise_request_exception = False
    monkeypatch.setattr("invoicing.views.receivables.open_invoices", lambda: 1 / 0)

    page = admin_client.get(reverse("invoicing:receivables"))

    assert page.status_code == 500
    assert "ZeroDivisionError" not in page.content.decode()
