"""What FTP servers write when they list a folder; the lines are theirs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ftp_ingest.services import pull_feed
from ftp_ingest.transports import base
from ftp_ingest.transports.ftp_listings import (
    NotUnderstood,
    from_facts,
    from_list,
    read_lines,
)
from sales.models import Order
from sphinx.core.credentials import set_credentials
from tests.factories import FeedFactory
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.servers import PASSWORD, USER, ScriptedFtp, ftp_server

NOW = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


def at(*values: int) -> datetime:
    return datetime(*values, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("line", "name", "size", "moment"),
    [
        # vsftpd 3.0.3, ProFTPD 1.3.8, Pure-FTPd 1.0.50
        ("-rw-r--r--    1 1001     1001          144 Nov 30 06:58 orders.csv",
         "orders.csv", 144, at(2026, 11, 30, 6, 58)),
        ("-rw-r--r--   1 boutique boutique      144 Mar  1  2025 mes commandes.csv",
         "mes commandes.csv", 144, at(2025, 3, 1)),
        ("-rw-r--r--    1 1001       boutique          144 Dec 24 23:59  x.csv",
         " x.csv", 144, at(2025, 12, 24, 23, 59)),
        # An access list's mark, no group, a long date, a size that looks like a day
        ("-rw-r--r--+ 1 www 23 Feb 28 01:02 a.csv", "a.csv", 23, at(2026, 2, 28, 1, 2)),
        ("-rw-rw-rw- 1 u g 7 2026-03-01 10:00 b.csv", "b.csv", 7, at(2026, 3, 1, 10)),
        # Day before month, and a month in French: read, its date unknown
        ("-rw-r--r-- 1 u g 7 1 Mar 10:00 c.csv", "c.csv", 7, at(2026, 3, 1, 10)),
        ("-rw-r--r-- 1 u g 7 févr. 28 10:00 d.csv", "d.csv", 7, None),
        # IIS
        ("03-01-26  10:00AM                  144 orders.csv", "orders.csv", 144,
         at(2026, 3, 1, 10)),
        ("03-01-2026  22:05               1,144 mes commandes.csv", "mes commandes.csv", 1144,
         at(2026, 3, 1, 22, 5)),
    ],
)  # fmt: skip
def test_a_line_of_list(line: str, name: str, size: int, moment: datetime | None) -> None:
    entry = from_list(line, NOW)

    assert entry is not None
    assert (entry.name, entry.size, entry.modified_at) == (name, size, moment)
    assert not entry.is_folder


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("drwxr-xr-x    2 1001     1001         4096 Nov 30 06:56 mars avril", "mars avril"),
        ("12-24-25  11:59PM       <DIR>          mars avril", "mars avril"),
    ],
)
def test_a_folder_in_list(line: str, name: str) -> None:
    entry = from_list(line, NOW)

    assert entry is not None
    assert (entry.name, entry.is_folder) == (name, True)


@pytest.mark.parametrize(
    "line", ["total 12", "", "lrwxrwxrwx 1 u g 10 Nov 30 06:56 last.csv -> orders.csv"]
)
def test_a_line_of_list_that_is_no_file(line: str) -> None:
    assert from_list(line, NOW) is None


@pytest.mark.parametrize(
    "line", ["-rw-r--r-- 1 u g ??? Nov 30 06:58 orders.csv", "+i8388621.48594,m82,/,\tpub", "x.csv"]
)
def test_a_line_of_list_that_tells_nothing_certain(line: str) -> None:
    with pytest.raises(NotUnderstood):
        from_list(line, NOW)


def test_facts() -> None:
    line = "type=file;size=144;modify=20260301100000.123;perm=adfrw; mes commandes.csv"
    assert from_facts(line, NOW) == base.Entry(
        "mes commandes.csv", False, 144, "20260301100000.123", at(2026, 3, 1, 10)
    )
    assert from_facts("Type=cdir;modify=20260301100000; /", NOW) is None


@pytest.mark.parametrize("size", ["abc", "-1", "", "1e3", "9" * 5000])
def test_a_size_that_is_no_number_names_its_file(size: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        from_facts(f"type=file;size={size}; orders.csv", NOW)

    assert raised.value.name == "orders.csv"


def test_a_line_without_end_costs_nothing() -> None:
    _entries, faults = read_lines(["-rw-r--r-- " + " " * 1_000_000] * 50, from_list, NOW)

    assert len(faults) == 50


# --- Servers without MLSD -----------------------------------------------------------------


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    folder = tmp_path / "depot"
    (folder / "2026" / "mars avril").mkdir(parents=True)
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "2026" / "mars avril" / "orders.csv").write_text(ORDERS.replace("1;20", "2;20", 1))
    return folder


def ftp_feed(port: int, **values: object):  # type: ignore[no-untyped-def]
    feed = FeedFactory(protocol="ftp", host="127.0.0.1", port=port, username=USER, **values)
    set_credentials(feed, password=PASSWORD)
    return feed


@pytest.mark.django_db
@pytest.mark.parametrize("without", [["MLSD"], ["MLSD", "MDTM", "SIZE", "MLST", "OPTS"]])
def test_a_server_without_mlsd_is_read_with_its_sub_folders(
    dropped: Path, without: list[str]
) -> None:
    with ftp_server(dropped, without=without) as port:
        report = pull_feed(ftp_feed(port, subfolders=True, after_fetch="archive"))

    assert (report.status, report.error) == ("ok", "")
    assert Order.objects.count() == 2
    assert len(list((dropped / "traites" / "2026" / "mars avril").iterdir())) == 1


@pytest.mark.django_db
def test_windows_lines_are_read() -> None:
    lines = b"03-01-26  10:00AM       <DIR>          old\r\n03-01-26  10:00AM     %d orders.csv\r\n"
    data = {
        "LIST": lambda: [lines % len(ORDERS)],
        "RETR orders.csv": lambda: [ORDERS.encode()],
    }
    with ScriptedFtp(data, refused=["MLSD"]).serve() as port:
        report = pull_feed(ftp_feed(port))

    assert (report.status, report.error) == ("ok", "")
    assert Order.objects.count() == 1


@pytest.mark.django_db
def test_a_listing_that_nobody_understands_is_never_an_empty_folder() -> None:
    data = {"LIST": lambda: [b"+i8388621.48594,m825718503,r,s280,\torders.csv\r\n"]}
    with ScriptedFtp(data, refused=["MLSD"]).serve() as port:
        report = pull_feed(ftp_feed(port))

    assert report.status == "failed"
    assert "ne se comprend pas" in report.error


@pytest.mark.django_db
def test_a_server_that_lists_nothing_at_all_fails() -> None:
    with ScriptedFtp({}, refused=["MLSD", "LIST", "NLST"]).serve() as port:
        report = pull_feed(ftp_feed(port))

    assert report.status == "failed"


@pytest.mark.django_db
def test_no_files_found_is_an_empty_folder() -> None:
    class Empty(ScriptedFtp):
        def _answer(self, verb: str) -> bytes:
            return b"550 No files found\r\n" if verb == "LIST" else super()._answer(verb)

    with Empty({}, refused=["MLSD"]).serve() as port:
        report = pull_feed(ftp_feed(port))

    assert report.status == "nothing_new"
