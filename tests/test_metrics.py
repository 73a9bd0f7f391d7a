"""What is measured, for whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from ftp_ingest.models import Feed
from sphinx.core import clock
from sphinx.core.jobs import start_job
from sphinx.core.models import Shop
from tests.factories import line, placed

pytestmark = pytest.mark.django_db
TOKEN = "un-jeton-de-test"


def measures(client: Client) -> dict[str, float]:
    text = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").content.decode()
    return {
        sample.labels.get("what", sample.name): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_without_a_token_there_is_no_such_page(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for given in ("", "Bearer faux", f"Bearer {TOKEN}x", "Bearer é"):
        assert Client().get("/metrics", HTTP_AUTHORIZATION=given).status_code == 404


def test_lateness_waiting_work_and_jobs_are_told(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert measures(Client())["sphinx_feed_lateness_seconds"] == 0
    shop = Shop.objects.create(code="b", name="B")
    late = clock.now() - timedelta(hours=1)
    Feed.objects.create(
        code="f", shop=shop, protocol="folder", directory=".", next_due_at=late, failures=1
    )
    start_job("invoicing.issue", actor=None)
    found = measures(Client())
    assert 3600 <= found["sphinx_feed_lateness_seconds"] < 3700
    assert found["failing_feeds"] == 1
    assert found["sphinx_jobs_open"] == 1
    assert found["sphinx_job_oldest_seconds"] < 60


def test_asking_costs_a_fixed_number_of_queries(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            measures(Client())
        return len(asked)

    few = queries()
    for number in range(5):
        placed(str(number), line("A"))
    assert queries() == few
