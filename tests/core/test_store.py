"""Files that documents rest on lie in the store: a machine's own disk may be lost."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from accounting_export.services import export_journal, make_pieces, post_missing, start_pieces
from accounting_export.services.hand_over import pieces_path
from ftp_ingest.models import ReceivedFile
from ftp_ingest.services import ingest_paths
from ftp_ingest.services.archive import archive_path, purge_archive
from invoicing.models import Invoice
from invoicing.services import issue_invoices, render_pdfs
from sphinx.core import clock
from sphinx.core.backup import FOLDERS
from sphinx.core.errors import TransientError
from sphinx.core.files import discard, here, kept_files, put, put_once
from sphinx.core.jobs import folder_of, run_job, start_job
from sphinx.core.models import Shop
from tests.factories import FeedFactory, shipped
from tests.ftp_ingest.test_feeds import ORDERS
from tests.support.machines import assert_proven
from tests.support.store import kept_in, s3_server

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def lose_disk(server: str, settings: Any, tmp_path: Path) -> Callable[[], None]:
    """Files are kept in the store; call it to go on with another machine's empty disk."""
    settings.STORAGES = {**settings.STORAGES, "kept": kept_in(server)}
    for folder in ("archive", "documents", "exports", "travaux"):
        _empty(folder)
    count = 0

    def _lose() -> None:
        nonlocal count
        count += 1
        shutil.rmtree(settings.DATA_DIR, ignore_errors=True)
        settings.DATA_DIR = tmp_path / f"machine-{count}"

    return _lose


def _empty(folder: str) -> None:
    store = storages["kept"]
    folders, names = store.listdir(folder)
    for name in names:
        store.delete(f"{folder}/{name}")
    for below in folders:
        _empty(f"{folder}/{below}")


def test_a_received_file_is_read_on_another_machine(
    lose_disk: Callable[[], None], shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    ingest_paths(shop=shop, paths=[path])
    lose_disk()

    kept = archive_path(ReceivedFile.objects.get().sha256)

    assert kept.read_text() == ORDERS


def test_invoices_exports_and_work_are_found_and_proven_there(
    lose_disk: Callable[[], None],
) -> None:
    note = shipped("1")
    (invoice,) = issue_invoices(note_ids=[note.pk], at=clock.now())
    post_missing()
    made = render_pdfs([invoice.pk])[invoice.pk].read_bytes()
    year = invoice.issued_on.year
    batch = export_journal(
        date_from=date(year, 1, 1), date_to=date(year, 12, 31), format_code="fec"
    )
    make_pieces(archive_id=start_pieces(batch_id=batch.pk, at=clock.now()).pk)
    work = start_job("invoicing.pdfs", actor=None, ids=[invoice.pk])
    run_job(work.pk)
    work.refresh_from_db()
    lose_disk()

    assert render_pdfs([invoice.pk])[invoice.pk].read_bytes() == made
    assert batch.file.exists()
    assert pieces_path(batch).exists()
    assert folder_of(work).exists()
    lose_disk()
    assert_proven()
    lose_disk()
    # What a backup takes.
    assert {name for name in FOLDERS if list(kept_files(name))} == {
        "documents", "exports", "travaux",
    }  # fmt: skip


def test_what_may_change_is_as_it_was_last_made(
    lose_disk: Callable[[], None], settings: Any, tmp_path: Path
) -> None:
    first = settings.DATA_DIR
    path = first / "exports" / "fec.txt"
    path.parent.mkdir(parents=True)
    path.write_text("old")
    put(path)
    settings.DATA_DIR = tmp_path / "other"
    other = here(settings.DATA_DIR / "exports" / "fec.txt")
    other.write_text("newer")
    put(other)
    settings.DATA_DIR = first

    assert here(path).read_text() == "old"
    assert here(path, may_change=True).read_text() == "newer"


def test_what_is_purged_is_gone_everywhere(
    lose_disk: Callable[[], None], shop: Shop, tmp_path: Path
) -> None:
    from ftp_ingest.services import pull_feed

    folder = tmp_path / "depot"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    pull_feed(FeedFactory(protocol="folder", directory=str(folder), keep_days=0))
    kept = ReceivedFile.objects.get()
    assert storages["kept"].exists(f"archive/{kept.sha256[:2]}/{kept.sha256}.csv")

    purge_archive()

    assert not archive_path(kept.sha256).exists()


def test_what_is_there_is_not_sent_twice(lose_disk: Callable[[], None], settings: Any) -> None:
    path = settings.DATA_DIR / "archive" / "x.csv"
    path.parent.mkdir(parents=True)
    path.write_text("same")
    put_once(path)
    before = storages["kept"].get_modified_time("archive/x.csv")

    put_once(path)

    assert storages["kept"].get_modified_time("archive/x.csv") == before
    discard(path)
    assert not path.exists()


def test_a_store_that_is_away_leaves_nothing_half_done(
    lose_disk: Callable[[], None], settings: Any, shop: Shop, tmp_path: Path
) -> None:
    settings.STORAGES = {**settings.STORAGES, "kept": kept_in("http://127.0.0.1:9")}
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)

    with pytest.raises(TransientError, match="stockage"):
        ingest_paths(shop=shop, paths=[path])

    assert not ReceivedFile.objects.exists()
    assert not Invoice.objects.exists()
