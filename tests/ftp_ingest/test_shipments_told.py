"""What we shipped, told to the shop: each note once, in its own import format."""

import csv
import ftplib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ftp_ingest import tasks
from ftp_ingest.models import Feed, FeedRun, ReceivedFile, ShipmentFile, ToldShipment
from ftp_ingest.services import probe, pull_feed, tell_shipments, telling, watch
from ftp_ingest.transports.folder import FolderTransport
from ftp_ingest.transports.ftp import FtpTransport
from sales.models import DeliveryNote, Order, Quote
from sales.services import (
    prepare_delivery,
    set_tracking,
    ship_as_shop_did,
    ship_delivery_note,
)
from sphinx.core import clock
from sphinx.core.credentials import set_credentials
from sphinx.core.errors import ServerUnreachable
from sphinx.core.models import AuditEvent, Shop
from sphinx.demo.sftp import SftpServer, serve_folder
from tests.factories import NOON, FeedFactory, ProductFactory, draft, line, placed, put, shipped
from tests.support.servers import PASSWORD, USER, ftp_server
from tests.support.threads import together

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=2)
SINCE = NOON - timedelta(days=1)
HEADER = "order_number;shipped_at;carrier;tracking_number;delivery_note;sku;quantity".split(";")


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    folder = tmp_path / "depot"
    folder.mkdir()
    return folder


FeedOf = Callable[..., Feed]


@pytest.fixture
def feed_of(dropped: Path) -> FeedOf:
    def make(**values: Any) -> Feed:
        return FeedFactory(
            **{
                "directory": str(dropped),
                "shipment_file": "expeditions.csv",
                "shipments_since": SINCE,
                **values,
            }
        )

    return make


@pytest.fixture
def sftp(dropped: Path, tmp_path: Path) -> Iterator[SftpServer]:
    with serve_folder(
        dropped, username=USER, password=PASSWORD, key_file=tmp_path / "host-key"
    ) as server:
        yield server


def tell(feed: Feed, at: Any = LATER) -> ShipmentFile | None:
    return tell_shipments(feed_id=feed.pk, at=at)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rows(folder: Path, delimiter: str = ";") -> list[list[str]]:
    """The rows of every file there, headers left away."""
    found = []
    for name in files(folder):
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            found += list(csv.reader(stream, delimiter=delimiter))[1:]
    return found


def tracked(number: str = "1001", *lines: Any, carrier: str = "Colissimo") -> DeliveryNote:
    note = shipped(number, *lines)
    return set_tracking(note_id=note.pk, carrier=carrier, tracking_number=f"6A{number}")


def of_kind(shop: Shop, dialect: str) -> None:
    """The shop's last orders file was of that dialect."""
    run = FeedRun.objects.create(shop=shop, started_at=clock.now(), heartbeat_at=clock.now())
    ReceivedFile.objects.create(
        shop=shop, run=run, size=1, received_at=run.started_at, kind="orders", dialect=dialect
    )


# --- What is told -------------------------------------------------------------------------


def test_a_shipped_note_is_told_with_its_pieces(feed_of: FeedOf, dropped: Path) -> None:
    note = tracked("1001", line("A", quantity="2"), line("B"))

    tell(feed_of())

    assert files(dropped) == ["expeditions-20260302-140000.csv"]
    text = (dropped / files(dropped)[0]).read_text("utf-8")
    assert text.splitlines()[0].split(";") == HEADER
    told = ["1001", "2026-03-02T13:00:00+01:00", "Colissimo", "6A1001", note.number]
    assert rows(dropped) == [[*told, "A", "2"], [*told, "B", "1"]]


def test_each_note_is_told_once(feed_of: FeedOf, dropped: Path) -> None:
    feed = feed_of()
    tracked("1001")
    tell(feed)
    tracked("1002")

    tell(feed, LATER + timedelta(minutes=5))
    tell(feed, LATER + timedelta(minutes=10))

    assert [row[0] for row in rows(dropped)] == ["1001", "1002"]
    assert len(files(dropped)) == 2


def test_a_tracking_number_that_comes_later_is_told_once_more(
    feed_of: FeedOf, dropped: Path
) -> None:
    feed = feed_of()
    note = shipped("1001")
    tell(feed)
    set_tracking(note_id=note.pk, carrier="DPD", tracking_number="D1")
    tell(feed, LATER + timedelta(minutes=5))
    set_tracking(note_id=note.pk, carrier="DPD", tracking_number="D2")

    tell(feed, LATER + timedelta(minutes=10))

    assert [row[3] for row in rows(dropped)] == ["", "D1"]


def test_what_isnt_shipped_by_us_isnt_told(feed_of: FeedOf, dropped: Path) -> None:
    ProductFactory(sku="A", on_hand=10)
    prepare_delivery(order_id=placed("1001", line("A")).pk, at=NOON)
    order = placed("1002", line("A", shipped=1))
    assert ship_as_shop_did(order_id=order.pk, at=NOON)

    assert tell(feed_of()) is None
    assert files(dropped) == []


def test_a_shop_that_ships_itself_is_told_nothing(feed_of: FeedOf, dropped: Path) -> None:
    tracked()
    Shop.objects.update(ships_itself=True)

    assert tell(feed_of()) is None
    assert files(dropped) == []


def test_another_shops_orders_arent_told(feed_of: FeedOf, dropped: Path) -> None:
    tracked()
    other = Shop.objects.create(code="autre", name="Autre")

    assert tell(feed_of(shop=other)) is None


def test_an_order_that_the_shop_doesnt_know_isnt_told(feed_of: FeedOf) -> None:
    note = tracked()
    Quote.objects.create(
        number="DV1",
        shop=note.order.shop,
        customer=note.order.customer,
        order=note.order,
        status=Quote.Status.ACCEPTED,
        sent_at=NOON,
        decided_at=NOON,
        quoted_on=NOON.date(),
        valid_until=NOON.date(),
    )

    assert tell(feed_of()) is None


def test_what_completes_an_order_bears_the_number_that_the_shop_knows(
    feed_of: FeedOf, dropped: Path
) -> None:
    first = shipped("1001").order
    tell(feed_of())
    note = shipped("1001+1")
    Order.objects.filter(pk=note.order_id).update(complements=first)

    tell(Feed.objects.get(), LATER + timedelta(minutes=5))

    assert [row[0] for row in rows(dropped)] == ["1001", "1001"]


def test_pieces_of_one_article_on_two_lines_are_added(feed_of: FeedOf, dropped: Path) -> None:
    tracked("1001", line("A", quantity="2"), line("A", price="8.00"))

    tell(feed_of())

    assert [row[5:] for row in rows(dropped)] == [["A", "3"]]


# --- Since when ---------------------------------------------------------------------------


def test_it_is_off_until_a_name_is_given(feed_of: FeedOf, dropped: Path) -> None:
    tracked()

    assert Feed(code="f").shipment_file == ""
    assert tell(feed_of(shipment_file="")) is None
    assert files(dropped) == []


def test_what_left_before_it_was_asked_for_isnt_told(feed_of: FeedOf, dropped: Path) -> None:
    tracked()
    feed = feed_of(shipments_since=None)

    assert tell(feed) is None

    feed.refresh_from_db()
    assert feed.shipments_since == LATER


def test_the_form_notes_since_when(feed_of: FeedOf, admin_client: Client) -> None:
    feed = feed_of(shipment_file="", shipments_since=None)
    page = f"/admin/ftp_ingest/feed/{feed.pk}/change/"
    form = admin_client.get(page).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value not in (None, "", False)}

    refused = admin_client.post(page, {**values, "shipment_file": "../expeditions.csv"})
    assert refused.status_code == 200
    admin_client.post(page, {**values, "shipment_file": "retour/expeditions.csv"})

    feed.refresh_from_db()
    assert feed.shipment_file == "retour/expeditions.csv"
    assert feed.shipments_since is not None


# --- Formats ------------------------------------------------------------------------------


def test_woocommerce_as_advanced_shipment_tracking_reads_it(
    feed_of: FeedOf, shop: Shop, dropped: Path
) -> None:
    of_kind(shop, "woocommerce")
    tracked("1001", line("A", quantity="2"), line("B"), carrier='La "Poste", Colissimo')
    ProductFactory(sku="C", on_hand=1)
    part = placed("1002", line("C", quantity="2"), line("A"))
    note = prepare_delivery(order_id=part.pk, at=NOON)
    assert note
    ship_delivery_note(note_id=note.pk, at=NOON, carrier="DPD", tracking_number="D1")

    tell(feed_of())

    data = (dropped / files(dropped)[0]).read_bytes()
    # Cut at commas and line feeds by the module: no quotes, no carriage returns.
    assert data.decode().split("\n") == [
        "order_id,tracking_provider,tracking_number,date_shipped,status_shipped,sku,qty",
        "1001,La Poste Colissimo,6A1001,02-03-2026,1,,",
        "1002,DPD,D1,02-03-2026,2,C,1",
        "1002,DPD,D1,02-03-2026,2,A,1",
        "",
    ]


def test_a_shop_whose_import_needs_a_tracking_number_waits_for_it(
    feed_of: FeedOf, shop: Shop, dropped: Path
) -> None:
    of_kind(shop, "woocommerce")
    feed = feed_of()
    note = shipped("1001")

    assert tell(feed) is None
    set_tracking(note_id=note.pk, carrier="DPD", tracking_number="D1")
    tell(feed, LATER + timedelta(minutes=5))
    tell(feed, LATER + timedelta(minutes=10))

    assert [row[:3] for row in rows(dropped, ",")] == [["1001", "DPD", "D1"]]


@pytest.mark.parametrize("dialect", ["shopify", "matrixify"])
@pytest.mark.parametrize("we_tell", [True, False])
def test_shopify_through_matrixify(
    feed_of: FeedOf, shop: Shop, dropped: Path, dialect: str, we_tell: bool
) -> None:
    of_kind(shop, dialect)
    Shop.objects.update(mails_shipments=we_tell)
    note = shipped("#1001", line("A", quantity="2"), external_id="5550001")
    set_tracking(note_id=note.pk, carrier="Colissimo", tracking_number="6A1")

    tell(feed_of(shipment_file="orders-expeditions.csv"))

    (name,) = files(dropped)
    with (dropped / name).open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row == {
        "ID": "5550001",
        "Name": "#1001",
        "Command": "UPDATE",
        "Line: Type": "Fulfillment Line",
        "Line: SKU": "A",
        "Line: Quantity": "2",
        "Fulfillment: Status": "success",
        "Fulfillment: Processed At": "2026-03-02 13:00:00 +0100",
        "Fulfillment: Tracking Company": "Colissimo",
        "Fulfillment: Tracking Number": "6A1",
        "Fulfillment: Tracking URL": "https://www.laposte.fr/outils/suivre-vos-envois?code=6A1",
        "Fulfillment: Send Receipt": "FALSE" if we_tell else "TRUE",
    }
    assert name.startswith("orders-")


@pytest.mark.parametrize(
    "dialect", ["prestashop", "magento", "squarespace", "wix", "etsy", "boutique-v1", ""]
)
def test_others_read_the_pivot_format(
    feed_of: FeedOf, shop: Shop, dropped: Path, dialect: str
) -> None:
    if dialect:
        of_kind(shop, dialect)
    tracked()

    tell(feed_of())

    assert (dropped / files(dropped)[0]).read_text().splitlines()[0].split(";") == HEADER


def test_orders_of_prestashop_are_told_by_their_key(
    feed_of: FeedOf, shop: Shop, dropped: Path
) -> None:
    """Orders of one cart share their reference."""
    of_kind(shop, "prestashop")
    shipped("XKBKNABJK", external_id="41")

    tell(feed_of())

    assert [row[0] for row in rows(dropped)] == ["41"]


# --- The transfer -------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["sftp", "ftp"])
def test_a_real_server_is_left_the_file_whole(
    protocol: str, feed_of: FeedOf, sftp: SftpServer, dropped: Path
) -> None:
    tracked()
    (dropped / "retour").mkdir()
    with ftp_server(dropped) as port:
        feed = feed_of(
            protocol=protocol,
            host="127.0.0.1",
            port=port if protocol == "ftp" else sftp.port,
            username=USER,
            host_key=sftp.host_key,
            directory=".",
            shipment_file="retour/expeditions.csv",
        )
        set_credentials(feed, password=PASSWORD)

        tell(feed)

    assert files(dropped / "retour") == ["expeditions-20260302-140000.csv"]
    assert [row[0] for row in rows(dropped / "retour")] == ["1001"]


def test_a_folder_is_left_the_file_in_a_folder_below(feed_of: FeedOf, dropped: Path) -> None:
    (dropped / "retour").mkdir()
    tracked()

    tell(feed_of(shipment_file="retour/expeditions.csv"))

    assert files(dropped / "retour") == ["expeditions-20260302-140000.csv"]


def test_a_failed_transfer_is_tried_again_later_and_loses_nothing(
    feed_of: FeedOf, dropped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = feed_of()
    tracked("1001")
    with monkeypatch.context() as patched:
        patched.setattr(FolderTransport, "put", _refuse)
        tell(feed)
    file = ShipmentFile.objects.get()
    assert (file.sent_at, file.failures, file.error) == (None, 1, "plein")
    tracked("1002")

    assert tell(feed, LATER + timedelta(minutes=1)) is None
    tell(feed, LATER + timedelta(minutes=6))
    tell(feed, LATER + timedelta(minutes=11))

    assert files(dropped) == [
        "expeditions-20260302-140000.csv",
        "expeditions-20260302-141100.csv",
    ]
    assert [row[0] for row in rows(dropped)] == ["1001", "1002"]


def _refuse(*_args: object) -> None:
    raise ServerUnreachable("plein")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_dies_leaves_the_same_file_once(
    moment: str, feed_of: FeedOf, dropped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the transfer, or after it and before it was noted."""
    feed = feed_of()
    tracked("1001")
    put_there = FolderTransport.put

    def die(self: FolderTransport, source: Path, name: str) -> None:
        if moment == "after":
            put_there(self, source, name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FolderTransport, "put", die)
        with pytest.raises(KeyboardInterrupt):
            tell(feed)
    before = {name: (dropped / name).read_bytes() for name in files(dropped)}
    tracked("1002")

    # Who died might be alive: it is left alone for the longest that a transfer takes.
    assert tell(feed, LATER + timedelta(minutes=5)) is None
    tell(feed, LATER + timedelta(minutes=25))
    tell(feed, LATER + timedelta(minutes=30))

    first = "expeditions-20260302-140000.csv"
    assert files(dropped)[0] == first
    assert before in ({}, {first: (dropped / first).read_bytes()})
    assert [row[0] for row in rows(dropped)] == ["1001", "1002"]


def test_a_file_that_is_there_is_written_over_by_servers_that_dont_rename_over(
    dropped: Path, monkeypatch: pytest.MonkeyPatch, feed_of: FeedOf, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("new")
    (dropped / "a.csv").write_text("old")
    rename = ftplib.FTP.rename

    def strict(self: ftplib.FTP, old: str, new: str) -> str:
        if (dropped / new).exists():
            raise ftplib.error_perm("550 File exists")  # noqa: S321 (what a server says)
        return rename(self, old, new)

    monkeypatch.setattr(ftplib.FTP, "rename", strict)
    with ftp_server(dropped) as port:
        feed = feed_of(protocol="ftp", host="127.0.0.1", port=port, username=USER, directory=".")
        transport = FtpTransport(feed, PASSWORD, "")
        transport.connect()
        transport.put(source, "a.csv")
        transport.close()

    assert (dropped / "a.csv").read_text() == "new"


def test_a_folder_that_was_wrong_is_put_right(feed_of: FeedOf, dropped: Path) -> None:
    feed = feed_of(shipment_file="perdu/expeditions.csv")
    tracked()
    tell(feed)
    Feed.objects.update(shipment_file="expeditions.csv")

    tell(feed, LATER + timedelta(minutes=6))

    assert files(dropped) == ["expeditions-20260302-140000.csv"]


def test_two_files_never_have_one_name(feed_of: FeedOf, dropped: Path) -> None:
    feed = feed_of()
    tracked("1001")
    tell(feed)
    tracked("1002")

    tell(feed)

    assert files(dropped) == [
        "expeditions-20260302-140000.csv",
        "expeditions-20260302-140001.csv",
    ]


def test_a_clock_that_was_wrong_doesnt_stop_the_file(feed_of: FeedOf, dropped: Path) -> None:
    feed = feed_of()
    tracked()
    file = telling._file_to_send(feed.pk, LATER)
    assert file
    ShipmentFile.objects.update(next_try_at=LATER + timedelta(days=400))

    tell(feed)

    assert files(dropped) == [file.name]


def test_what_is_too_much_for_a_file_goes_into_the_next(
    feed_of: FeedOf, dropped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MAX_NOTES", 1)
    feed = feed_of()
    tracked("1001")
    tracked("1002")

    tell(feed)
    tell(feed, LATER + timedelta(minutes=5))

    assert [row[0] for row in rows(dropped)] == ["1001", "1002"]


def test_the_database_refuses_to_tell_twice(feed_of: FeedOf) -> None:
    feed = feed_of()
    note = tracked()
    file = tell(feed)
    assert file

    with pytest.raises(IntegrityError), transaction.atomic():
        ToldShipment.objects.create(feed=feed, file=file, delivery_note=note, has_number=True)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_workers_at_once_leave_one_file(feed_of: FeedOf, dropped: Path) -> None:
    feed = feed_of()
    tracked("1001")
    tracked("1002")

    assert together([partial(tell, feed)] * 6) == []

    assert [row[0] for row in rows(dropped)] == ["1001", "1002"]
    assert ToldShipment.objects.count() == 2


def test_a_file_takes_no_more_statements_for_more_notes(feed_of: FeedOf) -> None:
    feed = feed_of()
    tracked("1001")
    with CaptureQueriesContext(
        connection,
    ) as few:
        tell(feed)
    for number in range(1002, 1012):
        tracked(str(number))

    with CaptureQueriesContext(connection) as many:
        tell(feed, LATER + timedelta(minutes=5))

    assert len(many) <= len(few)


def test_every_feed_that_asks_for_it_is_told_by_beat(feed_of: FeedOf, dropped: Path) -> None:
    feed_of()
    Shop.objects.update(is_active=True)
    tracked()

    tasks.tell_all_shipments()

    assert len(files(dropped)) == 1
    assert AuditEvent.objects.filter(kind="feed.shipments_told").count() == 1


def test_a_server_that_refuses_again_and_again_is_told_by_e_mail(
    feed_of: FeedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = feed_of(warn_after=2, warn_emails="moi@exemple.test")
    monkeypatch.setattr(FolderTransport, "put", _refuse)
    tracked()
    tell(feed)
    assert "feed.untold" not in [alarm.code for alarm in watch()]

    tell(feed, LATER + timedelta(minutes=10))

    assert "feed.untold" in [alarm.code for alarm in watch()]
    assert "plein" in mail.outbox[-1].body


def test_files_are_listed_with_what_became_of_them(
    feed_of: FeedOf, dropped: Path, admin_client: Client
) -> None:
    tracked()
    tell(feed_of())

    page = admin_client.get("/admin/ftp_ingest/shipmentfile/").content.decode()

    assert "expeditions-20260302-140000.csv" in page


# --- Never fetched back -------------------------------------------------------------------


def test_our_own_files_are_never_read(feed_of: FeedOf, dropped: Path) -> None:
    feed = feed_of(after_fetch="delete", subfolders=True)
    tracked()
    tell(feed)
    assert "0 à relever" in " ".join(step.text for step in probe(feed))

    assert pull_feed(feed).status == "nothing_new"
    Feed.objects.update(shipment_file="autrement.csv")
    assert pull_feed(Feed.objects.get()).status == "nothing_new"

    assert files(dropped) == ["expeditions-20260302-140000.csv"]
    assert not ReceivedFile.objects.exists()


def test_a_shops_file_of_nearly_that_name_is_read(feed_of: FeedOf, dropped: Path) -> None:
    (dropped / "expeditions-mars.csv").write_text("a;b\n1;2\n")

    assert [f.name for f in pull_feed(feed_of()).ingest.files] == ["expeditions-mars.csv"]


# --- Numbers come with the shipment -------------------------------------------------------


def test_a_note_shipped_with_its_number_is_never_seen_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are one transaction: else the shop would be told twice."""
    ProductFactory(sku="A", on_hand=1)
    put(draft("1001", line("A")))
    note = prepare_delivery(order_id=Order.objects.get().pk, at=NOON)
    assert note

    def fail(*_args: object, **_values: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(DeliveryNote, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        ship_delivery_note(note_id=note.pk, at=NOON, carrier="DPD", tracking_number="D1")

    assert DeliveryNote.objects.get().status == DeliveryNote.Status.DRAFT
