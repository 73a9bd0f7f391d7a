"""One entry that can't be read is left aside and said; the others are read."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.core.management import call_command
from django.test import Client

from ftp_ingest.errors import FileRefused
from ftp_ingest.models import Feed, FeedRun, ReceivedFile
from ftp_ingest.services import feeds as feed_services
from ftp_ingest.services import ingest_paths, probe, pull_feed
from ftp_ingest.transports import open_transport
from sales.models import Order
from sphinx.core.credentials import set_credentials
from sphinx.core.models import Shop
from sphinx.demo.sftp import serve_folder
from tests.factories import FeedFactory, ProductFactory
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.servers import PASSWORD, USER, ScriptedFtp, ftp_server

pytestmark = pytest.mark.django_db
FeedOf = Callable[..., Feed]


def order(number: int) -> str:
    return ORDERS.replace("1;2026", f"{number};2026", 1)


def numbers() -> list[str]:
    return sorted(Order.objects.values_list("number", flat=True))


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(order(1))
    return folder


@pytest.fixture(params=["sftp", "ftp", "ftp without MLSD", "folder"])
def feed_of(request: pytest.FixtureRequest, dropped: Path, tmp_path: Path) -> Iterator[FeedOf]:
    """A feed of the folder, over each protocol."""
    with ExitStack() as stack:
        protocol = request.param.split(" ")[0]
        values: dict[str, Any] = {"protocol": protocol, "host": "127.0.0.1", "username": USER}
        if protocol == "sftp":
            server = stack.enter_context(
                serve_folder(
                    dropped, username=USER, password=PASSWORD, key_file=tmp_path / "host-key"
                )
            )
            values |= {"port": server.port, "host_key": server.host_key}
        elif protocol == "ftp":
            without = ["MLSD"] if "MLSD" in request.param else []
            values["port"] = stack.enter_context(ftp_server(dropped, without=without))
        else:
            values["directory"] = str(dropped)

        def make(**more: Any) -> Feed:
            feed = FeedFactory(**{**values, **more})
            set_credentials(feed, password=PASSWORD)
            return feed

        yield make


def sftp_of(dropped: Path, tmp_path: Path, **values: Any) -> Any:
    return serve_folder(
        dropped, username=USER, password=PASSWORD, key_file=tmp_path / "host-key", **values
    )


def feed_at(server: Any, **values: Any) -> Feed:
    feed = FeedFactory(
        protocol="sftp",
        host="127.0.0.1",
        port=server.port,
        username=USER,
        host_key=server.host_key,
        **values,
    )
    set_credentials(feed, password=PASSWORD)
    return feed


def scripted(port: int, **values: Any) -> Feed:
    feed = FeedFactory(protocol="ftp", host="127.0.0.1", port=port, username=USER, **values)
    set_credentials(feed, password=PASSWORD)
    return feed


# --- Names --------------------------------------------------------------------------------


def test_a_name_in_latin_1_is_read_and_put_away(feed_of: FeedOf, dropped: Path) -> None:
    Path(os.fsdecode(os.fsencode(dropped) + b"/pay\xe9.csv")).write_text(order(2))

    report = pull_feed(feed_of(after_fetch="archive"))

    assert (report.status, report.error) == ("ok", "")
    assert numbers() == ["1", "2"]
    assert ReceivedFile.objects.filter(name="payé.csv").exists()
    kept = os.listdir(os.fsencode(dropped) + b"/traites")
    assert any(name.startswith(b"pay\xe9-") for name in kept)


@pytest.mark.parametrize("feed_of", ["sftp", "ftp", "folder"], indirect=True)
def test_a_folder_in_latin_1_is_read_and_kept(feed_of: FeedOf, dropped: Path) -> None:
    folder = os.fsencode(dropped) + b"/d\xe9p\xf4t"
    os.mkdir(folder)
    Path(os.fsdecode(folder + b"/b.csv")).write_text(order(2))

    pull_feed(feed_of(subfolders=True, after_fetch="archive"))

    assert ReceivedFile.objects.filter(name="dépôt/b.csv").exists()
    assert len(os.listdir(os.fsencode(dropped) + b"/traites/d\xe9p\xf4t")) == 1


@pytest.mark.parametrize("protocol", ["sftp", "folder"])
def test_a_name_with_a_newline_is_said_and_the_others_are_read(
    protocol: str, dropped: Path, tmp_path: Path, admin_client: Client
) -> None:
    (dropped / "a\nb\xa0.csv").write_text(order(2))
    with sftp_of(dropped, tmp_path) as server:
        values = {"protocol": protocol}
        if protocol == "folder":
            values["directory"] = str(dropped)
        feed = FeedFactory(
            host="127.0.0.1", port=server.port, username=USER, host_key=server.host_key, **values
        )
        set_credentials(feed, password=PASSWORD)

        report = pull_feed(feed)

    run = FeedRun.objects.get()
    assert numbers() == ["1"]
    assert "« a\\nb\\xa0.csv »" in report.error
    assert (run.status, run.error) == ("done_with_problems", report.error)
    page = admin_client.get(f"/passerelle/passages/{run.pk}/").content.decode()
    assert "a\\nb\\xa0.csv" in page


class _Strange(asyncssh.SFTPServer):
    """Lists a name that no folder can hold, among real ones."""

    async def scandir(self, path: bytes) -> Any:
        async for entry in super().scandir(path):
            yield entry
        yield asyncssh.SFTPName(b"a\0b.csv", attrs=asyncssh.SFTPAttrs(permissions=0o100644, size=1))


def test_a_name_with_a_nul_is_said_over_sftp(dropped: Path, tmp_path: Path) -> None:
    def factory(channel: Any) -> asyncssh.SFTPServer:
        return _Strange(channel, chroot=str(dropped).encode())

    with sftp_of(dropped, tmp_path, sftp_factory=factory) as server:
        report = pull_feed(feed_at(server))

    assert numbers() == ["1"]
    assert "« a\\x00b.csv »" in report.error


def mlsd(*lines: bytes) -> Callable[[], list[bytes]]:
    return lambda: [line + b"\r\n" for line in lines]


GOOD = b"type=file;size=%d;modify=20260301100000; orders.csv" % len(order(1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"type=file;size=1; a\0b.csv", "« a\\x00b.csv »"),
        (b"type=file;size=beaucoup; b.csv", "taille n'est pas un nombre"),
        (b"type=file;size=1; a\\b.csv", "sans risque"),
        (b"b\xe9.csv", "« b\\xe9.csv » illisible"),
        (b"type=file;size=1; gone.csv", "le serveur ne le donne pas (550 Not here.)"),
    ],
)
def test_a_line_of_the_listing_that_cant_be_used_is_said(line: bytes, said: str) -> None:
    data = {"MLSD": mlsd(line, GOOD), "RETR orders.csv": lambda: [order(1).encode()]}
    with ScriptedFtp(data).serve() as port:
        feed = scripted(port)
        report = pull_feed(feed)
        steps = probe(feed)

    assert numbers() == ["1"]
    assert report.status == "ok"
    assert said in report.error
    if "550" not in said:
        assert any(said in step.text and not step.is_ok for step in steps)


def test_a_line_of_no_interest_is_not_said() -> None:
    data = {
        "MLSD": mlsd(b"type=file;size=?; photo\0.jpg", GOOD),
        "RETR orders.csv": lambda: [order(1).encode()],
    }
    with ScriptedFtp(data).serve() as port:
        assert pull_feed(scripted(port)).error == ""


def test_a_feed_of_which_nothing_could_be_read_isnt_green(capsys: Any) -> None:
    with ScriptedFtp({"MLSD": mlsd(b"type=file;size=x; orders.csv")}).serve() as port:
        feed = scripted(port)
        with pytest.raises(SystemExit) as ended:
            call_command("pull_feeds", feed=feed.code, force=True, json=True)

    (shown,) = json.loads(capsys.readouterr().out)["feeds"]
    run = FeedRun.objects.get()
    assert ended.value.code == 1
    assert shown["status"] == "ok"
    assert isinstance(shown["error"], str)
    assert run.status == "done_with_problems"
    assert "orders.csv" in run.error


def test_what_is_left_aside_doesnt_delay_the_next_visit() -> None:
    with ScriptedFtp({"MLSD": mlsd(b"type=file;size=x; orders.csv")}).serve() as port:
        feed = scripted(port)
        pull_feed(feed)

    assert feed.failures == 0


def test_a_thousand_bad_names_make_a_short_page(dropped: Path) -> None:
    for n in range(1000):
        (dropped / f"{n}\n.csv").write_text("")

    report = pull_feed(FeedFactory(directory=str(dropped)))

    assert len(report.error.splitlines()) == 21
    assert report.error.endswith("de plus.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_below_that_is_closed_is_said(dropped: Path) -> None:
    (dropped / "ferme").mkdir(mode=0)

    report = pull_feed(FeedFactory(directory=str(dropped), subfolders=True))

    assert numbers() == ["1"]
    assert "« ferme »" in report.error


def test_a_folder_below_that_is_refused_is_said() -> None:
    data = {
        "MLSD": mlsd(b"type=dir; ferme", GOOD),
        "RETR orders.csv": lambda: [order(1).encode()],
    }
    with ScriptedFtp(data).serve() as port:
        report = pull_feed(scripted(port, subfolders=True))

    assert numbers() == ["1"]
    assert "« ferme » : absent ou interdit" in report.error


# --- Sizes --------------------------------------------------------------------------------


def test_a_file_over_the_limit_is_said_and_the_others_are_read(
    feed_of: FeedOf, dropped: Path, settings: Any
) -> None:
    settings.INGEST_MAX_FILE_BYTES = 10_000
    (dropped / "a.csv").write_text(order(2) + "x" * 10_000)

    report = pull_feed(feed_of())

    assert numbers() == ["1"]
    assert "« a.csv » : plus de 10000 octets" in report.error


def test_a_file_over_the_limit_isnt_even_asked_for(settings: Any) -> None:
    settings.INGEST_MAX_FILE_BYTES = 10_000
    data = {
        "MLSD": mlsd(b"type=file;size=10001; a.csv", GOOD),
        "RETR a.csv": lambda: [b"x"],
        "RETR orders.csv": lambda: [order(1).encode()],
    }
    server = ScriptedFtp(data)
    with server.serve() as port:
        pull_feed(scripted(port))

    assert "RETR orders.csv" in server.asked
    assert "RETR a.csv" not in server.asked


@pytest.mark.parametrize("fact", [b"size=5;", b""])
def test_a_file_larger_than_announced_is_cut_off(fact: bytes, settings: Any) -> None:
    settings.INGEST_MAX_FILE_BYTES = 100_000

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    data = {
        "MLSD": mlsd(b"type=file;" + fact + b" a.csv", GOOD),
        "RETR a.csv": endless,
        "RETR orders.csv": lambda: [order(1).encode()],
    }
    with ScriptedFtp(data).serve() as port:
        report = pull_feed(scripted(port))

    assert numbers() == ["1"]
    assert "« a.csv » : plus de 100000 octets" in report.error


class _Liar(asyncssh.SFTPServer):
    """Announces sizes of its own; `apres.csv` only once it is open."""

    sizes = {b"long.csv": 2**60, b"court.csv": 10**6, b"petit.csv": 3, b"apres.csv": 10**7 + 1}

    async def scandir(self, path: bytes) -> Any:
        async for entry in super().scandir(path):
            if entry.filename != b"apres.csv":
                entry.attrs.size = self.sizes.get(entry.filename, entry.attrs.size)
            yield entry

    def fstat(self, file_obj: Any) -> Any:
        found = os.fstat(file_obj.fileno())
        attrs = asyncssh.SFTPAttrs.from_local(found)
        attrs.size = self.sizes.get(os.path.basename(os.fsencode(file_obj.name)), attrs.size)
        return attrs


def test_a_size_that_lies_over_sftp_costs_only_its_own_file(
    dropped: Path, tmp_path: Path, settings: Any
) -> None:
    settings.INGEST_MAX_FILE_BYTES = 10**7
    for n, name in enumerate(("long", "court", "petit", "apres"), start=2):
        (dropped / f"{name}.csv").write_text(order(n))

    def factory(channel: Any) -> asyncssh.SFTPServer:
        return _Liar(channel, chroot=str(dropped).encode())

    with sftp_of(dropped, tmp_path, sftp_factory=factory) as server:
        report = pull_feed(feed_at(server))

    assert numbers() == ["1"]
    too_large = "« %s.csv » : plus de 10000000 octets"
    assert [too_large % name in report.error for name in ("long", "apres")] == [True, True]
    assert ["court.csv" in report.error, "petit.csv" in report.error] == [True, True]


# --- What is put away ---------------------------------------------------------------------


def test_files_of_the_same_name_are_all_kept(feed_of: FeedOf, dropped: Path) -> None:
    for n, below in enumerate(("paris", "lyon/est"), start=2):
        (dropped / below).mkdir(parents=True)
        (dropped / below / "orders.csv").write_text(order(n))
    feed = feed_of(subfolders=True, after_fetch="archive")

    pull_feed(feed)
    (dropped / "orders.csv").write_text(order(4))
    report = pull_feed(feed)

    done = dropped / "traites"
    kept = [str(p.parent.relative_to(done)) for p in sorted(done.rglob("orders-*.csv"))]
    assert kept == ["lyon/est", ".", ".", "paris"]
    assert report.error == ""
    assert numbers() == ["1", "2", "3", "4"]


def test_the_same_name_in_the_same_second_gets_a_number(
    feed_of: FeedOf, dropped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)
    monkeypatch.setattr("ftp_ingest.transports.base.clock.now", lambda: now)
    feed = feed_of(after_fetch="archive")
    for n in (1, 2, 3):
        (dropped / "orders.csv").write_text(order(n))
        pull_feed(feed)

    assert sorted(p.name for p in (dropped / "traites").iterdir()) == [
        "orders-20260301T100005Z-2.csv",
        "orders-20260301T100005Z-3.csv",
        "orders-20260301T100005Z.csv",
    ]
    assert numbers() == ["1", "2", "3"]


def test_what_was_put_away_is_never_listed(feed_of: FeedOf, dropped: Path) -> None:
    for below in ("traites/2026", "paris/traites"):
        (dropped / below).mkdir(parents=True)
        (dropped / below / "b.csv").write_text(order(2))

    report = pull_feed(feed_of(subfolders=True))

    assert [f.name for f in report.ingest.files] == ["orders.csv"]


def test_a_folder_may_itself_lie_below_one_of_that_name(tmp_path: Path) -> None:
    folder = tmp_path / "traites" / "depot"
    folder.mkdir(parents=True)
    (folder / "orders.csv").write_text(order(1))

    assert pull_feed(FeedFactory(directory=str(folder))).status == "ok"


# --- What we left there -------------------------------------------------------------------


def test_our_own_stock_file_is_never_read(feed_of: FeedOf, dropped: Path) -> None:
    ProductFactory(sku="A", on_hand=5)
    feed = feed_of(stock_file="stock.csv", after_fetch="delete")
    pull_feed(feed)
    assert (dropped / "stock.csv").exists()
    (dropped / ".stock.csv.part").write_text("a;b\n1;2\n")
    (dropped / "stock.csv.part").write_text("a;b\n1;2\n")

    again = pull_feed(feed)

    assert (again.status, again.error, again.ingest.files) == ("nothing_new", "", [])
    assert (dropped / "stock.csv").exists()


def test_a_file_of_that_name_in_another_folder_is_the_shops(dropped: Path) -> None:
    (dropped / "b").mkdir()
    (dropped / "b" / "orders.csv").write_text(order(2))

    pull_feed(FeedFactory(directory=str(dropped), stock_file="orders.csv", subfolders=True))

    assert numbers() == ["2"]


# --- When it was written ------------------------------------------------------------------


def test_the_servers_time_comes_with_the_file(
    feed_of: FeedOf, dropped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 3, 1, 10, 0, 7, tzinfo=UTC)
    os.utime(dropped / "orders.csv", (at.timestamp(), at.timestamp()))
    seen = []
    read = feed_services.read_files

    def note(run: Any, incoming: Any, *rest: Any) -> None:
        seen.extend(incoming)
        read(run, incoming, *rest)

    monkeypatch.setattr(feed_services, "read_files", note)
    feed = feed_of()
    pull_feed(feed)

    with open_transport(feed, PASSWORD, "") as transport:
        (listed,) = transport.list_files()
    assert [i.modified_at for i in seen] == [at]
    assert listed.modified_at is not None
    assert listed.modified_at.date() == at.date()


def test_a_file_that_is_brought_is_refused_before_it_is_copied(
    shop: Shop, dropped: Path, settings: Any
) -> None:
    settings.INGEST_MAX_FILE_BYTES = 10

    with pytest.raises(FileRefused, match="la limite est de 10"):
        ingest_paths(shop=shop, paths=[dropped / "orders.csv"])

    assert not (settings.DATA_DIR / "archive").exists()
