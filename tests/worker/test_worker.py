"""A real Redis, a real worker and a real beat: a file dropped in a folder becomes an invoice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounting_export.models import JournalEntry
from ftp_ingest.models import Feed, FeedRun
from inventory.models import Product
from invoicing.models import Invoice, InvoicePdf
from invoicing.selectors import notes_to_invoice
from sales.models import DeliveryNote, Order
from sales.services import (
    prepare_deliveries,
    prepare_delivery,
    ship_delivery_note,
    ship_delivery_notes,
)
from sphinx.core import clock
from sphinx.core.jobs import start_job
from sphinx.core.models import Job
from tests.factories import FeedFactory, ProductFactory, draft, line, put, shipped
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.apart import environment as apart
from tests.support.machines import celery, own_redis, send, wait_for

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a worker of this firm is started with: its own Redis, the tests' database."""
    with own_redis(tmp_path) as redis:
        yield apart(tmp_path / "data", REDIS_URL=redis.url, DEBUG="1", SPHINX_BEAT_SECONDS="2")


@pytest.fixture
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with celery(environment, "worker", "--concurrency", "1") as process:
        yield process


@pytest.fixture
def beat(environment: dict[str, str]) -> Iterator[None]:
    with celery(environment, "beat"):
        yield


def kill(process: subprocess.Popen[bytes]) -> None:
    """As the machine's memory guard does it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def feed_with_orders(tmp_path: Path) -> Feed:
    folder = tmp_path / "depots" / "essai"
    folder.mkdir(parents=True)
    (folder / "orders.csv").write_text(ORDERS)
    return FeedFactory(protocol="folder", directory=str(folder))


@pytest.mark.usefixtures("worker", "beat")
def test_beat_and_worker_bring_a_dropped_file_in_by_themselves(tmp_path: Path) -> None:
    feed_with_orders(tmp_path)

    # Beat asks which feeds are due; nothing else asks.
    wait_for(FeedRun.objects.filter(status=FeedRun.Status.DONE).exists)

    assert Order.objects.get().number == "1"


@pytest.mark.usefixtures("worker")
def test_the_worker_invoices_and_books_what_has_shipped(
    environment: dict[str, str], tmp_path: Path
) -> None:
    from ftp_ingest.services import pull_feed

    ProductFactory(sku="A", on_hand=5)
    pull_feed(feed_with_orders(tmp_path))
    note = prepare_delivery(order_id=Order.objects.get().pk, at=clock.now())
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=clock.now())

    send(environment, "invoicing.tasks.invoice_shipped_notes")

    # The invoice is announced; the journal's receiver has its own task.
    wait_for(JournalEntry.objects.exists)
    wait_for(InvoicePdf.objects.exists)


def test_a_run_whose_worker_was_killed_is_taken_over(
    environment: dict[str, str], worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """Killed in the middle of a file: nothing half-applied, and the next worker ends it."""
    from datetime import timedelta

    feed = feed_with_orders(tmp_path)
    rows = ORDERS.splitlines()[1]
    many = "".join(rows.replace("1;2026", f"{n};2026", 1) + "\n" for n in range(1, 20_001))
    (Path(feed.directory) / "orders.csv").write_text(ORDERS.splitlines()[0] + "\n" + many)
    send(environment, "ftp_ingest.tasks.pull_due_feeds")
    wait_for(Order.objects.exists)
    kill(worker)
    time.sleep(1)
    applied = Order.objects.count()
    assert 0 < applied < 20_000

    long_ago = clock.now() - timedelta(hours=1)
    FeedRun.objects.filter(status="running").update(heartbeat_at=long_ago)
    with celery(environment, "worker", "--concurrency", "1"):
        send(environment, "ftp_ingest.tasks.take_over_stale_runs")
        wait_for(lambda: FeedRun.objects.filter(status=FeedRun.Status.DONE).exists(), 120)

    assert Order.objects.count() == 20_000
    position = Product.objects.get(sku="A").positions.get()
    assert position.backordered == 20_000


def test_long_work_whose_worker_was_killed_is_ended_by_the_next(
    environment: dict[str, str], worker: subprocess.Popen[bytes]
) -> None:
    """Invoicing all that left: killed in the middle, every parcel has one invoice in the end."""
    from datetime import timedelta

    count = 160
    ProductFactory(sku="A", on_hand=count)
    placed_orders = put(*(draft(str(n), line("A")) for n in range(count)))
    assert placed_orders.created == count
    orders = list(Order.objects.values_list("pk", flat=True))
    prepare_deliveries(order_ids=orders, at=clock.now())
    notes = list(DeliveryNote.objects.values_list("pk", flat=True))
    ship_delivery_notes(note_ids=notes, at=clock.now())
    asked = start_job("invoicing.issue", actor=None)
    Job.objects.update(asked_at=clock.now() - timedelta(minutes=2))

    send(environment, "sphinx.core.tasks.do_lost_jobs")
    wait_for(Invoice.objects.exists)
    kill(worker)
    time.sleep(1)
    asked.refresh_from_db()
    if asked.status == Job.Status.RUNNING:
        assert Invoice.objects.count() < count
    Job.objects.filter(status="running").update(heartbeat_at=clock.now() - timedelta(hours=1))
    with celery(environment, "worker", "--concurrency", "1"):
        send(environment, "sphinx.core.tasks.do_lost_jobs")
        wait_for(lambda: Job.objects.filter(status=Job.Status.DONE).exists(), 120)

    assert Invoice.objects.count() == count
    assert not notes_to_invoice().exists()


@pytest.mark.parametrize("has_worker", [False, True])
def test_many_invoices_are_printed_by_a_worker_where_one_runs(
    request: pytest.FixtureRequest, environment: dict[str, str], has_worker: bool
) -> None:
    if has_worker:
        request.getfixturevalue("worker")
    shipped("1", line("A"))
    ran = subprocess.run(
        [sys.executable, "manage.py", "invoice", "--delivered", "--json"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (invoice,) = json.loads(ran.stdout)["invoices"]
    if not has_worker:
        assert Path(invoice["pdf"]).exists()
    wait_for(Path(invoice["pdf"]).exists)
    wait_for(InvoicePdf.objects.filter(invoice__number=invoice["number"]).exists)
