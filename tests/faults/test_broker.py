"""Redis goes and comes back, empty; beats and workers run twice: nothing lost, nothing twice."""

import email
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from accounting_export.models import JournalEntry
from customers.drafts import CustomerDraft
from ftp_ingest.models import FeedRun, ReceivedFile
from invoicing.models import Invoice
from purchasing.models import PurchaseOrder
from sales.models import DeliveryNote, Order
from sales.services import prepare_deliveries, ship_delivery_notes
from sphinx.core import clock
from sphinx.core.models import DeadLetter, Job, Shop
from tests.factories import (
    FeedFactory,
    ProductFactory,
    ReorderRuleFactory,
    ShopFactory,
    SupplierProductFactory,
    draft,
    line,
    put,
)
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.machines import Redis, assert_proven, celery, run_apart, send, wait_for

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def parcels_on_their_way(count: int) -> list[int]:
    """Delivery notes that left and wait for their invoices."""
    ProductFactory(sku="A", on_hand=count)
    buyers = [CustomerDraft(ref=f"C{n}", email=f"c{n}@exemple.test") for n in range(count)]
    put(*(draft(str(n), line("A"), customer=buyer) for n, buyer in enumerate(buyers)))
    prepare_deliveries(order_ids=list(Order.objects.values_list("pk", flat=True)), at=clock.now())
    notes = list(DeliveryNote.objects.values_list("pk", flat=True))
    ship_delivery_notes(note_ids=notes, at=clock.now())
    return notes


def test_what_was_asked_for_while_redis_was_away_is_done_when_it_is_back(
    environment: dict[str, str], redis: Redis, tmp_path: Path
) -> None:
    first, *_others = parcels_on_their_way(3)
    with (
        celery(environment, "worker", "--concurrency", "1", log=tmp_path / "worker.log"),
        celery(environment, "beat"),
    ):
        redis.kill()
        # Somebody goes on working: an invoice whose message is lost, long work asked for.
        run_apart(
            environment,
            "from invoicing.services import issue_invoices\n"
            "from sphinx.core import clock\n"
            "from sphinx.core.jobs import start_job\n"
            f"issue_invoices(note_ids=[{first}], at=clock.now())\n"
            "start_job('invoicing.issue', actor=None)\n",
        )
        assert (Invoice.objects.count(), JournalEntry.objects.count()) == (1, 0)
        Job.objects.update(asked_at=clock.now() - timedelta(minutes=2))
        redis.start()

        # Beat's sweep finds the work; the worker has found its broker again.
        wait_for(Job.objects.filter(status=Job.Status.DONE).exists, 90)
        send(environment, "accounting_export.tasks.post_missing_entries")
        wait_for(lambda: JournalEntry.objects.filter(invoice__isnull=False).count() == 3)

    assert Invoice.objects.count() == 3
    assert not DeadLetter.objects.exists()
    assert_proven()


def test_two_beats_and_two_workers_do_everything_once(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ShopFactory(mails_shipments=True)
    parcels_on_their_way(8)
    item = SupplierProductFactory()
    ReorderRuleFactory(product=item.product)
    for name in ("un", "deux"):
        folder = tmp_path / "depots" / name
        folder.mkdir(parents=True)
        (folder / "orders.csv").write_text(ORDERS)
        FeedFactory(protocol="folder", directory=str(folder), shop=ShopFactory(code=name))
    tasks = [
        "ftp_ingest.tasks.pull_due_feeds",
        "sales.tasks.mail_parcels",
        "invoicing.tasks.invoice_shipped_notes",
        "accounting_export.tasks.post_missing_entries",
        "purchasing.tasks.propose_purchase_orders",
        "invoicing.tasks.close_books",
        "sphinx.dashboard.tasks.refresh_sums",
    ]

    for task in tasks * 3:
        send(environment, task)
    with (
        celery(environment, "worker", "--concurrency", "2", "-n", "one@%h"),
        celery(environment, "worker", "--concurrency", "2", "-n", "two@%h"),
        celery(environment, "beat"),
        celery(environment, "beat"),
    ):
        wait_for(lambda: FeedRun.objects.filter(status="done").count() == 2, 90)
        wait_for(lambda: DeliveryNote.objects.exclude(mailed_at=None).count() == 8, 90)
        wait_for(lambda: JournalEntry.objects.filter(invoice__isnull=False).count() == 8, 90)
        wait_for(PurchaseOrder.objects.exists, 90)
        wait_for(lambda: _is_idle(environment), 90)

    assert Invoice.objects.count() == 8
    assert ReceivedFile.objects.filter(status="applied").count() == 2
    assert Order.objects.filter(shop__in=Shop.objects.filter(code__in=["un", "deux"])).count() == 2
    assert PurchaseOrder.objects.count() == 1
    assert set(Counter(_mailed_to(tmp_path / "mails")).values()) == {1}
    assert not DeadLetter.objects.exists()
    assert_proven()


def _is_idle(environment: dict[str, str]) -> bool:
    """True when no message waits."""
    import redis

    client = redis.from_url(environment["REDIS_URL"])
    queues = ("documents", "feeds", "exports", "statistics")
    return not any(client.llen(name) for name in queues) and not client.hlen("unacked")


def _mailed_to(folder: Path) -> list[str]:
    """Whom each message went to."""
    told = []
    for file in folder.glob("*.log"):
        for text in re.split(r"^-{79}$", file.read_text(), flags=re.MULTILINE):
            to = email.message_from_string(text.strip())["To"]
            if to:
                told.append(to)
    assert told
    return told


def test_a_message_that_kills_its_worker_is_set_aside(
    environment: dict[str, str], tmp_path: Path
) -> None:
    mark = tmp_path / "begun"
    include = ["--include", "tests.support.deadly"]
    with celery(environment, "worker", "--concurrency", "1", *include, log=tmp_path / "log"):
        send(environment, "tests.support.deadly.die", place=str(mark))
        wait_for(DeadLetter.objects.exists, 90)

    letter = DeadLetter.objects.get()
    assert letter.error == "WorkerLostError"
    assert len(mark.read_text().splitlines()) == 3


def test_a_runs_id_stands_in_the_log_lines_of_what_follows_from_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "depots" / "essai"
    folder.mkdir(parents=True)
    (folder / "orders.csv").write_text(ORDERS)
    FeedFactory(protocol="folder", directory=str(folder))
    log = tmp_path / "log"

    with celery(environment, "worker", "--concurrency", "1", log=log):
        send(environment, "ftp_ingest.tasks.pull_due_feeds")
        wait_for(FeedRun.objects.filter(status="done").exists)
        wait_for(lambda: "feed visited" in log.read_text(), 10)

    run = FeedRun.objects.get()
    (line_,) = [text for text in log.read_text().splitlines() if "feed visited" in text]
    assert f"run={run.pk}" in line_
    assert "task_id=" in line_
