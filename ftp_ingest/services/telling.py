"""What we shipped, told to the shop in a file of its own import format.

The file and the notes in it are written down before the transfer, that it is there after it: a
worker that dies in between leaves the same file under the same name once more, and no note is
lost or told in two files.
"""

import csv
import io
import logging
import posixpath
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from ftp_ingest.dialects.base import shipment_format_of
from ftp_ingest.dialects.shipments import Shipment, ShipmentFormat
from ftp_ingest.models import Feed, ShipmentFile, ToldShipment
from ftp_ingest.selectors import feeds_that_tell, shipments_to_tell
from ftp_ingest.services.pushing import dialect_of
from ftp_ingest.transports import open_transport
from ftp_ingest.transports.base import MAX_SECONDS
from ftp_ingest.transports.ours import dated_name
from sales.models import DeliveryNote, DeliveryNoteLine, Order, OrderLine
from sales.selectors import DELIVERABLE
from sales.services import tracking_url
from sphinx.core.clock import PARIS
from sphinx.core.credentials import reveal
from sphinx.core.errors import SphinxError
from sphinx.core.services import record

logger = logging.getLogger(__name__)
# What a file holds at most; the next takes the rest.
MAX_NOTES = 2000
# Whoever sends a file has it to himself for so long: no transfer takes longer.
_LEASE = timedelta(seconds=MAX_SECONDS + 5 * 60)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=1)
_DONE = (Order.Status.DELIVERED, Order.Status.INVOICED)


@transaction.atomic
def begin_telling(*, feed_id: int, at: datetime) -> None:
    """From now on the shop is told what leaves, where nobody said since when."""
    feed = Feed.objects.select_for_update(no_key=True, of=("self",)).get(pk=feed_id)
    if feed.shipment_file and feed.shipments_since is None:
        feed.shipments_since = at
        feed.save(update_fields=["shipments_since"])


def tell_shipments(*, feed_id: int, at: datetime) -> ShipmentFile | None:
    """Leave a file of what we shipped with the shop; None when there is nothing to tell.

    A file that couldn't be left is tried again, later each time, and says why.
    """
    feed = feeds_that_tell().select_related("shop").filter(pk=feed_id).first()
    if feed is None:
        return None
    begin_telling(feed_id=feed.pk, at=at)
    file = _file_to_send(feed.pk, at)
    if file is None or not _taken(file, at):
        return None
    _send(feed, file, at)
    return file


@transaction.atomic
def _file_to_send(feed_id: int, at: datetime) -> ShipmentFile | None:
    """The file that isn't there yet, else one of what is to be told now."""
    feed = (
        Feed.objects.select_for_update(no_key=True, of=("self",))
        .select_related("shop")
        .get(pk=feed_id)
    )
    if unsent := feed.shipment_files.filter(sent_at=None).first():
        return unsent
    layout = shipment_format_of(dialect_of(feed.shop))
    notes = list(_whole(shipments_to_tell(feed, needs_tracking=layout.needs_tracking)))
    if not notes:
        return None
    file = ShipmentFile.objects.create(
        feed=feed, name=_free_name(feed, at), content=_content(layout, notes), made_at=at
    )
    ToldShipment.objects.bulk_create(
        ToldShipment(
            feed=feed, file=file, delivery_note=note, has_number=bool(note.tracking_number)
        )
        for note in notes
    )
    return file


def _whole(notes: QuerySet[DeliveryNote]) -> QuerySet[DeliveryNote]:
    """The first of the notes, with all that is told of them."""
    shipped = Q(order__delivery_notes__status=DeliveryNote.Status.SHIPPED)
    more = Order.objects.filter(complements=OuterRef("order"), status__in=DELIVERABLE)
    goods = DeliveryNoteLine.objects.filter(order_line__kind=OrderLine.Kind.GOODS)
    return (
        notes.annotate(
            shipped_notes=Count("order__delivery_notes", filter=shipped),
            is_completed_later=Exists(more),
        )
        .select_related("order__shop", "order__complements")
        .prefetch_related(
            Prefetch("lines", goods.select_related("order_line").order_by("pk"), to_attr="goods")
        )[:MAX_NOTES]
    )


def _free_name(feed: Feed, at: datetime) -> str:
    while feed.shipment_files.filter(name=dated_name(feed.shipment_file, at)).exists():
        at += timedelta(seconds=1)
    return dated_name(feed.shipment_file, at)


def _content(layout: ShipmentFormat, notes: Sequence[DeliveryNote]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=layout.delimiter, lineterminator="\n")
    writer.writerow(layout.columns)
    for note in notes:
        writer.writerows(layout.rows(_shipment(note)))
    return stream.getvalue()


def _shipment(note: Any) -> Shipment:
    """A note of `_whole` as it is told; what completes an order bears that order's number."""
    order = note.order
    known = order.complements or order
    pieces: dict[str, Decimal] = {}
    for line in note.goods:
        sku = line.order_line.sku
        pieces[sku] = pieces.get(sku, Decimal(0)) + line.quantity
    is_complete = order.status in _DONE and not note.is_completed_later
    is_alone = note.shipped_notes == 1 and known is order
    return Shipment(
        order_number=known.number,
        order_key=known.external_id,
        delivery_note=note.number,
        shipped_at=note.shipped_at.astimezone(PARIS),
        carrier=note.carrier,
        tracking_number=note.tracking_number,
        tracking_url=tracking_url(note),
        pieces=list(pieces.items()),
        is_complete=is_complete,
        is_whole=is_complete and is_alone,
        shop_tells=not order.shop.mails_shipments,
    )


def _taken(file: ShipmentFile, at: datetime) -> bool:
    """True for one of those who would send the file now."""
    # Nothing waits longer than that: if so, a clock was wrong.
    waits = Q(next_try_at__gt=at, next_try_at__lte=at + _LONGEST_WAIT)
    unsent = ShipmentFile.objects.filter(~waits | Q(next_try_at=None), pk=file.pk, sent_at=None)
    return unsent.update(next_try_at=at + _LEASE) == 1


def _send(feed: Feed, file: ShipmentFile, at: datetime) -> None:
    target = posixpath.join(posixpath.dirname(feed.shipment_file), file.name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shipments.csv"
            path.write_text(file.content, encoding="utf-8", newline="")
            _put(feed, path, target)
    except SphinxError as error:
        _fail(file, error.message, at)
        logger.warning("shipments not told", extra={"feed": feed.code, "code": error.code})
        return
    _finish(feed, file, at)
    logger.info("shipments told", extra={"feed": feed.code})


def _put(feed: Feed, path: Path, target: str) -> None:
    password, private_key = reveal(feed.password_encrypted), reveal(feed.private_key_encrypted)
    with open_transport(feed, password, private_key) as transport:
        transport.put(path, target)


def _fail(file: ShipmentFile, error: str, at: datetime) -> None:
    file.failures = min(file.failures + 1, 30)
    file.error = error
    file.next_try_at = at + min(_FIRST_WAIT * 2 ** (file.failures - 1), _LONGEST_WAIT)
    file.save(update_fields=["failures", "error", "next_try_at"])


@transaction.atomic
def _finish(feed: Feed, file: ShipmentFile, at: datetime) -> None:
    file.sent_at, file.content, file.error, file.next_try_at = at, "", "", None
    file.save(update_fields=["sent_at", "content", "error", "next_try_at"])
    record("feed.shipments_told", [feed], file=file.name, notes=file.shipments.count())
