"""Redis goes while people work in the site: what needs none of it goes on, the rest says so."""

import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from invoicing.services import issue_invoice
from sphinx.core import clock
from sphinx.core.models import Job
from tests.factories import line, shipped
from tests.support.machines import Redis, free_port, wait_for

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
PASSWORD = "un-mot-de-passe-assez-long"
LOGIN = {"login": "chef", "password": PASSWORD}
Ask = Callable[..., tuple[int, str]]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


@pytest.fixture
def ask(environment: dict[str, str], tmp_path: Path) -> Iterator[Ask]:
    """Ask the site, run by the server of production, as the chief; status and page."""
    User.objects.create_superuser("chef", "chef@exemple.test", PASSWORD)
    session = ""
    port = free_port()
    opener = urllib.request.build_opener(_Stay)

    def _ask(path: str, stranger: bool = False, **form: str) -> tuple[int, str]:
        token = "a" * 32
        cookies = f"csrftoken={token}" + ("" if stranger else f"; sessionid={session}")
        fields = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", fields if form else None, {"Cookie": cookies}
        )
        try:
            with opener.open(request, timeout=30) as answer:
                return int(answer.status), answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            set_ = "; ".join(error.headers.get_all("Set-Cookie") or [])
            return error.code, set_ + error.read().decode("utf-8", "replace")

    command = ["gunicorn", "sphinx.wsgi", "-c", "/dev/null", "-b", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        [sys.executable, "-m", *command, "--threads", "2"],
        env={**environment, "ALLOWED_HOSTS": "127.0.0.1"},
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "site.log").open("wb"),
    ) as site:

        def answers() -> bool:
            with suppress(OSError):
                return _ask("/healthz")[0] == 200
            return False

        try:
            wait_for(answers)
            said = _ask("/compte/login/", stranger=True, **LOGIN)[1]
            session = said.partition("sessionid=")[2].partition(";")[0]
            yield _ask
        finally:
            site.terminate()


def test_people_go_on_while_redis_is_away(ask: Ask, redis: Redis) -> None:
    note = shipped("1", line("A"))
    made = issue_invoice(delivery_note_id=note.pk, at=clock.now())
    pages = ["/", "/admin/sales/order/", "/travaux/", "/factures/a-etablir/", "/statistiques/"]
    before = [ask(path)[0] for path in pages]
    assert set(before) == {200}
    assert ask("/compte/login/", stranger=True, **LOGIN)[0] == 302

    redis.kill()
    began = time.monotonic()
    assert [ask(path)[0] for path in pages] == before
    assert ask(f"/admin/sales/deliverynote/{note.pk}/change/")[0] == 200
    # Tries are counted there: nobody is let in uncounted.
    status, page = ask("/compte/login/", stranger=True, **LOGIN)
    assert (status, "Redis" in page, "Traceback" in page) == (503, True, False)
    # Long work is asked for, and waits.
    assert ask("/factures/a-etablir/", verb="all")[0] == 302
    asked = Job.objects.get()
    assert ask(f"/travaux/{asked.pk}/")[0] == 200
    assert ask(f"/documents/factures/{made.pk}.pdf")[1].startswith("%PDF")
    took = time.monotonic() - began

    redis.start()
    assert ask("/compte/login/", stranger=True, **LOGIN)[0] == 302
    assert [ask(path)[0] for path in pages] == before
    asked.refresh_from_db()
    assert asked.status == "waiting"
    assert took < 45
