"""No server holds a feed up for long, or fills the memory: listings, log-ins, answers."""

import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from ftp_ingest.models import Feed
from ftp_ingest.services import pull_feed
from ftp_ingest.transports import base
from sphinx.core import sftp as core_sftp
from sphinx.core.credentials import set_credentials
from sphinx.demo.sftp import serve_folder
from tests.factories import FeedFactory
from tests.support.servers import PASSWORD, USER, ScriptedFtp, drip

pytestmark = pytest.mark.django_db
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMycPRpjPzZAlAPRzDJnKUpXB9I18Ev2sHCaAAAAAAAA"
MLSD_LINE = b"type=file;size=1;modify=20260301100000; %s.csv\r\n"
LIST_LINE = b"-rw-r--r-- 1 u g 1 Mar 01 10:00 %s.csv\r\n"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 1)
    monkeypatch.setattr(core_sftp, "LOGIN_SECONDS", 1)
    monkeypatch.setattr("ftp_ingest.transports.ftp.LOGIN_SECONDS", 1)


def ftp_feed(port: int, **values: Any) -> Feed:
    feed = FeedFactory(protocol="ftp", host="127.0.0.1", port=port, username=USER, **values)
    set_credentials(feed, password=PASSWORD)
    return feed


def endless(line: bytes) -> Iterator[bytes]:
    block = b"".join(line % (b"%d" % n) for n in range(1000))
    while True:
        yield block


def failure(feed: Feed) -> str:
    """The error of a visit that must fail, soon and in little memory."""
    tracemalloc.start()
    began = time.monotonic()
    report = pull_feed(feed)
    took, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.status == "failed"
    assert took < 15
    assert peak < 120 * 1024 * 1024
    return report.error


# --- FTP ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "line"), [("MLSD", MLSD_LINE), ("LIST", LIST_LINE)])
def test_an_endless_listing_is_given_up(
    command: str, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 60)
    refused = {"MLSD"} - {command}
    with ScriptedFtp({command: lambda: endless(line)}, refused=refused).serve() as port:
        assert "dépasse 50000 lignes" in failure(ftp_feed(port))


def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 60)
    with ScriptedFtp({"MLSD": lambda: endless(b"%.0sx")}).serve() as port:
        failure(ftp_feed(port))


@pytest.mark.parametrize("command", ["MLSD", "LIST"])
@pytest.mark.parametrize("block", [b"x", MLSD_LINE % b"a"])
def test_a_listing_that_drips_is_given_up(command: str, block: bytes) -> None:
    refused = {"MLSD"} - {command}
    with ScriptedFtp({command: lambda: drip(block)}, refused=refused).serve() as port:
        assert "trop lent" in failure(ftp_feed(port))


def test_folders_below_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 60)
    monkeypatch.setattr(base, "MAX_ENTRIES", 250)
    lines = b"".join(MLSD_LINE % (b"%d" % n) for n in range(99))
    folders = {f"MLSD {name}": lambda: [lines] for name in "abc"}
    top = [b"type=dir; a\r\ntype=dir; b\r\ntype=dir; c\r\n"]
    with ScriptedFtp({"MLSD": lambda: top, **folders}).serve() as port:
        assert "dépasse 250 lignes" in failure(ftp_feed(port, subfolders=True))


def _never_ending_banner() -> Iterator[bytes]:
    while True:
        yield b"220-welcome\r\n" * 1000


@pytest.mark.parametrize(
    "banner", [lambda: drip(b"2"), lambda: drip(b"220-wait\r\n"), _never_ending_banner]
)
def test_a_banner_that_never_ends_is_given_up(
    banner: Callable[[], Iterable[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 60)
    with ScriptedFtp({}, banner=banner).serve() as port:
        assert "connexion impossible" in failure(ftp_feed(port))


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 60)

    class Slow(ScriptedFtp):
        def talk(self, control: Any) -> None:
            control.sendall(b"220 ready\r\n")
            for block in drip():
                control.sendall(block)

    with Slow({}).serve() as port:
        assert "à temps" in failure(ftp_feed(port))


def test_an_answer_in_no_encoding_is_shown_and_kept() -> None:
    class Rude(ScriptedFtp):
        def _answer(self, verb: str) -> bytes:
            return b"530 interdit \xe0 vous\0\r\n" if verb == "PASS" else super()._answer(verb)

    with Rude({}).serve() as port:
        report = pull_feed(ftp_feed(port))

    assert report.status == "failed"
    assert "interdit \\xe0 vous\\x00" in report.error


# --- SFTP ---------------------------------------------------------------------------------


def sftp_feed(server: Any) -> Feed:
    feed = FeedFactory(
        protocol="sftp",
        host="127.0.0.1",
        port=server.port,
        username=USER,
        host_key=server.host_key,
    )
    set_credentials(feed, password=PASSWORD)
    return feed


class _Endless(asyncssh.SFTPServer):
    async def scandir(self, path: bytes) -> Any:
        number = 0
        while True:
            number += 1
            attrs = asyncssh.SFTPAttrs(permissions=0o100644, size=1, mtime=1)
            yield asyncssh.SFTPName(b"%d.csv" % number, attrs=attrs)


class _Silent(asyncssh.SFTPServer):
    async def scandir(self, path: bytes) -> Any:
        import asyncio

        await asyncio.sleep(60)
        yield asyncssh.SFTPName(b"a.csv")


def test_an_endless_listing_over_sftp_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 60)
    monkeypatch.setattr(base, "MAX_ENTRIES", 2000)
    with serve_folder(
        tmp_path,
        username=USER,
        password=PASSWORD,
        key_file=tmp_path / "key",
        sftp_factory=_Endless,
    ) as server:
        assert "dépasse 2000 lignes" in failure(sftp_feed(server))


@pytest.mark.parametrize("factory", [_Endless, _Silent])
def test_a_listing_over_sftp_has_its_time_and_no_more(factory: Any, tmp_path: Path) -> None:
    with serve_folder(
        tmp_path,
        username=USER,
        password=PASSWORD,
        key_file=tmp_path / "key",
        sftp_factory=factory,
    ) as server:
        error = failure(sftp_feed(server))

    assert "trop lent" in error or "dépasse" in error


@pytest.mark.parametrize("start", [b"", b"SSH-2.0-slow\r\n"])
def test_an_ssh_banner_that_drips_is_given_up(start: bytes) -> None:
    def banner() -> Iterator[bytes]:
        yield start
        yield from drip()

    with ScriptedFtp({}, banner=banner).serve() as port:
        feed = FeedFactory(
            protocol="sftp",
            host="127.0.0.1",
            port=port,
            username=USER,
            host_key=HOST_KEY,
        )
        set_credentials(feed, password=PASSWORD)
        assert "à temps" in failure(feed)
