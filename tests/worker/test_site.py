"""The site as production starts it: gunicorn with its configuration from the project's folder."""

import http.client
import os
import subprocess
import sys
import time

import pytest

from tests.support.machines import free_port, wait_for

pytestmark = pytest.mark.services


def answers(connection: http.client.HTTPConnection) -> bool:
    """Whether the site answers on this very connection."""
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def is_up(port: int) -> bool:
    try:
        return answers(http.client.HTTPConnection("127.0.0.1", port))
    except OSError:
        return False


def test_a_proxy_may_come_back_on_a_connection_that_it_kept() -> None:
    port = free_port()
    site = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "sphinx.wsgi", "--bind", f"127.0.0.1:{port}"],
        env={**os.environ, "DEBUG": "1", "WEB_CONCURRENCY": "1"},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: is_up(port))
        kept = http.client.HTTPConnection("127.0.0.1", port)
        kept.connect()
        kept.auto_open = 0  # closed by the site, it stays closed
        assert answers(kept)
        # Past gunicorn's own two seconds: a click sent just then would have been lost.
        time.sleep(4)
        assert answers(kept)
    finally:
        site.terminate()
        site.wait(timeout=30)
