"""The machine's clock jumps: an hour back, a month ahead and back again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounting_export.services import post_missing
from ftp_ingest.models import Feed, FeedRun
from ftp_ingest.services import due_feeds, pull_feed, take_over_stale_runs
from invoicing.models import Invoice
from invoicing.services import issue_invoices
from sales.models import Order
from sphinx.core import clock
from sphinx.core.jobs import lost_jobs, run_job, start_job
from sphinx.core.models import Job
from sphinx.core.services import BackdatedNumber
from tests.factories import FeedFactory, ProductFactory, shipped
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.machines import assert_proven

pytestmark = pytest.mark.django_db
HOUR, MONTH = timedelta(hours=1), timedelta(days=31)


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Set the clock that far from the true hour."""
    true_now = timezone.now

    def _jump(by: timedelta) -> None:
        monkeypatch.setattr(timezone, "now", lambda: true_now() + by)

    return _jump


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    ProductFactory(sku="A", on_hand=5)
    return FeedFactory(protocol="folder", directory=str(folder))


def test_a_feed_visited_in_the_future_is_due_again(
    feed: Feed, jump: Callable[[timedelta], None]
) -> None:
    jump(MONTH)
    assert pull_feed(feed).status == "ok"
    jump(timedelta(0))

    assert due_feeds() == [feed.pk]
    assert pull_feed(feed).status == "nothing_new"
    assert Order.objects.count() == 1


def test_an_hour_back_doubles_nothing(feed: Feed, jump: Callable[[timedelta], None]) -> None:
    pull_feed(feed)
    jump(-HOUR)
    (Path(feed.directory) / "again.csv").write_text(ORDERS + "\n")

    assert pull_feed(feed).status == "ok"

    assert Order.objects.count() == 1
    assert_proven()


def test_a_run_that_died_in_the_future_is_taken_over(
    feed: Feed, jump: Callable[[timedelta], None]
) -> None:
    FeedRun.objects.create(
        shop=feed.shop,
        feed=feed,
        started_at=clock.now() + MONTH,
        heartbeat_at=clock.now() + MONTH,
    )

    take_over_stale_runs()

    assert Order.objects.count() == 1
    assert not FeedRun.objects.filter(status="running").exists()


def test_work_that_died_in_the_future_is_done(jump: Callable[[timedelta], None]) -> None:
    jump(MONTH)
    asked = start_job("invoicing.issue", actor=None)
    Job.objects.update(status="running", heartbeat_at=clock.now(), started_at=clock.now())
    jump(timedelta(0))

    assert [job.pk for job in lost_jobs()] == [asked.pk]
    assert run_job(asked.pk)


def test_no_invoice_is_dated_before_the_last_one(jump: Callable[[timedelta], None]) -> None:
    """Numbers and dates rise together (CGI, ann. II, art. 242 nonies A): who issues too early
    after a clock ran ahead is told so, and nothing is issued."""
    first, second = shipped("1"), shipped("2")
    now: datetime = clock.now()
    issue_invoices(note_ids=[first.pk], at=now)

    with pytest.raises(BackdatedNumber):
        issue_invoices(note_ids=[second.pk], at=now - timedelta(days=1))

    assert Invoice.objects.count() == 1
    issue_invoices(note_ids=[second.pk], at=now)
    post_missing()
    assert_proven()
