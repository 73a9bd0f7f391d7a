"""What mass work needs of the database and of workers."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from invoicing.management.commands import invoice
from invoicing.models import InvoicePdf
from sphinx.core.bulk import analyse_grown
from tests.factories import line, shipped


def shown(what: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c",
         "from django.db import connection as c; k = c.cursor(); "
         f"k.execute('SHOW {what}'); print(k.fetchone()[0])"],
        env={**os.environ, "DEBUG": "1", **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout.strip()


def _url(**query: str) -> str:
    where = connection.settings_dict
    more = "&".join(f"{name}={value}" for name, value in query.items())
    server = f"{where['USER']}@{where['HOST']}:{where['PORT'] or 5432}"
    return f"postgresql://{server}/{where['NAME']}?{more}"


@pytest.mark.postgres
@pytest.mark.django_db
def test_queries_arent_compiled_and_options_of_the_url_are_kept() -> None:
    assert shown("jit", DATABASE_URL=_url()) == "off"
    given = _url(options="-c%20lock_timeout=7s")
    assert shown("jit", DATABASE_URL=given) == "off"
    assert shown("lock_timeout", DATABASE_URL=given) == "7s"
    assert shown("jit", DATABASE_URL=_url(options="-c%20jit=on")) == "on"
    assert shown("lock_timeout", DATABASE_URL=_url(), PGOPTIONS="-c lock_timeout=9s") == "9s"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_tables_that_grew_are_analysed_once() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE grown AS SELECT generate_series(1, 3000) AS x")
    try:
        assert "grown" in analyse_grown()
        assert "grown" not in analyse_grown()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE grown")


@pytest.mark.django_db
def test_invoices_are_printed_here_where_no_worker_runs(capsys: Any) -> None:
    shipped("1", line("A"))
    call_command("invoice", "--delivered", "--json")
    assert InvoicePdf.objects.count() == 1


@pytest.mark.django_db
def test_workers_print_where_they_run_and_the_paths_are_told(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[None] = []
    monkeypatch.setattr(invoice, "workers_run", lambda: True)
    monkeypatch.setattr(invoice.print_invoices, "delay", lambda: asked.append(None))
    shipped("1", line("A"))
    call_command("invoice", "--delivered", "--json")
    assert ".pdf" in capsys.readouterr().out
    assert len(asked) == 1
    assert not InvoicePdf.objects.exists()
