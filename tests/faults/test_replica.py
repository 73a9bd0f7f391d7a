"""Statistics read from a standby that streams; everything else from the original."""

import json
from pathlib import Path

import pytest

from sales.models import Order
from tests.factories import shipped
from tests.support.apart import environment as apart
from tests.support.machines import Postgres, own_postgres, run_apart, wait_for

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
PAGES = [
    "/statistiques/",
    "/statistiques/classeur.xlsx",
    "/statistiques/croiser/?rows=month&columns=&measure=ordered&period=year",
    "/statistiques/clients/",
    "/statistiques/clients/classeur.xlsx",
    "/statistiques/stock/",
    "/statistiques/stock/classeur.xlsx",
    "/admin/sales/order/",
]
LOOK = f"""
import json
from django.contrib.auth.models import User
from django.test import Client
from sales.models import Order
from sphinx.core.replica import reading_copy
user, _ = User.objects.get_or_create(username="gerant", is_superuser=True, is_staff=True)
client = Client(SERVER_NAME="localhost")
client.force_login(user)
answers = [client.get(url).status_code for url in {PAGES!r}]
with reading_copy():
    copied = Order.objects.count()
print(json.dumps([answers, copied, Order.objects.count()]))
"""


def test_pages_of_figures_are_read_from_the_copy(postgres: Postgres, tmp_path: Path) -> None:
    shipped("1")
    with own_postgres(copy_of=postgres) as copy:
        here = apart(tmp_path / "data", DEBUG="1")
        there = here["DATABASE_URL"].replace(f":{postgres.port}/", f":{copy.port}/")
        environment = {**here, "REPLICA_DATABASE_URL": there}
        copy.say("SELECT pg_wal_replay_pause()")
        shipped("2")

        answers, copied, original = json.loads(run_apart(environment, LOOK))
        assert answers == [200] * len(PAGES)
        # The copy is late, and what isn't figures doesn't read it.
        assert (copied, original) == (1, 2)

        copy.say("SELECT pg_wal_replay_resume()")
        wait_for(lambda: json.loads(run_apart(environment, LOOK))[1] == 2)

    assert Order.objects.count() == 2


def test_without_a_copy_figures_are_read_where_they_are_written(tmp_path: Path) -> None:
    shipped("1")

    answers, copied, _original = json.loads(run_apart(apart(tmp_path / "data", DEBUG="1"), LOOK))

    assert set(answers) == {200}
    assert copied == 1
