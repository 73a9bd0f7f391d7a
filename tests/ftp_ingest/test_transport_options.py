"""How a feed is set: kinds of FTP, when a file is whole, folders, keys, stock sent back."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from ftp_ingest.models import Feed, FeedRun, ReceivedFile
from ftp_ingest.services import (
    accept_host_key,
    probe,
    pull_feed,
    purge_archive,
    watch,
)
from ftp_ingest.services.archive import archive_path
from ftp_ingest.services.pushing import write_stock
from ftp_ingest.transports import base
from ftp_ingest.transports.base import is_safe
from sales.models import Order
from sphinx.core import clock
from sphinx.core.credentials import set_credentials
from sphinx.core.errors import BusinessRuleError, ServerUnreachable
from sphinx.core.models import AuditEvent, Shop
from sphinx.demo.sftp import SftpServer, serve_folder
from tests.factories import FeedFactory, ProductFactory, draft, line, put
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.servers import PASSWORD, USER, certificate, ftp_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    return folder


@pytest.fixture
def sftp(dropped: Path, tmp_path: Path) -> Iterator[SftpServer]:
    with serve_folder(
        dropped, username=USER, password=PASSWORD, key_file=tmp_path / "host-key"
    ) as server:
        yield server


def feed_of(**values: Any) -> Feed:
    feed = FeedFactory(**values)
    set_credentials(feed, password=PASSWORD)
    return feed


def local(folder: Path, **values: Any) -> Feed:
    return FeedFactory(directory=str(folder), **values)


# --- Kinds of FTP -------------------------------------------------------------------------


def test_ftps_from_the_first_byte(dropped: Path, tmp_path: Path) -> None:
    certfile, pem = certificate(tmp_path)
    with ftp_server(dropped, certfile, implicit=True) as port:
        feed = feed_of(
            protocol="ftpsi", host="127.0.0.1", port=port, username=USER, tls_certificate=pem
        )
        report = pull_feed(feed)

    assert (report.status, report.error) == ("ok", "")
    assert Order.objects.count() == 1


def test_an_implicit_server_with_a_foreign_certificate_is_refused(
    dropped: Path, tmp_path: Path
) -> None:
    certfile, _pem = certificate(tmp_path)
    with ftp_server(dropped, certfile, implicit=True) as port:
        report = pull_feed(feed_of(protocol="ftpsi", host="127.0.0.1", port=port, username=USER))

    assert report.status == "failed"
    assert "certificat" in report.error


def test_active_mode(dropped: Path) -> None:
    with ftp_server(dropped) as port:
        feed = feed_of(protocol="ftp", host="127.0.0.1", port=port, username=USER, is_passive=False)
        assert pull_feed(feed).status == "ok"


def test_sub_folders_are_read_when_asked(dropped: Path) -> None:
    (dropped / "2026" / "mars").mkdir(parents=True)
    second = ORDERS.replace("1;2026", "2;2026", 1)
    (dropped / "2026" / "mars" / "orders.csv").write_text(second)
    with ftp_server(dropped) as port:
        feed = feed_of(protocol="ftp", host="127.0.0.1", port=port, username=USER, subfolders=True)
        report = pull_feed(feed)

    assert sorted(f.name for f in report.ingest.files) == ["2026/mars/orders.csv", "orders.csv"]
    assert Order.objects.count() == 2


def test_sub_folders_over_sftp_are_put_away_too(sftp: SftpServer, dropped: Path) -> None:
    (dropped / "boutique").mkdir()
    (dropped / "boutique" / "b.csv").write_text(ORDERS.replace("1;2026", "3;2026", 1))
    feed = feed_of(
        protocol="sftp",
        host="127.0.0.1",
        port=sftp.port,
        username=USER,
        host_key=sftp.host_key,
        subfolders=True,
        after_fetch="archive",
    )

    pull_feed(feed)

    assert Order.objects.count() == 2
    done = dropped / "traites"
    assert [p.parent for p in sorted(done.rglob("*.csv"))] == [done / "boutique", done]


@pytest.mark.parametrize(
    "name",
    ["../orders.csv", "/etc/passwd", "a/../../b.csv", "a\\b.csv", "x\n.csv", "a//b.csv", "", "./a"],
)
def test_names_that_are_paths_out_are_not_followed(name: str) -> None:
    assert not is_safe(name)


# --- When a file is whole -----------------------------------------------------------------


def test_a_file_waits_for_its_marker(dropped: Path) -> None:
    feed = local(dropped, readiness="marker", ready_mark=".ok")
    assert pull_feed(feed).status == "nothing_new"

    (dropped / "orders.csv.ok").write_text("")

    assert pull_feed(feed).status == "ok"
    assert Order.objects.count() == 1


def test_a_marker_may_stand_in_for_the_extension(dropped: Path) -> None:
    feed = local(dropped, readiness="marker", ready_mark=".done")
    (dropped / "orders.done").write_text("")

    assert pull_feed(feed).status == "ok"


def test_a_temporary_suffix_of_the_shops_own_is_waited_out(dropped: Path) -> None:
    (dropped / "orders.csv").rename(dropped / "orders.csv.up")
    feed = local(dropped, readiness="suffix", ready_mark=".up", pattern="*")
    assert pull_feed(feed).status == "nothing_new"

    (dropped / "orders.csv.up").rename(dropped / "orders.csv")

    assert pull_feed(feed).status == "ok"


def test_a_server_that_drips_bytes_is_given_up(
    sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", -1)
    feed = feed_of(
        protocol="sftp", host="127.0.0.1", port=sftp.port, username=USER, host_key=sftp.host_key
    )

    report = pull_feed(feed)

    assert report.status == "failed"
    assert "trop lent" in report.error
    assert not Order.objects.exists()


# --- Testing the connection ---------------------------------------------------------------


def test_the_first_host_key_waits_for_a_person(sftp: SftpServer) -> None:
    feed = feed_of(protocol="sftp", host="127.0.0.1", port=sftp.port, username=USER, host_key="")

    steps = probe(feed)

    assert "SHA256:" in steps[-1].text
    assert not steps[-1].is_ok
    accept_host_key(feed_id=feed.pk, key=steps[-1].key)
    feed.refresh_from_db()
    assert [step.is_ok for step in probe(feed)] == [True] * 4
    assert pull_feed(feed).status == "ok"
    assert AuditEvent.objects.filter(kind="feed.host_key_accepted").exists()


def test_another_key_than_the_one_presented_is_not_taken(sftp: SftpServer) -> None:
    feed = feed_of(protocol="sftp", host="127.0.0.1", port=sftp.port, username=USER, host_key="")

    with pytest.raises(BusinessRuleError, match="ne présente plus"):
        accept_host_key(feed_id=feed.pk, key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG")


def test_a_pinned_key_is_not_replaced_by_a_click(sftp: SftpServer) -> None:
    feed = feed_of(
        protocol="sftp", host="127.0.0.1", port=sftp.port, username=USER, host_key=sftp.host_key
    )

    with pytest.raises(BusinessRuleError, match="déjà retenue"):
        accept_host_key(feed_id=feed.pk, key=sftp.host_key)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"host": "nom-introuvable.invalid"}, "introuvable"),
        ({"host": "127.0.0.1", "port": 1}, "connexion impossible"),
        ({"protocol": "folder", "directory": "nulle/part"}, "n'existe pas"),
    ],
)
def test_the_probe_says_where_it_stops(values: dict[str, Any], said: str) -> None:
    feed = feed_of(**{"protocol": "sftp", "username": USER, **values})

    last = probe(feed)[-1]

    assert not last.is_ok
    assert said in last.text


def test_the_probe_warns_of_plain_ftp_and_never_shows_the_password(
    dropped: Path, admin_client: Client
) -> None:
    with ftp_server(dropped) as port:
        feed = feed_of(protocol="ftp", host="127.0.0.1", port=port, username=USER)
        page = admin_client.post(f"/passerelle/flux/{feed.pk}/essai/").content.decode()

    assert "pas chiffré" in page
    assert "1 à relever" in page
    assert PASSWORD not in page


# --- Who is told --------------------------------------------------------------------------


def test_repeated_failures_are_told_once(tmp_path: Path) -> None:
    feed = local(tmp_path / "absent", warn_after=2, warn_emails="chef@exemple.test, o@exemple.test")

    for _attempt in range(3):
        pull_feed(feed)

    assert [m.to for m in mail.outbox] == [["chef@exemple.test", "o@exemple.test"]]
    assert "n'existe pas" in mail.outbox[0].body


def test_a_feed_without_files_for_too_long_is_an_alarm(dropped: Path) -> None:
    feed = local(dropped, silent_after_hours=24, warn_emails="chef@exemple.test")
    pull_feed(feed)
    assert [a.code for a in watch()] == []

    ReceivedFile.objects.update(received_at=clock.now() - timedelta(hours=25))

    assert [a.code for a in watch()] == ["feed.silent"]
    assert [a.code for a in watch()] == ["feed.silent"]
    assert len(mail.outbox) == 1


def test_numbers_missing_in_the_shops_sequence_are_told(shop: Shop) -> None:
    now = clock.now()
    put(*(draft(f"W{n:04d}", placed_at=now) for n in (1, 2, 5, 900)), at=now)

    (alarm,) = watch()

    assert alarm.code == "orders.missing_numbers"
    assert "W0003, W0004." in alarm.text


def test_a_jump_in_refusals_is_told(dropped: Path) -> None:
    feed = local(dropped)
    for n, quarantined in enumerate((0, 0, 1, 50)):
        FeedRun.objects.create(
            feed=feed,
            shop=feed.shop,
            status="done",
            started_at=clock.now(),
            heartbeat_at=clock.now(),
            finished_at=clock.now(),
            counts={"orders": {"created": 100 + n, "quarantined": quarantined}},
        )

    assert [a.code for a in watch()] == ["feed.refusals"]


# --- The archive's time -------------------------------------------------------------------


def test_files_are_dropped_after_their_time_and_not_forgotten(dropped: Path) -> None:
    feed = local(dropped, keep_days=30)
    pull_feed(feed)
    file = ReceivedFile.objects.get()
    assert purge_archive() == 0

    ReceivedFile.objects.update(received_at=clock.now() - timedelta(days=31))

    assert (purge_archive(), purge_archive()) == (1, 0)
    assert not archive_path(file.sha256).exists()
    assert pull_feed(feed).status == "nothing_new"


# --- Stock sent back ----------------------------------------------------------------------


def test_the_stock_that_may_be_sold_is_left_with_the_shop(sftp: SftpServer, dropped: Path) -> None:
    ProductFactory(sku="A", on_hand=5)
    ProductFactory(sku="B", on_hand=1)
    feed = feed_of(
        protocol="sftp",
        host="127.0.0.1",
        port=sftp.port,
        username=USER,
        host_key=sftp.host_key,
        stock_file="stock.csv",
        pattern="orders*.csv",
    )

    pull_feed(feed)

    rows = list(csv.reader((dropped / "stock.csv").open(), delimiter=";"))
    assert rows == [["sku", "available"], ["A", "4"], ["B", "1"]]


def test_the_same_stock_isnt_sent_twice(dropped: Path) -> None:
    ProductFactory(sku="A", on_hand=5)
    feed = local(dropped, stock_file="stock.csv", pattern="orders*.csv")
    pull_feed(feed)
    os.unlink(dropped / "stock.csv")

    pull_feed(feed)

    assert not (dropped / "stock.csv").exists()


@pytest.mark.parametrize(
    ("dialect", "header"),
    [
        ("woocommerce", "SKU,Stock,In stock?"),
        ("magento", "sku,qty,is_in_stock"),
        ("prestashop", "Reference;Quantity"),
        ("shopify", "SKU,Available"),
        ("matrixify", "Variant SKU,Variant Inventory Qty"),
        ("squarespace", "SKU,Stock"),
        ("wix", "sku,inventory"),
        ("etsy", "sku;available"),
        ("boutique-v1", "sku;available"),
        ("", "sku;available"),
    ],
)
def test_stock_in_the_shops_own_format(
    shop: Shop, tmp_path: Path, dialect: str, header: str
) -> None:
    run = FeedRun.objects.create(shop=shop, started_at=clock.now(), heartbeat_at=clock.now())
    if dialect:
        ReceivedFile.objects.create(
            shop=shop,
            run=run,
            name="o.csv",
            sha256="a" * 64,
            size=1,
            received_at=clock.now(),
            kind="orders",
            dialect=dialect,
        )
    ProductFactory(sku="A", on_hand=2)

    assert write_stock(shop, tmp_path / "s.csv") == 1

    assert (tmp_path / "s.csv").read_text().splitlines()[0] == header


def test_nothing_that_is_set_aside_may_be_sold(shop: Shop, tmp_path: Path) -> None:
    ProductFactory(sku="A", on_hand=2)
    put(draft("1", line("A", quantity="3")))

    write_stock(shop, tmp_path / "s.csv")

    assert (tmp_path / "s.csv").read_text().splitlines()[1] == "A;0"


def test_a_shop_that_refuses_the_stock_file_fails_the_run_after_the_orders_are_safe(
    dropped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise ServerUnreachable("plein")

    monkeypatch.setattr("ftp_ingest.transports.folder.FolderTransport.put", refuse)

    report = pull_feed(local(dropped, stock_file="stock.csv"))

    assert (report.status, report.error) == ("failed", "plein")
    assert Order.objects.count() == 1


@pytest.mark.parametrize("protocol", ["folder", "sftp", "ftp"])
def test_a_full_disk_keeps_nothing_and_is_tried_again(
    protocol: str, sftp: SftpServer, dropped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def full() -> Iterator[Path]:
        yield Path("/dev/full")

    with ftp_server(dropped) as port:
        feed = feed_of(
            protocol=protocol,
            host="127.0.0.1",
            port=port if protocol == "ftp" else sftp.port,
            username=USER,
            host_key=sftp.host_key,
            directory=str(dropped) if protocol == "folder" else ".",
        )
        with monkeypatch.context() as patched:
            patched.setattr("ftp_ingest.services.feeds.incoming_file", full)
            report = pull_feed(feed)
        assert report.status == "failed"
        assert "Disque plein" in report.error
        assert not Order.objects.exists()

        assert pull_feed(feed).status == "ok"
