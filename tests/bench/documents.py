"""What the warehouse and the office do with orders, in batches as the screens do it."""

from collections.abc import Iterator
from typing import Any

from invoicing.selectors import notes_to_invoice
from invoicing.services import issue_invoices
from sales.selectors import notes_to_ship, orders_ready_to_deliver
from sales.services import prepare_deliveries, ship_delivery_notes
from sphinx.core import clock

_BATCH = 200


def deliver(most: int | None = None) -> None:
    """Prepare and ship what can leave, oldest first; `most` orders of it."""
    for ids in _batches(orders_ready_to_deliver()[:most]):
        prepare_deliveries(order_ids=ids, at=clock.now())
    for ids in _batches(notes_to_ship()):
        ship_delivery_notes(note_ids=ids, at=clock.now())


def invoice() -> None:
    """Issue and book what was shipped."""
    for ids in _batches(notes_to_invoice()):
        issue_invoices(note_ids=ids, at=clock.now())


def _batches(rows: Any) -> Iterator[list[int]]:
    ids = list(rows.values_list("pk", flat=True))
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
