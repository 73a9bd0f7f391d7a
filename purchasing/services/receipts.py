"""Goods that come in against a purchase order."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import lock_places
from inventory.models import StockMove
from inventory.services import Entry, receive_stock
from purchasing.errors import WrongState
from purchasing.locks import lock_purchase_orders
from purchasing.models import PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine
from sphinx.core.clock import business_date
from sphinx.core.services import allocate_number, record

Status = PurchaseOrder.Status
EXPECTED = (Status.ACCEPTED, Status.SENT, Status.CONFIRMED, Status.PARTIALLY_RECEIVED)


@transaction.atomic
def receive_goods(
    *,
    order_id: int,
    quantities: Mapping[int, Decimal] | None,
    at: datetime,
    supplier_reference: str = "",
    actor: Any = None,
) -> Receipt | None:
    """Take in goods: order line id → pieces, or everything still expected (None).

    Stock rises, what was expected falls, customers who wait are served oldest first. None
    when nothing was left to receive.

    Raises:
        WrongState: the order isn't under way, or more comes in than was ordered.
    """
    found = PurchaseOrder.objects.select_related("warehouse").get(pk=order_id)
    products = PurchaseOrderLine.objects.filter(purchase_order=order_id).values_list(
        "product_id", flat=True
    )
    lock_places((pk, found.warehouse_id) for pk in products)
    order = lock_purchase_orders([order_id]).get()
    if order.status == Status.RECEIVED and quantities is None:
        return None
    if order.status not in EXPECTED:
        raise WrongState(
            _("La commande %(number)s est « %(status)s » : acceptez-la avant de la recevoir.")
            % {"number": order.number, "status": order.get_status_display()}
        )
    lines = list(order.lines.select_related("product").order_by("pk"))
    taken = _quantities(lines, quantities)
    number = allocate_number(series="BR", on=business_date(at))
    receipt = Receipt.objects.create(
        number=number,
        purchase_order=order,
        received_at=at,
        supplier_reference=supplier_reference[:60],
    )
    moves = receive_stock(
        entries=[
            Entry(line.product_id, quantity, line.unit_price_excl_tax, number, line.pk)
            for line, quantity in taken
        ],
        warehouse=found.warehouse,
        at=at,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
        incoming={line.product_id: quantity for line, quantity in taken},
    )
    ReceiptLine.objects.bulk_create(
        ReceiptLine(
            receipt=receipt, order_line=line, quantity=quantity, move=moves[number, line.pk]
        )
        for line, quantity in taken
    )
    for line, quantity in taken:
        line.quantity_received += quantity
    PurchaseOrderLine.objects.bulk_update(lines, ["quantity_received"])
    complete = all(line.quantity_received >= line.quantity for line in lines)
    order.status = Status.RECEIVED if complete else Status.PARTIALLY_RECEIVED
    order.save(update_fields=["status"])
    record("receipt.recorded", [receipt], actor=actor, purchase_order=order.number)
    return receipt


def _quantities(
    lines: list[PurchaseOrderLine], quantities: Mapping[int, Decimal] | None
) -> list[tuple[PurchaseOrderLine, Decimal]]:
    taken = []
    for line in lines:
        left = line.quantity - line.quantity_received
        quantity = left if quantities is None else quantities.get(line.pk, Decimal(0))
        if quantity > left:
            raise WrongState(
                _(
                    "%(product)s : %(left)s pièces attendues, %(quantity)s reçues. Corrigez la "
                    "quantité ou passez le surplus en correction de stock."
                )
                % {"product": line.product, "left": left, "quantity": quantity}
            )
        if quantity > 0:
            taken.append((line, quantity))
    if not taken:
        raise WrongState(_("Rien à recevoir : indiquez au moins une quantité."))
    return taken
