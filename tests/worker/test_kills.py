"""Workers killed with SIGKILL at random points: each time the end is that of a quiet run."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ftp_ingest.models import Feed, FeedRun
from ftp_ingest.services import pull_feed, take_over_stale_runs
from inventory.models import Reservation, StockPosition
from sales.models import Order
from sphinx.core import clock
from sphinx.core.models import Shop
from tests.factories import ProductFactory
from tests.support.apart import environment

ROUNDS = 50
ORDERS = 60
HEADER = (
    "order_number;placed_at;status;email;sku;quantity;unit_price_incl_tax;tax_rate;total_incl_tax\n"
)


def drop(folder: Path, prefix: str) -> None:
    """A shop's two files: orders on several rows, some cancelled, some that can't be applied."""
    folder.mkdir(parents=True)
    rows = []
    for n in range(ORDERS):
        total = "33.00" if n % 17 == 0 else "30.00"
        status = "cancelled" if n % 11 == 0 else "paid"
        start = f"{prefix}-{n};2026-03-01 10:00:00;{status};c{n % 20}@{prefix}.test;{prefix}"
        rows += [f"{start}-A;1;10.00;20;{total}\n", f"{start}-B;2;10.00;5.5;{total}\n"]
    (folder / "orders.csv").write_text(HEADER + "".join(rows))
    (folder / "customers.csv").write_text(
        "email;first_name;last_name\n"
        + "".join(f"c{n}@{prefix}.test;Léa;N{n}\n" for n in range(20))
    )


def state(shop: Shop, prefix: str) -> dict[str, Any]:
    """What a run leaves, without ids and hours, and without the round's own prefix."""
    orders = Order.objects.filter(shop=shop).order_by("number")
    positions = StockPosition.objects.filter(product__sku__startswith=f"{prefix}-")
    held = Reservation.objects.filter(product__sku__startswith=f"{prefix}-", quantity__gt=0)
    return {
        "orders": [
            (
                o.number.removeprefix(prefix),
                o.status,
                str(o.total_incl_tax),
                str(o.total_tax),
                o.customer.last_name,
                [(ln.sku.removeprefix(prefix), str(ln.quantity)) for ln in o.lines.all()],
            )
            for o in orders.select_related("customer").prefetch_related("lines")
        ],
        "stock": [
            (p.product.sku.removeprefix(prefix), str(p.reserved), str(p.backordered))
            for p in positions.select_related("product").order_by("product__sku")
        ],
        "reservations": held.count(),
    }


def feed_for(folder: Path, prefix: str) -> Feed:
    shop = Shop.objects.create(code=prefix, name=prefix)
    for letter in "AB":
        ProductFactory(sku=f"{prefix}-{letter}", on_hand=70)
    return Feed.objects.create(code=prefix, shop=shop, protocol="folder", directory=str(folder))


@pytest.fixture
def dying_workers(settings: Any) -> Iterator[Callable[[Feed, int], int]]:
    """Fetches a feed in a worker that dies at its nth statement; gives the signal, or 0."""
    helper = subprocess.Popen(
        [sys.executable, "-m", "tests.support.dying"],
        env=environment(settings.DATA_DIR, INGEST_CHUNK_ORDERS="10"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def fetch(feed: Feed, dies_at: int) -> int:
        assert helper.stdin
        assert helper.stdout
        helper.stdin.write(f"{feed.pk} {dies_at}\n")
        helper.stdin.flush()
        return int(helper.stdout.readline())

    yield fetch
    helper.terminate()
    helper.wait(timeout=10)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_fifty_kills_end_like_a_quiet_run(
    tmp_path: Path, settings: Any, dying_workers: Callable[[Feed, int], int]
) -> None:
    settings.INGEST_CHUNK_ORDERS = 10
    quiet_folder = tmp_path / "depots" / "quiet"
    drop(quiet_folder, "quiet")
    quiet = feed_for(quiet_folder, "quiet")
    pull_feed(quiet)
    wanted = state(quiet.shop, "quiet")
    assert len(wanted["orders"]) > ORDERS * 0.9
    draw = random.Random(50)

    killed = 0
    for round_ in range(ROUNDS):
        prefix = f"r{round_}"
        drop(tmp_path / "depots" / prefix, prefix)
        feed = feed_for(tmp_path / "depots" / prefix, prefix)
        killed += dying_workers(feed, draw.randint(2, 160)) == signal.SIGKILL
        silent = clock.now() - timedelta(hours=1)
        FeedRun.objects.filter(status="running").update(heartbeat_at=silent)
        take_over_stale_runs()
        pull_feed(feed)

        assert state(feed.shop, prefix) == wanted, f"round {round_}"
    assert killed > ROUNDS * 0.6
