import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from ftp_ingest.models import Feed, FeedRun, QuarantinedRow
from ftp_ingest.services import (
    pull_due_feeds,
    pull_feed,
    take_over_stale_runs,
)
from sales.models import Order
from sphinx.core import clock
from sphinx.core.credentials import reveal, set_credentials
from sphinx.demo.sftp import SftpServer, serve_folder
from tests.factories import FeedFactory
from tests.support.servers import PASSWORD, USER, certificate, ftp_server
from tests.support.threads import together

pytestmark = pytest.mark.django_db
ORDERS = (
    "order_number;placed_at;email;sku;quantity;unit_price_incl_tax;tax_rate;total_incl_tax\n"
    "1;2026-03-01 10:00:00;lea@exemple.test;A;1;10.00;20;10.00\n"
)
CUSTOMERS = "customer_ref;email;first_name;last_name\nC1;lea@exemple.test;Léa;Martin\n"


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    """The folder where the shop has dropped its two files."""
    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "customers.csv").write_text(CUSTOMERS)
    return folder


@pytest.fixture
def sftp(dropped: Path, tmp_path: Path) -> Iterator[SftpServer]:
    with serve_folder(
        dropped, username=USER, password=PASSWORD, key_file=tmp_path / "host-key"
    ) as server:
        yield server


def sftp_feed(server: SftpServer, password: str = PASSWORD, **values: object) -> Feed:
    feed = FeedFactory(
        protocol="sftp",
        host="127.0.0.1",
        port=server.port,
        username=USER,
        **{"host_key": server.host_key, **values},
    )
    set_credentials(feed, password=password)
    return feed


# --- What a feed does ------------------------------------------------------------------------


def test_both_files_come_in_over_sftp(sftp: SftpServer) -> None:
    report = pull_feed(sftp_feed(sftp))

    assert (report.status, report.error) == ("ok", "")
    assert {f.name: f.status for f in report.ingest.files} == {
        "customers.csv": "applied",
        "orders.csv": "applied",
    }
    order = Order.objects.select_related("customer").get()
    assert order.customer.last_name == "Martin"


def test_files_left_on_the_server_are_compared_once_more_then_left_alone(
    sftp: SftpServer,
) -> None:
    feed = sftp_feed(sftp)
    pull_feed(feed)

    second, third = pull_feed(feed), pull_feed(feed)

    assert second.status == third.status == "nothing_new"
    assert [f.status for f in second.ingest.files] == ["duplicate", "duplicate"]
    assert third.ingest.files == []


def test_a_file_written_again_in_the_same_second_is_not_missed(
    sftp: SftpServer, dropped: Path
) -> None:
    feed = sftp_feed(sftp)
    path = dropped / "orders.csv"
    pull_feed(feed)
    before = path.stat()
    path.write_text(ORDERS.replace("1;2026", "7;2026"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    pull_feed(feed)

    assert Order.objects.filter(number="7").exists()


def test_a_file_that_changed_is_fetched_again(sftp: SftpServer, dropped: Path) -> None:
    feed = sftp_feed(sftp)
    pull_feed(feed)
    second = ORDERS.splitlines()[1].replace("1;2026", "2;2026", 1)
    (dropped / "orders.csv").write_text(f"{ORDERS}{second}\n")

    again = pull_feed(feed)

    assert again.ingest.counts.orders["created"] == 1
    assert again.ingest.counts.orders["unchanged"] == 1


def test_unfinished_and_foreign_files_are_left_alone(sftp: SftpServer, dropped: Path) -> None:
    for name in ("orders.csv.part", "orders.csv.filepart", ".orders.csv", "photo.jpg"):
        (dropped / name).write_text(ORDERS)

    report = pull_feed(sftp_feed(sftp))

    assert {f.name for f in report.ingest.files} == {"customers.csv", "orders.csv"}


def test_files_can_be_put_away_or_deleted_once_read(sftp: SftpServer, dropped: Path) -> None:
    pull_feed(sftp_feed(sftp, after_fetch="archive"))
    put_away = sorted(p.name for p in (dropped / "traites").iterdir())
    assert [name.partition("-")[0] for name in put_away] == ["customers", "orders"]

    (dropped / "orders.csv").write_text(ORDERS.replace("lea@", "zoe@"))
    pull_feed(sftp_feed(sftp, after_fetch="delete"))
    assert not (dropped / "orders.csv").exists()


def test_a_refused_file_is_left_where_it_is(sftp: SftpServer, dropped: Path) -> None:
    (dropped / "orders.csv").write_text("<html>Erreur 500</html>")

    report = pull_feed(sftp_feed(sftp, after_fetch="delete"))

    assert (dropped / "orders.csv").exists()
    assert not (dropped / "customers.csv").exists()
    assert report.ingest.has_refusals
    assert QuarantinedRow.objects.get().code == "file.not_csv"


def test_an_empty_folder_is_nothing_new(sftp: SftpServer, dropped: Path) -> None:
    for path in dropped.iterdir():
        path.unlink()

    assert pull_feed(sftp_feed(sftp)).status == "nothing_new"


def test_ftp_and_ftps_and_a_folder_do_the_same(dropped: Path, tmp_path: Path) -> None:
    certfile, pem = certificate(tmp_path)
    with ftp_server(dropped) as plain_port, ftp_server(dropped, certfile) as tls_port:
        feeds = [
            FeedFactory(protocol="ftp", host="127.0.0.1", port=plain_port, username=USER),
            FeedFactory(
                protocol="ftps",
                host="127.0.0.1",
                port=tls_port,
                username=USER,
                tls_certificate=pem,
            ),
            FeedFactory(protocol="folder", directory=str(dropped)),
        ]
        for number, feed in enumerate(feeds):
            (dropped / "orders.csv").write_text(ORDERS.replace("lea@", f"lea{number}@"))
            set_credentials(feed, password=PASSWORD)

            report = pull_feed(feed)

            assert (report.status, report.error) == ("ok", ""), feed.protocol


# --- What can go wrong ------------------------------------------------------------------------


def test_a_wrong_password_is_said_clearly(sftp: SftpServer) -> None:
    feed = sftp_feed(sftp, password="faux")

    report = pull_feed(feed)

    assert report.status == "failed"
    assert "mot de passe" in report.error
    assert FeedRun.objects.get().status == FeedRun.Status.FAILED
    assert "faux" not in report.error


def test_a_server_with_another_key_is_refused(sftp: SftpServer, tmp_path: Path) -> None:
    with serve_folder(
        tmp_path, username=USER, password=PASSWORD, key_file=tmp_path / "other-key"
    ) as other:
        feed = sftp_feed(sftp, host_key=other.host_key)

        report = pull_feed(feed)

    assert report.status == "failed"
    assert "clé" in report.error
    assert not Order.objects.exists()


def test_a_server_with_another_kind_of_key_is_refused(
    sftp: SftpServer, dropped: Path, tmp_path: Path
) -> None:
    asyncssh.generate_private_key("ssh-rsa").write_private_key(str(tmp_path / "rsa-key"))
    with serve_folder(
        dropped, username=USER, password=PASSWORD, key_file=tmp_path / "rsa-key"
    ) as impostor:
        report = pull_feed(sftp_feed(impostor, host_key=sftp.host_key))

    assert report.status == "failed"
    assert "clé" in report.error
    assert not Order.objects.exists()


def test_a_server_too_old_to_be_trusted_is_said_clearly(dropped: Path, tmp_path: Path) -> None:
    with serve_folder(
        dropped,
        username=USER,
        password=PASSWORD,
        key_file=tmp_path / "old-key",
        kex_algs=["diffie-hellman-group14-sha1"],
    ) as old:
        report = pull_feed(sftp_feed(old))

    assert report.status == "failed"
    assert "mettre son serveur à jour" in report.error


@pytest.mark.parametrize("host_key", ["", "ssh-ed25519", "n'importe quoi"])
def test_a_feed_without_host_key_does_not_connect(sftp: SftpServer, host_key: str) -> None:
    report = pull_feed(sftp_feed(sftp, host_key=host_key))

    assert report.status == "failed"
    assert "ssh-keyscan" in report.error


def test_an_untrusted_certificate_is_refused(dropped: Path, tmp_path: Path) -> None:
    certfile, _pem = certificate(tmp_path)
    with ftp_server(dropped, certfile) as port:
        feed = FeedFactory(protocol="ftps", host="127.0.0.1", port=port, username=USER)
        set_credentials(feed, password=PASSWORD)

        report = pull_feed(feed)

    assert report.status == "failed"
    assert "certificat" in report.error


def test_a_missing_folder_is_named(sftp: SftpServer) -> None:
    report = pull_feed(sftp_feed(sftp, directory="absent"))

    assert report.status == "failed"
    assert "absent" in report.error


def test_a_server_that_is_not_there_fails_and_waits_longer_each_time() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    feed = FeedFactory(protocol="ftp", host="127.0.0.1", port=port, interval_minutes=60)

    waits = []
    for _ in range(3):
        assert pull_feed(feed).status == "failed"
        feed.refresh_from_db()
        assert feed.next_due_at is not None
        waits.append(feed.next_due_at - clock.now())

    assert waits[0] < timedelta(minutes=65)
    assert waits[2] > timedelta(minutes=230)


def test_a_server_that_hangs_fails_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftp_ingest.transports.ftp.TIMEOUT_SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        feed = FeedFactory(protocol="ftp", host="127.0.0.1", port=silent.getsockname()[1])

        report = pull_feed(feed)

    assert report.status == "failed"


def test_one_failing_feed_does_not_stop_the_next(dropped: Path) -> None:
    FeedFactory(code="a", protocol="folder", directory="/nulle/part")
    FeedFactory(code="b", protocol="folder", directory=str(dropped))

    assert [r.status for r in pull_due_feeds()] == ["failed", "ok"]


def test_only_due_feeds_are_fetched_unless_forced(dropped: Path) -> None:
    FeedFactory(
        protocol="folder",
        directory=str(dropped),
        next_due_at=clock.now() + timedelta(minutes=5),
    )

    assert pull_due_feeds() == []
    assert [r.status for r in pull_due_feeds(force=True)] == ["ok"]


def test_a_feed_is_read_by_one_run_at_a_time(dropped: Path) -> None:
    feed = FeedFactory(protocol="folder", directory=str(dropped))
    now = clock.now()
    FeedRun.objects.create(feed=feed, shop=feed.shop, started_at=now, heartbeat_at=now)

    assert pull_feed(feed).status == "locked"


def test_a_dead_run_is_taken_over(dropped: Path) -> None:
    feed = FeedFactory(protocol="folder", directory=str(dropped))
    long_ago = clock.now() - timedelta(hours=1)
    dead = FeedRun.objects.create(
        feed=feed, shop=feed.shop, started_at=long_ago, heartbeat_at=long_ago
    )

    (report,) = take_over_stale_runs()

    dead.refresh_from_db()
    assert dead.status == FeedRun.Status.FAILED
    assert report.status == "ok"
    assert Order.objects.count() == 1


def test_a_run_taken_over_stops_at_its_next_sign_of_life(dropped: Path) -> None:
    from ftp_ingest.services.runs import beat, finish, start_run
    from sphinx.core.errors import ConflictError

    feed = FeedFactory(protocol="folder", directory=str(dropped))
    run = start_run(shop=feed.shop, feed=feed)
    finish(run, FeedRun.Status.FAILED)

    with pytest.raises(ConflictError):
        beat(run)


def test_secrets_are_kept_encrypted(settings: object) -> None:
    feed = FeedFactory()
    set_credentials(feed, password="hunter2")

    assert "hunter2" not in feed.password_encrypted
    assert reveal(feed.password_encrypted) == "hunter2"


def test_a_name_from_the_server_is_text_and_nothing_else(dropped: Path, tmp_path: Path) -> None:
    (dropped / "..\\..\\orders.csv").write_text(ORDERS.replace("lea@", "x@"))

    pull_feed(FeedFactory(protocol="folder", directory=str(dropped)))

    assert Order.objects.count() == 1
    assert not list(tmp_path.parent.glob("orders.csv"))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_apply_a_feed_once(dropped: Path) -> None:
    feed = FeedFactory(protocol="folder", directory=str(dropped))
    statuses: list[str] = []

    def pull() -> None:
        statuses.append(pull_feed(Feed.objects.get(pk=feed.pk)).status)

    assert together([pull] * 4) == []
    assert statuses.count("ok") == 1
    assert set(statuses) <= {"ok", "locked", "nothing_new"}
    assert Order.objects.count() == 1
