"""Shipments as Advanced Shipment Tracking (zorem) imports them: WooCommerce itself imports none.

Its import cuts lines at commas and knows no quotes. It refuses a row without a tracking number,
and each row that it takes adds one to the order: an order that left whole has one row, and only
a part of an order names its articles (its paid version reads them).
"""

from collections.abc import Iterator, Sequence

from ftp_ingest.dialects.shipments import Shipment, ShipmentFormat
from sphinx.core.money import plain

_COMPLETED, _PARTIALLY_SHIPPED = "1", "2"


def _rows(shipment: Shipment) -> Iterator[Sequence[str]]:
    known = (
        shipment.order_number,
        shipment.carrier,
        shipment.tracking_number,
        f"{shipment.shipped_at:%d-%m-%Y}",
        _COMPLETED if shipment.is_complete else _PARTIALLY_SHIPPED,
    )
    pieces = [("", "")] if shipment.is_whole else [(s, plain(q)) for s, q in shipment.pieces]
    for sku, quantity in pieces:
        yield [_bare(cell) for cell in (*known, sku, quantity)]


def _bare(cell: str) -> str:
    return " ".join(cell.replace(",", " ").replace('"', " ").split())


FORMAT = ShipmentFormat(
    ",",
    "order_id tracking_provider tracking_number date_shipped status_shipped sku qty".split(),
    _rows,
    needs_tracking=True,
)
