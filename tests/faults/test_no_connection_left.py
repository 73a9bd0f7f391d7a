"""PostgreSQL gives the firm's role no further connection: pages say so, and work again after."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.support.machines import Postgres

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
SENTENCE = "base de données ne répond pas"


@pytest.fixture
def few(postgres: Postgres) -> Iterator[Postgres]:
    """The site works under a role that may hold two connections, and is no super-user."""
    name = connection.settings_dict["NAME"]
    postgres.say("DROP ROLE IF EXISTS few")
    postgres.say("CREATE ROLE few LOGIN NOSUPERUSER CONNECTION LIMIT 2")
    postgres.say("GRANT pg_read_all_data, pg_write_all_data TO few")
    postgres.say(f'GRANT ALL ON DATABASE "{name}" TO few')
    connection.close()
    connection.settings_dict["USER"] = "few"
    yield postgres
    connection.close()
    connection.settings_dict["USER"] = "postgres"


def others(server: Postgres, count: int) -> list[Any]:
    name = connection.settings_dict["NAME"]
    where = f"host=127.0.0.1 port={server.port} user=few dbname={name}"
    return [psycopg2.connect(where) for _n in range(count)]


def test_a_page_says_so_and_the_next_one_works(few: Postgres) -> None:
    User.objects.create_superuser("chef", password="x" * 20)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get())
    connection.close()

    held = others(few, 2)
    for path in ("/", "/admin/sales/order/", "/travaux/"):
        page = client.get(path)
        assert (page.status_code, SENTENCE in page.content.decode()) == (503, True)
    post = client.post("/compte/login/", {"login": "chef", "password": "x" * 20})
    assert (post.status_code, SENTENCE in post.content.decode()) == (503, True)
    assert Client().get("/healthz").status_code == 200
    assert Client(raise_request_exception=False).get("/readyz").status_code == 503
    for one in held:
        one.close()

    few.say("SELECT pg_sleep(0.3)")
    assert client.get("/").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_a_command_says_so_in_one_sentence(few: Postgres, environment: dict[str, str]) -> None:
    connection.close()
    held = others(few, 2)

    done = subprocess.run(
        [sys.executable, "manage.py", "verify"],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    for one in held:
        one.close()
    assert (done.returncode, done.stdout) == (2, "")
    assert SENTENCE in done.stderr
    assert "Traceback" not in done.stderr
