"""Servers that mean ill, over SFTP and FTP: bounded, said, and the good file still comes in."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from ftp_ingest.models import FeedRun, ReceivedFile
from ftp_ingest.services import pull_feed
from ftp_ingest.transports import base
from tests.ftp_ingest.test_left_aside import (
    GOOD,
    dropped,  # noqa: F401 (fixture)
    feed_at,
    mlsd,
    numbers,
    order,
    scripted,
    sftp_of,
)
from tests.support.servers import ScriptedFtp, drip

pytestmark = pytest.mark.django_db
NAMES = (
    b"..",
    b".",
    b"",
    b"../orders2.csv",
    b"/etc/passwd.csv",
    b"a/../../b.csv",
    b"a\nb.csv",
    b"a\r\nDELE x.csv",
    b"a\0b.csv",
    b"\xff\xfe\xff.csv",
    b"\xed\xa0\x80.csv",
    b"x" * 4096 + b".csv",
    "é".encode() * 2000 + b".csv",
    "\u202efdp.csv".encode(),
    b"<b>x</b>.csv",
    b"{{x}}.csv",
    b"-rf.csv",
    b"*.csv",
)


class _Ill(asyncssh.SFTPServer):
    """Lists names of its own beside what is there; each is a copy of a good order, or no end."""

    names: tuple[bytes, ...] = ()
    attrs: dict[str, int] = {"permissions": 0o100644, "size": 1, "mtime": 1}

    async def scandir(self, path: bytes) -> Any:
        async for entry in super().scandir(path):
            yield entry
        for name in self.names:
            yield asyncssh.SFTPName(name, attrs=asyncssh.SFTPAttrs(**self.attrs))


def ill(folder: Path, **values: Any) -> Callable[[Any], asyncssh.SFTPServer]:
    kind = type("Ill", (_Ill,), values)
    return lambda channel: kind(channel, chroot=os.fsencode(folder))


def assert_kept_as_text() -> None:
    """Nothing of a name became a path, and what is kept can be read again."""
    for file in ReceivedFile.objects.all():
        assert file.name.encode()
    for run in FeedRun.objects.all():
        assert run.error.isprintable() or "\n" in run.error


@pytest.mark.parametrize("name", NAMES)
def test_no_name_over_sftp_leads_anywhere(
    name: bytes,
    dropped: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    with sftp_of(dropped, tmp_path, sftp_factory=ill(dropped, names=(name,))) as server:
        report = pull_feed(feed_at(server, subfolders=True, after_fetch="delete"))

    assert report.status in ("ok", "nothing_new")
    assert numbers() == ["1"]
    assert_kept_as_text()


@pytest.mark.parametrize("name", [n for n in NAMES if n not in (b"", b".", b"..")])
@pytest.mark.parametrize("verb", ["MLSD", "LIST"])
def test_no_name_over_ftp_leads_anywhere(name: bytes, verb: str) -> None:
    unix = b"-rw-r--r-- 1 a b %d Mar  1 10:00 %s"
    lines = {
        "MLSD": (b"type=file;size=1; " + name, GOOD),
        "LIST": (unix % (1, name), unix % (len(order(1)), b"orders.csv")),
    }[verb]
    data = {verb: mlsd(*lines), "RETR orders.csv": lambda: [order(1).encode()]}
    server = ScriptedFtp(data, refused={"MLSD"} - {verb})
    with server.serve() as port:
        report = pull_feed(scripted(port, subfolders=True, after_fetch="delete"))

    assert report.status == "ok"
    assert numbers() == ["1"]
    # What stands after a line break is never a command of ours.
    assert not [said for said in server.asked if said.startswith("DELE") and "orders" not in said]
    assert_kept_as_text()


@pytest.mark.parametrize(
    "attrs",
    [
        {"permissions": 0o100644, "size": 2**63, "mtime": 2**32 - 1},
        {"permissions": 0o100644, "size": 0, "mtime": 0},
        {"permissions": 0o100644},
        {"permissions": 0o120777, "size": 1, "mtime": 1},
        {"permissions": 0o010644, "size": 1, "mtime": 1},
        {"permissions": 0o020644, "size": 1, "mtime": 1},
        {},
    ],
)
def test_no_attribute_over_sftp_breaks_the_visit(
    attrs: dict[str, int],
    dropped: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    factory = ill(dropped, names=(b"a.csv",), attrs=attrs)
    with sftp_of(dropped, tmp_path, sftp_factory=factory) as server:
        assert pull_feed(feed_at(server)).status == "ok"
    assert numbers() == ["1"]


class _NoEnd(_Ill):
    names = (b"z.csv",)
    every = 0.0

    def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
        return super().open(b"orders.csv" if path.endswith(b"z.csv") else path, pflags, attrs)

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        import asyncio

        await asyncio.sleep(self.every)
        return b"x" * (size if not self.every else 1)


def test_a_file_without_end_over_sftp_is_cut_off(
    dropped: Path,  # noqa: F811
    tmp_path: Path,
    settings: Any,
) -> None:
    settings.INGEST_MAX_FILE_BYTES = 200_000

    def factory(channel: Any) -> asyncssh.SFTPServer:
        return _NoEnd(channel, chroot=os.fsencode(dropped))

    with sftp_of(dropped, tmp_path, sftp_factory=factory) as server:
        report = pull_feed(feed_at(server))

    assert numbers() == []
    assert "plus de 200000 octets" in report.error or "octets" in report.error


def test_a_file_that_drips_over_sftp_is_given_up(
    dropped: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 2)

    def factory(channel: Any) -> asyncssh.SFTPServer:
        return type("Slow", (_NoEnd,), {"every": 0.3})(channel, chroot=os.fsencode(dropped))

    with sftp_of(dropped, tmp_path, sftp_factory=factory) as server:
        report = pull_feed(feed_at(server))

    assert report.status == "failed"
    assert "trop lent" in report.error
    assert numbers() == []


def test_a_file_that_drips_over_ftp_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_SECONDS", 2)
    data = {
        "MLSD": mlsd(GOOD),
        "RETR orders.csv": lambda: drip(b"x"),
    }
    with ScriptedFtp(data).serve() as port:
        report = pull_feed(scripted(port))

    assert report.status == "failed"
    assert "trop lent" in report.error


def test_links_on_the_server_lead_nowhere(
    dropped: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "hors.csv").write_text(order(7))
    (dropped / "lien.csv").symlink_to(tmp_path / "hors.csv")
    (dropped / "boucle").symlink_to(dropped)
    with sftp_of(dropped, tmp_path) as server:
        assert pull_feed(feed_at(server, subfolders=True)).status == "ok"
    assert numbers() == ["1"]


def test_folders_in_folders_without_end_are_left(dropped: Path, tmp_path: Path) -> None:  # noqa: F811
    class Deep(asyncssh.SFTPServer):
        async def scandir(self, path: bytes) -> Any:
            yield asyncssh.SFTPName(b"d", attrs=asyncssh.SFTPAttrs(permissions=0o40755))

    def factory(channel: Any) -> asyncssh.SFTPServer:
        return Deep(channel, chroot=os.fsencode(dropped))

    with sftp_of(dropped, tmp_path, sftp_factory=factory) as server:
        assert pull_feed(feed_at(server, subfolders=True)).status == "nothing_new"
