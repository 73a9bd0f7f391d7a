"""PostgreSQL cut off in the middle of a file, or out of disk: in the end all is in, once."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from ftp_ingest.models import Feed, FeedRun
from ftp_ingest.services import pull_feed, take_over_stale_runs
from inventory.models import Product
from sales.models import Order
from sphinx.core import clock
from tests.factories import FeedFactory, ProductFactory
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.machines import (
    Postgres,
    assert_proven,
    can_mount,
    celery,
    connected_to,
    send,
    small_disk,
    wait_for,
)

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
MANY = 12_000


def feed_of_many(tmp_path: Path, count: int = MANY) -> Feed:
    """A shop's folder with many orders of one product."""
    folder = tmp_path / "depots"
    folder.mkdir()
    header, row = ORDERS.splitlines()
    rows = (row.replace("1;2026", f"{n};2026", 1) + "\n" for n in range(1, count + 1))
    (folder / "orders.csv").write_text(f"{header}\n{''.join(rows)}")
    ProductFactory(sku="A", on_hand=count)
    return FeedFactory(protocol="folder", directory=str(folder))


def age_runs() -> None:
    FeedRun.objects.filter(status="running").update(heartbeat_at=clock.now() - timedelta(hours=1))


def assert_all_in(count: int = MANY) -> None:
    assert Order.objects.count() == count
    assert Product.objects.get(sku="A").positions.get().reserved == count
    assert_proven()


def test_a_database_cut_off_in_the_middle_of_a_file(
    postgres: Postgres, environment: dict[str, str], tmp_path: Path
) -> None:
    feed_of_many(tmp_path)
    with celery({**environment, "INGEST_CHUNK_ORDERS": "1000"}, "worker", "--concurrency", "1"):
        send(environment, "ftp_ingest.tasks.pull_due_feeds")
        wait_for(lambda: Order.objects.count() > MANY / 6)
        postgres.stop("immediate")
        postgres.start()
        connection.close()
        half = Order.objects.count()
        assert 0 < half < MANY

        # The same worker, still up, takes its dead run over.
        wait_for(lambda: _asked_again(environment), 120)

    assert_all_in()


def _asked_again(environment: dict[str, str]) -> bool:
    age_runs()
    send(environment, "ftp_ingest.tasks.take_over_stale_runs")
    return FeedRun.objects.filter(status=FeedRun.Status.DONE).exists()


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount a small disk")
def test_a_database_whose_disk_is_full(
    cluster: Postgres, transactional_db: None, tmp_path: Path
) -> None:
    disk = cluster.folder / "small"
    with small_disk(disk, 40) as grow:
        cluster.take("small")
        cluster.say(f"CREATE TABLESPACE small LOCATION '{disk}'")
        with connected_to(cluster, tablespace="small"):
            feed = feed_of_many(tmp_path, 40_000)

            with pytest.raises(OperationalError, match="No space left"):
                pull_feed(feed)
            assert Order.objects.count() < 40_000
            grow(1000)
            assert_proven()
            age_runs()
            take_over_stale_runs()
            pull_feed(feed)

            assert_all_in(40_000)
        cluster.drop_all()
        cluster.say("DROP TABLESPACE small")


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount a small disk")
def test_no_room_for_what_comes_in(settings: object, tmp_path: Path) -> None:
    data = tmp_path / "little"
    feed = feed_of_many(tmp_path, 20_000)
    with small_disk(data, 1) as grow:
        settings.DATA_DIR = data  # type: ignore[attr-defined]
        report = pull_feed(feed)

        assert report.status == "failed"
        assert "Disque plein" in report.error
        assert not Order.objects.exists()
        assert not list((data / "archive" / "incoming").iterdir())
        grow(100)
        assert pull_feed(feed).status == "ok"

        assert_all_in(20_000)
