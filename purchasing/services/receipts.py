"""Goods that come in against a purchase order, and those that go back."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.errors import SerialRefused
from inventory.locks import lock_places
from inventory.models import StockMove
from inventory.services import (
    Entry,
    Taking,
    default_warehouse,
    pass_through,
    receive_stock,
    take_stock,
)
from purchasing.errors import WrongState
from purchasing.locks import lock_purchase_orders
from purchasing.models import (
    EXPECTED,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    SupplierReturn,
    SupplierReturnLine,
)
from purchasing.services.currencies import terms_on
from sphinx.core.clock import business_date, start_of
from sphinx.core.money import plain
from sphinx.core.services import allocate_number, record

Status = PurchaseOrder.Status


class Arrived(NamedTuple):
    """What came of one order line: good pieces, damaged ones (refused), and what the supplier's
    delivery note says where it differs from the order."""

    quantity: Decimal
    damaged: Decimal = Decimal(0)
    unit_price: Decimal | None = None
    lot: str = ""
    best_before: date | None = None
    # One for each good piece, of products that ask for serial numbers.
    serials: tuple[str, ...] = ()


class _Taken(NamedTuple):
    line: PurchaseOrderLine
    arrived: Arrived
    left: Decimal

    @property
    def price(self) -> Decimal:
        given = self.arrived.unit_price
        return self.line.unit_price_excl_tax if given is None else given


@transaction.atomic
def receive_goods(
    *,
    order_id: int,
    quantities: Mapping[int, Decimal | Arrived] | None,
    at: datetime,
    supplier_reference: str = "",
    accepts_more: bool = False,
    received_on: date | None = None,
    after_receipts: int | None = None,
    exchange_rate: Decimal | None = None,
    actor: Any = None,
) -> Receipt | None:
    """Take in goods: order line id → what came, or everything still expected (None).

    Stock rises, what was expected falls, customers who wait are served oldest first. Damaged
    pieces don't enter stock and stay expected. None when nothing was left to receive.
    `received_on` is the day on which they came, where it isn't that of `at`: what lay in stock
    since is recomputed with them, while the average cost takes them in from now on and what was
    sold since keeps its own. `after_receipts` is how many receipts the order had when somebody
    looked: the same form sent twice is received once. What is ordered in another currency costs
    its price at the rate of the day on which it came, or at `exchange_rate` (units for one euro).

    Raises:
        WrongState: the order isn't under way, more comes in than was ordered and that isn't
            accepted, or the day is still to come.
        NoRate: no rate of the order's currency is known for the day.
    """
    came_at = _came_at(received_on, at)
    found = PurchaseOrder.objects.select_related("warehouse").get(pk=order_id)
    if found.direct_delivery_id:
        raise WrongState(
            _("%s part de chez le fournisseur : confirmez plutôt son départ.") % found.number
        )
    products = PurchaseOrderLine.objects.filter(purchase_order=order_id).values_list(
        "product_id", flat=True
    )
    lock_places((pk, found.warehouse_id) for pk in products)
    order = lock_purchase_orders([order_id]).get()
    if order.status == Status.RECEIVED and quantities is None:
        return None
    _require_under_way(order)
    if after_receipts is not None and order.receipts.count() != after_receipts:
        raise WrongState(
            _("Une réception de %(number)s vient d'être enregistrée : relisez ce qui reste.")
            % {"number": order.number}
        )
    lines = list(order.lines.select_related("product").order_by("pk"))
    taken = _quantities(lines, quantities, accepts_more=accepts_more)
    receipt = _new_receipt(order, at, supplier_reference, came_at, exchange_rate)
    good = [t for t in taken if t.arrived.quantity > 0]
    moves = receive_stock(
        entries=_entries(receipt, _by_piece(good)),
        warehouse=found.warehouse,
        at=came_at,
        kind=StockMove.Kind.RECEIPT,
        origin_kind="receipt",
        incoming=_incoming(good),
        actor=actor,
    )
    _note(receipt, _by_piece(taken), moves)
    _move_on(order, lines)
    record("receipt.recorded", [receipt], actor=actor, purchase_order=order.number)
    return receipt


@transaction.atomic
def receive_for_customer(
    *,
    order_id: int,
    quantities: Mapping[int, Decimal] | None,
    at: datetime,
    supplier_reference: str,
    actor: Any = None,
) -> Receipt | None:
    """Note what the supplier sent straight to the customer: order line id → pieces, or all.

    It is set aside for that customer; the caller delivers it in the same transaction. The same
    `supplier_reference` again is the same parcel, and None.

    Raises:
        WrongState: the order isn't under way, or more was sent than ordered.
        NobodyWaits: the customer wants fewer pieces.
        NoRate: no rate of the order's currency is known for the day.
    """
    found = PurchaseOrder.objects.get(pk=order_id)
    if found.direct_delivery_id is None:
        raise WrongState(_("%s est livrée chez vous : recevez-la.") % found.number)
    products = PurchaseOrderLine.objects.filter(purchase_order=order_id).values_list(
        "product_id", flat=True
    )
    lock_places((pk, found.warehouse_id) for pk in products)
    order = lock_purchase_orders([order_id]).get()
    if order.receipts.filter(supplier_reference=supplier_reference[:60]).exists():
        return None
    _require_under_way(order)
    lines = list(order.lines.select_related("product").order_by("pk"))
    taken = _quantities(lines, quantities, accepts_more=False)
    receipt = _new_receipt(order, at, supplier_reference, at)
    moves = pass_through(
        delivery_id=found.direct_delivery_id,
        entries=_entries(receipt, taken),
        at=at,
        origin_kind="receipt",
        incoming=_incoming(taken),
        actor=actor,
    )
    _note(receipt, taken, moves)
    _move_on(order, lines)
    record("receipt.direct", [receipt], actor=actor, purchase_order=order.number)
    return receipt


def _require_under_way(order: PurchaseOrder) -> None:
    if order.status not in EXPECTED:
        raise WrongState(
            _("La commande %(number)s est « %(status)s » : acceptez-la avant de la recevoir.")
            % {"number": order.number, "status": order.get_status_display()}
        )


def _came_at(day: date | None, at: datetime) -> datetime:
    """When goods came: `at`, or noon of an earlier day."""
    if day is None or day == business_date(at):
        return at
    if day > business_date(at):
        raise WrongState(_("Des marchandises ne se reçoivent pas à un jour qui vient."))
    return start_of(day) + timedelta(hours=12)


def _new_receipt(
    order: PurchaseOrder,
    at: datetime,
    supplier_reference: str,
    came_at: datetime,
    exchange_rate: Decimal | None = None,
) -> Receipt:
    """Numbered in the order of entry, whenever the goods came; at the rate of that day."""
    terms = terms_on(order.currency, business_date(came_at), exchange_rate)
    receipt = Receipt(
        number=allocate_number(series="BR", on=business_date(at)),
        purchase_order=order,
        received_at=came_at,
        supplier_reference=supplier_reference[:60],
    )
    terms.put_on(receipt)
    receipt.save()
    return receipt


def _entries(receipt: Receipt, good: Sequence[_Taken]) -> list[Entry]:
    return [
        Entry(
            t.line.product_id,
            t.arrived.quantity,
            receipt.unit_price_eur(t.price),
            receipt.number,
            t.line.pk,
            t.arrived.lot,
            t.arrived.best_before,
        )
        for t in good
    ]


def _by_piece(taken: Sequence[_Taken]) -> list[_Taken]:
    """What has serial numbers as a line a piece: each is costed and sent back by itself."""
    pieces: list[_Taken] = []
    for t in taken:
        if not t.line.product.tracks_serials or t.arrived.quantity <= 0:
            pieces.append(t)
            continue
        _check_serials(t)
        for place, serial in enumerate(t.arrived.serials):
            damaged = Decimal(0) if place else t.arrived.damaged
            one = t.arrived._replace(quantity=Decimal(1), damaged=damaged, lot=serial)
            pieces.append(t._replace(arrived=one))
    return pieces


def _check_serials(t: _Taken) -> None:
    serials = t.arrived.serials
    if len(serials) != t.arrived.quantity:
        raise SerialRefused(
            _("%(product)s : %(pieces)s pièces arrivées, %(given)s numéros de série.")
            % {
                "product": t.line.product,
                "pieces": plain(t.arrived.quantity),
                "given": len(serials),
            }
        )
    twice = next((s for s in serials if serials.count(s) > 1), None)
    if twice:
        raise SerialRefused(_("N° de série %s : il est donné deux fois.") % twice)


def _incoming(good: Sequence[_Taken]) -> dict[int, Decimal]:
    """What comes beyond the order was not expected."""
    return {t.line.product_id: min(t.arrived.quantity, t.left) for t in good}


def _note(
    receipt: Receipt, taken: Sequence[_Taken], moves: Mapping[tuple[str, int], StockMove]
) -> None:
    serials = {
        (m.origin_line, m.lot.number if m.lot else ""): m
        for m in StockMove.objects.filter(
            origin_kind="receipt", origin_number=receipt.number, product__tracks_serials=True
        ).select_related("lot")
    }
    ReceiptLine.objects.bulk_create(
        ReceiptLine(
            receipt=receipt,
            order_line=t.line,
            quantity=t.arrived.quantity,
            quantity_damaged=t.arrived.damaged,
            unit_price_excl_tax=t.price,
            move=serials.get((t.line.pk, t.arrived.lot)) or moves.get((receipt.number, t.line.pk)),
        )
        for t in taken
    )
    for t in taken:
        t.line.quantity_received += t.arrived.quantity
    lines = {t.line.pk: t.line for t in taken}
    PurchaseOrderLine.objects.bulk_update(lines.values(), ["quantity_received"])


def _move_on(order: PurchaseOrder, lines: Sequence[PurchaseOrderLine]) -> None:
    complete = all(line.quantity_received >= line.quantity for line in lines)
    order.status = Status.RECEIVED if complete else Status.PARTIALLY_RECEIVED
    order.save(update_fields=["status"])


def _quantities(
    lines: list[PurchaseOrderLine],
    quantities: Mapping[int, Decimal | Arrived] | Mapping[int, Decimal] | None,
    *,
    accepts_more: bool,
) -> list[_Taken]:
    taken = []
    for line in lines:
        left = max(line.quantity - line.quantity_received, Decimal(0))
        given = left if quantities is None else quantities.get(line.pk, Decimal(0))
        arrived = given if isinstance(given, Arrived) else Arrived(given)
        if arrived.quantity < 0 or arrived.damaged < 0:
            raise WrongState(_("%s : une quantité reçue n'est pas négative.") % line.product)
        if arrived.quantity > left and not accepts_more:
            raise WrongState(
                _(
                    "%(product)s : %(left)s pièces attendues, %(quantity)s reçues. Corrigez la "
                    "quantité, ou acceptez le surplus."
                )
                % {
                    "product": line.product,
                    "left": plain(left),
                    "quantity": plain(arrived.quantity),
                }
            )
        if arrived.quantity > 0 or arrived.damaged > 0:
            taken.append(_Taken(line, arrived, left))
    if not taken:
        raise WrongState(_("Rien à recevoir : indiquez au moins une quantité."))
    return taken


@transaction.atomic
def return_to_supplier(
    *,
    receipt_id: int,
    quantities: Mapping[int, Decimal],
    reason: str,
    at: datetime,
    after_returns: int | None = None,
    actor: Any = None,
) -> SupplierReturn:
    """Send goods of a receipt back, receipt line id → pieces; they leave at the average cost.

    `after_returns` is how many returns the receipt had when somebody looked: the same form sent
    twice sends them back once.

    Raises:
        WrongState: no reason, nothing goes back, or more than came.
        NotEnoughStock: customers hold them, or they are gone.
    """
    receipt = Receipt.objects.select_related("purchase_order__warehouse").get(pk=receipt_id)
    warehouse = receipt.purchase_order.warehouse
    if warehouse.is_direct:
        # A customer sent it back to us first.
        warehouse = default_warehouse()
    wanted = {pk: pieces for pk, pieces in quantities.items() if pieces > 0}
    if not wanted or not reason.strip():
        raise WrongState(_("Dites ce qui repart, et pourquoi."))
    products = ReceiptLine.objects.filter(receipt=receipt).values_list(
        "order_line__product_id", flat=True
    )
    lock_places((pk, warehouse.pk) for pk in products)
    lock_purchase_orders([receipt.purchase_order_id]).get()
    if after_returns is not None and receipt.returns.count() != after_returns:
        raise WrongState(
            _("Un retour de %(number)s vient d'être enregistré : relisez ce qui reste.")
            % {"number": receipt.number}
        )
    lines = {
        line.pk: line
        for line in receipt.lines.select_related("order_line__product", "move").filter(
            pk__in=wanted
        )
    }
    for pk, pieces in wanted.items():
        if pk not in lines or pieces > lines[pk].quantity - lines[pk].quantity_returned:
            raise WrongState(_("Il repart plus de pièces qu'il n'en est venu."))
    number = allocate_number(series="RF", on=business_date(at))
    found = SupplierReturn.objects.create(
        number=number, receipt=receipt, returned_at=at, reason=reason.strip()[:200]
    )
    take_stock(
        takings=[
            Taking(
                line.order_line.product_id,
                wanted[pk],
                number,
                pk,
                line.move.lot_id if line.move else None,
                reason.strip(),
            )
            for pk, line in sorted(lines.items())
        ],
        warehouse=warehouse,
        at=at,
        kind=StockMove.Kind.SUPPLIER_RETURN,
        origin_kind="supplier_return",
        actor=actor,
    )
    for pk, line in lines.items():
        line.quantity_returned += wanted[pk]
    ReceiptLine.objects.bulk_update(lines.values(), ["quantity_returned"])
    SupplierReturnLine.objects.bulk_create(
        SupplierReturnLine(supplier_return=found, receipt_line=line, quantity=wanted[pk])
        for pk, line in lines.items()
    )
    record("supplier_return.sent", [found], actor=actor, receipt=receipt.number)
    return found
