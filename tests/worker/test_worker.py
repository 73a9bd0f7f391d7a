"""A real Redis, a real worker and a real beat: a file dropped in a folder becomes an invoice."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

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
from tests.factories import FeedFactory, ProductFactory, draft, line, put
from tests.ftp_ingest.test_feeds import ORDERS

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll until it holds; fail when it doesn't in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail("it did not happen in time")


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture
def environment(redis_url: str, settings: object, tmp_path: Path) -> dict[str, str]:
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}:{database['PASSWORD']}@"
        f"{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"
    )
    return {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "SPHINX_DATA_DIR": str(tmp_path / "data"),
        "DEBUG": "1",
        "SPHINX_BEAT_SECONDS": "2",
    }


def celery(environment: dict[str, str], *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "sphinx", *args, "--loglevel", "error"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> None:
    os.killpg(process.pid, how)
    process.wait(timeout=30)


@pytest.fixture
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = celery(environment, "worker", "--concurrency", "1")
    try:
        yield process
    finally:
        if process.poll() is None:
            stop(process)


@pytest.fixture
def beat(environment: dict[str, str], tmp_path: Path) -> Iterator[None]:
    process = celery(environment, "beat")
    try:
        yield
    finally:
        stop(process)


def feed_with_orders(tmp_path: Path) -> Feed:
    folder = tmp_path / "depot"
    folder.mkdir()
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
    stop(worker, signal.SIGKILL)
    time.sleep(1)
    applied = Order.objects.count()
    assert 0 < applied < 20_000

    long_ago = clock.now() - timedelta(hours=1)
    FeedRun.objects.filter(status="running").update(heartbeat_at=long_ago)
    second = celery(environment, "worker", "--concurrency", "1")
    try:
        send(environment, "ftp_ingest.tasks.take_over_stale_runs")
        wait_for(lambda: FeedRun.objects.filter(status=FeedRun.Status.DONE).exists(), 120)
    finally:
        stop(second)

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
    stop(worker, signal.SIGKILL)
    time.sleep(1)
    asked.refresh_from_db()
    if asked.status == Job.Status.RUNNING:
        assert Invoice.objects.count() < count
    Job.objects.filter(status="running").update(heartbeat_at=clock.now() - timedelta(hours=1))
    second = celery(environment, "worker", "--concurrency", "1")
    try:
        send(environment, "sphinx.core.tasks.do_lost_jobs")
        wait_for(lambda: Job.objects.filter(status=Job.Status.DONE).exists(), 120)
    finally:
        stop(second)

    assert Invoice.objects.count() == count
    assert not notes_to_invoice().exists()


def send(environment: dict[str, str], task: str) -> None:
    """Put a task on the real broker, as another process would."""
    code = f"from sphinx.celery import app; app.send_task({task!r})"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
