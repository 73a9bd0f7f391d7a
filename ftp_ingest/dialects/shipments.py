"""Shipments as they are told to a shop, and how files of shipments are laid out."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sphinx.core.money import plain


class Shipment(NamedTuple):
    """One delivery note of ours; `shipped_at` in the firm's time."""

    # What the shop calls the order: the number that people read, and its own key.
    order_number: str
    order_key: str
    delivery_note: str
    shipped_at: datetime
    carrier: str
    tracking_number: str
    tracking_url: str
    # SKU and pieces, each SKU once.
    pieces: Sequence[tuple[str, Decimal]]
    # Nothing of the order is left to ship; and this note took all of it.
    is_complete: bool
    is_whole: bool
    # The shop is to tell the customer: we don't.
    shop_tells: bool


class ShipmentFormat(NamedTuple):
    """How a shop's import of shipments is laid out; `rows` are one shipment's."""

    delimiter: str
    columns: Sequence[str]
    rows: Callable[[Shipment], Iterator[Sequence[str]]]
    # The import refuses a shipment without a tracking number: it waits for one.
    needs_tracking: bool = False


def _pivot_rows(shipment: Shipment) -> Iterator[Sequence[str]]:
    for sku, quantity in shipment.pieces:
        yield (
            shipment.order_number,
            shipment.shipped_at.isoformat(timespec="seconds"),
            shipment.carrier,
            shipment.tracking_number,
            shipment.delivery_note,
            sku,
            plain(quantity),
        )


PIVOT = ShipmentFormat(
    ";",
    "order_number shipped_at carrier tracking_number delivery_note sku quantity".split(),
    _pivot_rows,
)


def by_key(layout: ShipmentFormat) -> ShipmentFormat:
    """The format with the shop's own key of the order where others have its number."""
    return layout._replace(
        rows=lambda shipment: layout.rows(shipment._replace(order_number=shipment.order_key))
    )
