"""The machine's clock jumps: an hour back, a month ahead and back again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounting_export.services import post_missing
from ftp_ingest.models import Feed, FeedRun
from ftp_ingest.services import due_feeds, pull_feed, take_over_stale_runs
from invoicing.models import Invoice
from invoicing.services import issue_invoices
from sales.models import Order
from sphinx.core import clock
from sphinx.core.jobs import folder_of, lost_jobs, purge_job_files, run_job, start_job
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


# --- Set back while people work ------------------------------------------------------------------


def test_a_session_begun_in_the_future_ends_when_the_clock_is_right(
    client: Client, jump: Callable[[timedelta], None]
) -> None:
    jump(MONTH)
    client.force_login(User.objects.create_superuser("chef"))
    assert client.get("/admin/").status_code == 200

    jump(timedelta(0))
    assert client.get("/admin/").status_code == 302
    # It isn't back when the day comes.
    jump(MONTH)
    assert client.get("/admin/").status_code == 302


def test_an_hour_back_ends_no_session_that_was_begun_since(
    client: Client, jump: Callable[[timedelta], None]
) -> None:
    jump(-HOUR)
    client.force_login(User.objects.create_superuser("chef"))
    assert client.get("/admin/").status_code == 200
    jump(timedelta(0))
    assert client.get("/admin/").status_code == 200
    jump(timedelta(hours=13))
    assert client.get("/admin/").status_code == 302


def test_numbers_go_on_without_a_gap_whatever_the_hour(
    jump: Callable[[timedelta], None],
) -> None:
    numbers = []
    for n, by in enumerate((HOUR, timedelta(0), -HOUR, timedelta(0)), start=1):
        jump(by)
        numbers.append(shipped(str(n)).number)

    assert len(set(numbers)) == 4
    counts = sorted(int(number[-6:]) for number in numbers)
    assert counts == list(range(counts[0], counts[0] + 4))
    assert_proven()


def test_a_jobs_file_made_in_the_future_can_be_fetched_and_is_removed_in_its_time(
    client: Client, jump: Callable[[timedelta], None]
) -> None:
    chief = User.objects.create_superuser("chef")
    jump(HOUR)
    shipped("1")
    made = start_job("accounting_export.fec", actor=chief, year="2026-01-01")
    Job.objects.filter(pk=made.pk).update(status="done", file_name="fec.txt", ended_at=clock.now())
    path = folder_of(Job.objects.get(pk=made.pk))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    jump(timedelta(0))
    client.force_login(chief)

    assert client.get(f"/travaux/{made.pk}/fichier").status_code == 200
    purge_job_files()
    assert path.exists()
    jump(timedelta(days=31, hours=2))
    purge_job_files()
    assert not path.exists()
