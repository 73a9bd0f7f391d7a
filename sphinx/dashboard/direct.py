"""What suppliers sent straight to customers: received and delivered in one step.

Purchasing and sales don't know each other; here, above both, one transaction does what each owns.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from purchasing.models import EXPECTED, PurchaseOrder, PurchaseOrderLine
from purchasing.services import pieces_too_many, receive_for_customer
from sales.models import DeliveryNote
from sales.services import ship_from_supplier
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.money import ZERO
from sphinx.core.tables import TableRow, read_table
from sphinx.core.texts import fold, sku_key
from sphinx.core.typed import typed_number

_GIVEN = [status for status in EXPECTED if status != PurchaseOrder.Status.ACCEPTED]
# What the columns of suppliers' files are called; the first that fits.
_COLUMNS = {
    "order": re.compile(r"commande|order|^(n|no|num) ?(de )?cf$|^cf$"),
    "tracking": re.compile(r"suivi|tracking|colis|parcel|awb"),
    "carrier": re.compile(r"transporteur|carrier"),
    "quantity": re.compile(r"quantit|^qte|^qty|shipped|expedie"),
    "delivery": re.compile(r"^bl$|bon de livraison|delivery note"),
    "article": re.compile(r"reference|^ref|sku|article|barcode|code barre|ean"),
}


@transaction.atomic
def confirm_departure(
    *,
    order_id: int,
    quantities: Mapping[int, Decimal] | None,
    at: datetime,
    reference: str,
    carrier: str = "",
    tracking_number: str = "",
    actor: Any = None,
) -> DeliveryNote | None:
    """Note that a supplier sent a customer's goods: order line id → pieces, or all that is left.

    The goods pass through the books at the purchase price; the delivery note is shipped, the
    customer's invoice follows. The same `reference` (the supplier's note, else the parcel's
    number) again is the same parcel, and None.

    Raises:
        WrongState: it isn't under way, isn't sent to a customer, or more was sent than ordered.
        NobodyWaits: the customer wants fewer pieces.
        NotDeliverable: the customer's order is cancelled or in doubt.
    """
    order = PurchaseOrder.objects.get(pk=order_id)
    receipt = receive_for_customer(
        order_id=order_id,
        quantities=quantities,
        at=at,
        supplier_reference=reference,
        actor=actor,
    )
    if receipt is None:
        return None
    return ship_from_supplier(
        delivery_id=order.direct_delivery_id or 0,
        at=at,
        carrier=carrier,
        tracking_number=tracking_number,
        actor=actor,
    )


class Departed(NamedTuple):
    """What a supplier's file did: the notes that it shipped, the rows that say nothing usable."""

    notes: list[DeliveryNote]
    faults: list[str]


class _Row(NamedTuple):
    line: int
    order: str
    article: str
    quantity: str
    carrier: str
    tracking: str
    delivery: str

    @property
    def parcel(self) -> tuple[str, str]:
        return self.order, self.delivery or self.tracking


def import_departures(*, name: str, data: bytes, at: datetime, actor: Any = None) -> Departed:
    """Read what a supplier says it sent (CSV or Excel): order, article, pieces, carrier, number.

    A parcel is a transaction. Without articles, or pieces, all that is left of the order went.
    The same file again changes nothing.

    Raises:
        InputError: the file is no table, or no column names the order.
    """
    parcels: dict[tuple[str, str], list[_Row]] = {}
    for row in _rows(name, data):
        parcels.setdefault(row.parcel, []).append(row)
    # Where the file names no parcel, it is itself the reference.
    unnamed = hashlib.sha256(data).hexdigest()[:16]
    notes, faults = [], []
    orders = {o.number: o for o in PurchaseOrder.objects.filter(number__in={k[0] for k in parcels})}
    for (number, reference), rows in parcels.items():
        try:
            order = _order(orders.get(number), rows[0])
            note = confirm_departure(
                order_id=order.pk,
                quantities=_quantities(order, rows),
                at=at,
                reference=reference or unnamed,
                carrier=rows[0].carrier,
                tracking_number=rows[0].tracking,
                actor=actor,
            )
        except SphinxError as error:
            faults.append(error.message)
        else:
            notes += [note] if note else []
    return Departed(notes, faults)


def _rows(name: str, data: bytes) -> list[_Row]:
    rows = list(read_table(name, data))
    header, places = _header(name, rows)
    found = []
    for row in rows[header + 1 :]:
        cells = {
            column: row.cells[place] if place < len(row.cells) else ""
            for column, place in places.items()
        }
        if cells["order"]:
            found.append(_Row(row.line, *(cells.get(f, "") for f in _Row._fields[1:])))
    return found


def _header(name: str, rows: Sequence[TableRow]) -> tuple[int, dict[str, int]]:
    """The header's rank, and the place of each column that it names."""
    for rank, row in enumerate(rows[:20]):
        names = [fold(cell) for cell in row.cells]
        places: dict[str, int] = {}
        for column, pattern in _COLUMNS.items():
            for place, text in enumerate(names):
                if place not in places.values() and pattern.search(text):
                    places[column] = place
                    break
        if "order" in places and len(places) > 1:
            return rank, places
    raise InputError(
        _("%s : il faut une colonne avec le n° de commande (CF…), et une autre au moins.") % name,
        code="departures.columns",
    )


def _order(order: PurchaseOrder | None, row: _Row) -> PurchaseOrder:
    if order is None or order.direct_delivery_id is None:
        raise InputError(
            _("Ligne %(line)s : « %(number)s » n'est pas une commande livrée par le fournisseur.")
            % {"line": row.line, "number": row.order[:40]},
            code="departures.unknown_order",
            line=row.line,
        )
    return order


def _quantities(order: PurchaseOrder, rows: Sequence[_Row]) -> dict[int, Decimal] | None:
    """Order line id → pieces; None when the rows name no article."""
    if not any(row.article for row in rows):
        return None
    lines = _by_name(order)
    found: dict[int, Decimal] = {}
    for row in rows:
        line = lines.get(sku_key(row.article))
        if line is None:
            raise InputError(
                _("Ligne %(line)s : « %(article)s » n'est pas sur %(number)s.")
                % {"line": row.line, "article": row.article[:40], "number": order.number},
                code="departures.unknown_article",
                line=row.line,
            )
        pieces = (
            typed_number(row.quantity) if row.quantity else line.quantity - line.quantity_received
        )
        found[line.pk] = found.get(line.pk, ZERO) + pieces
    return found


def _by_name(order: PurchaseOrder) -> dict[str, PurchaseOrderLine]:
    """The order's lines by everything that a supplier may call their article."""
    return {
        sku_key(text): line
        for line in order.lines.select_related("product")
        for text in (line.product.barcode, line.product.sku, line.supplier_sku)
        if text
    }


class Awaited(NamedTuple):
    """An order that a supplier has to send, and what its customer no longer wants of it."""

    order: PurchaseOrder
    pieces_too_many: Decimal

    @property
    def is_in_doubt(self) -> bool:
        """Whether the supplier knows something that no longer holds."""
        return bool(self.pieces_too_many or self.order.address_changed)


def awaited_departures() -> list[Awaited]:
    """Orders that suppliers have and still have to send to customers, the oldest first."""
    orders = list(
        PurchaseOrder.objects.filter(direct_delivery__isnull=False, status__in=_GIVEN)
        .select_related("supplier", "direct_delivery")
        .order_by("pk")
    )
    too_many = pieces_too_many(orders)
    return [Awaited(o, sum(too_many.get(o.pk, {}).values(), ZERO)) for o in orders]
