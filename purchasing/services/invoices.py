"""Suppliers' invoices and credit notes, matched: what was ordered, what came, what is charged."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import Place, lock_places
from inventory.models import StockPosition
from inventory.services import revalue_stock
from purchasing.errors import AlreadyEntered, WrongState
from purchasing.events import supplier_invoice_approved, supplier_invoice_cancelled
from purchasing.models import ReceiptLine, SupplierInvoice, SupplierInvoiceLine
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.money import ZERO, plain, spread, to_cents
from sphinx.core.services import allocate_number, record
from sphinx.core.texts import said
from suppliers.models import Supplier
from suppliers.units import PIECE, Unit

Kind, Status = SupplierInvoice.Kind, SupplierInvoice.Status
# A cent a line may be rounding; more is a difference.
ROUNDING = Decimal("0.01")


class Charged(NamedTuple):
    """What an invoice charges of a receipt line: how many of a unit (pieces where it says none),
    at what price (EUR excl. tax for one of it)."""

    receipt_line_id: int
    quantity: Decimal
    unit_price: Decimal
    unit: Unit = PIECE

    def in_pieces(self) -> "Charged":
        """The same in pieces, at the price of a piece."""
        unit = self.unit
        return Charged(
            self.receipt_line_id, unit.in_pieces(self.quantity), unit.piece_price(self.unit_price)
        )


@transaction.atomic
def enter_supplier_invoice(
    *,
    supplier: Supplier,
    supplier_number: str,
    issued_on: date,
    charged: Sequence[Charged],
    tax: Decimal,
    total_incl_tax: Decimal,
    at: datetime,
    carriage: Decimal = ZERO,
    due_on: date | None = None,
    kind: str = Kind.INVOICE,
    actor: Any = None,
) -> SupplierInvoice:
    """Enter an invoice and match it; without a difference it is good to pay at once.

    A credit note takes back what was charged: `charged` are then the pieces it credits, all
    amounts being positive. What is charged by the box is kept by the piece, with what was written.

    Raises:
        AlreadyEntered: the supplier's number is known.
        WrongState: no line, another supplier's receipt, or amounts that don't add up.
    """
    written, charged = charged, [c.in_pieces() for c in charged]
    lines = {
        line.pk: line
        for line in ReceiptLine.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[c.receipt_line_id for c in charged])
        .select_related("order_line__product", "receipt__purchase_order")
        .order_by("pk")
    }
    _check(supplier, supplier_number, charged, lines)
    if kind == Kind.CREDIT_NOTE:
        _check_credited(charged, lines)
    amounts = [to_cents(c.quantity * c.unit_price) for c in written]
    goods = sum(amounts, ZERO)
    if goods + carriage + tax != total_incl_tax:
        raise WrongState(
            _("%(goods)s € + %(carriage)s € de port + %(tax)s € de TVA ne font pas %(total)s €.")
            % said({"goods": goods, "carriage": carriage, "tax": tax, "total": total_incl_tax})
        )
    sign = -1 if kind == Kind.CREDIT_NOTE else 1
    differences = _differences(charged, lines, sign)
    invoice = SupplierInvoice.objects.create(
        number=allocate_number(series="FF", on=business_date(at)),
        kind=kind,
        supplier=supplier,
        supplier_number=supplier_number.strip()[:60],
        issued_on=issued_on,
        due_on=due_on or issued_on + timedelta(days=supplier.payment_terms_days),
        received_at=at,
        status=Status.DIFFERS,
        goods_excl_tax=goods,
        carriage_excl_tax=carriage,
        tax=tax,
        total_incl_tax=total_incl_tax,
        differences=differences,
    )
    SupplierInvoiceLine.objects.bulk_create(
        SupplierInvoiceLine(
            invoice=invoice,
            receipt_line=lines[c.receipt_line_id],
            quantity=c.quantity,
            unit_price_excl_tax=c.unit_price,
            amount_excl_tax=amount,
            written_quantity=None if w.unit.is_piece else w.quantity,
            written_price=None if w.unit.is_piece else w.unit_price,
            written_unit="" if w.unit.is_piece else str(w.unit)[:30],
        )
        for c, w, amount in zip(charged, written, amounts, strict=True)
    )
    for c in charged:
        lines[c.receipt_line_id].quantity_invoiced += sign * c.quantity
    ReceiptLine.objects.bulk_update(lines.values(), ["quantity_invoiced"])
    record("supplier_invoice.entered", [invoice], actor=actor, differences=len(differences))
    if not differences:
        return approve_supplier_invoice(invoice_id=invoice.pk, at=at, actor=actor)
    return invoice


def _check(
    supplier: Supplier,
    supplier_number: str,
    charged: Sequence[Charged],
    lines: Mapping[int, ReceiptLine],
) -> None:
    number = supplier_number.strip()
    known = SupplierInvoice.objects.filter(supplier=supplier, supplier_number=number)
    if known.exclude(status=Status.CANCELLED).exists():
        raise AlreadyEntered(
            _("La facture %(number)s de %(supplier)s est déjà saisie.")
            % {"number": number, "supplier": supplier}
        )
    strange = [
        line for line in lines.values() if line.receipt.purchase_order.supplier_id != supplier.pk
    ]
    if not number or not charged or strange or len(lines) != len(charged):
        raise WrongState(
            _("Donnez le numéro de la facture et au moins une ligne de réception du fournisseur.")
        )


def _check_credited(charged: Sequence[Charged], lines: Mapping[int, ReceiptLine]) -> None:
    for c in charged:
        line = lines[c.receipt_line_id]
        if c.quantity > line.quantity_invoiced:
            raise WrongState(
                _("%(product)s : %(invoiced)s pièces facturées, l'avoir en crédite %(credited)s.")
                % {
                    "product": line.order_line.product,
                    "invoiced": plain(line.quantity_invoiced),
                    "credited": plain(c.quantity),
                }
            )


def _differences(
    charged: Sequence[Charged], lines: Mapping[int, ReceiptLine], sign: int
) -> list[dict[str, str]]:
    """More pieces than are owed, or another price than was ordered (credited: than was charged).

    What came and stayed is owed to the supplier; what was charged beyond it is owed back.
    """
    prices = _prices_charged(lines) if sign < 0 else {}
    found = []
    for c in charged:
        line = lines[c.receipt_line_id]
        due = sign * (line.quantity - line.quantity_returned - line.quantity_invoiced)
        sku = line.order_line.product.sku
        if c.quantity > due:
            found.append(
                {
                    "code": "quantity",
                    "sku": sku,
                    "expected": plain(due),
                    "charged": plain(c.quantity),
                    "amount": str(to_cents((c.quantity - due) * c.unit_price)),
                }
            )
        expected = prices.get(line.pk, line.order_line.unit_price_excl_tax)
        gap = to_cents((c.unit_price - expected) * c.quantity)
        if abs(gap) > ROUNDING:
            found.append(
                {
                    "code": "price",
                    "sku": sku,
                    "expected": plain(expected),
                    "charged": plain(c.unit_price),
                    "amount": str(gap),
                }
            )
    return found


def _prices_charged(lines: Mapping[int, ReceiptLine]) -> dict[int, Decimal]:
    """The last price charged for each receipt line (EUR excl. tax a piece)."""
    return dict(
        SupplierInvoiceLine.objects.filter(receipt_line__in=lines, invoice__kind=Kind.INVOICE)
        .exclude(invoice__status=Status.CANCELLED)
        .order_by("pk")
        .values_list("receipt_line_id", "unit_price_excl_tax")
    )


@transaction.atomic
def approve_supplier_invoice(
    *, invoice_id: int, at: datetime, reason: str = "", actor: Any = None
) -> SupplierInvoice:
    """Good to pay: what the goods on hand cost follows the invoice, its carriage included.

    A difference asks for a reason. Twice is once.

    Raises:
        WrongState: there are differences and no reason.
    """
    positions = _lock_positions(invoice_id)
    invoice = SupplierInvoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    if invoice.status == Status.APPROVED:
        return invoice
    if invoice.status == Status.CANCELLED:
        raise WrongState(_("La facture %s a été reprise : saisissez-la de nouveau.") % invoice)
    if invoice.differences and not reason.strip():
        raise WrongState(_("Il y a des écarts : dites pourquoi la facture est bonne à payer."))
    invoice.status, invoice.approved_at, invoice.approved_by = Status.APPROVED, at, actor
    invoice.decision = reason.strip()[:200]
    invoice.save(update_fields=["status", "approved_at", "approved_by", "decision"])
    # Pieces credited have left, or never came: what stays costs what it cost.
    if invoice.kind == Kind.INVOICE:
        _update_costs(invoice, positions, at, actor)
    record("supplier_invoice.approved", [invoice], actor=actor, reason=reason.strip()[:200])
    announce(supplier_invoice_approved, invoice_id=invoice.pk)
    return invoice


def _lock_positions(invoice_id: int) -> dict[Place, StockPosition]:
    return lock_places(
        SupplierInvoiceLine.objects.filter(invoice_id=invoice_id).values_list(
            "receipt_line__order_line__product_id",
            "receipt_line__receipt__purchase_order__warehouse_id",
        )
    )


def _update_costs(
    invoice: SupplierInvoice,
    positions: Mapping[Place, StockPosition],
    at: datetime,
    actor: Any,
    sign: int = 1,
) -> None:
    """Give goods on hand the price charged and their share of the carriage (PCG, art. 213-8:
    the cost of purchase includes what it cost to bring the goods in).

    What has left already keeps its cost: of each line the share still on hand is corrected.
    A `sign` of −1 takes that back.
    """
    lines = list(
        invoice.lines.select_related(
            "receipt_line__order_line", "receipt_line__receipt__purchase_order__warehouse"
        ).order_by("pk")
    )
    weights = [line.amount_excl_tax for line in lines]
    carriage = (
        spread(invoice.carriage_excl_tax, weights) if sum(weights, ZERO) else [ZERO] * len(lines)
    )
    values: dict[int, dict[int, Decimal]] = {}
    warehouses = {}
    for line, share in zip(lines, carriage, strict=True):
        receipt_line = line.receipt_line
        gap = (line.unit_price_excl_tax - receipt_line.unit_price_excl_tax) * line.quantity
        warehouse = receipt_line.receipt.purchase_order.warehouse
        product_id = receipt_line.order_line.product_id
        position = positions[product_id, warehouse.pk]
        if position.on_hand <= 0:
            continue
        kept = min(position.on_hand / line.quantity, Decimal(1))
        warehouses[warehouse.pk] = warehouse
        by_product = values.setdefault(warehouse.pk, {})
        by_product[product_id] = by_product.get(product_id, ZERO) + to_cents(
            sign * (gap + share) * kept
        )
    for pk, by_product in sorted(values.items()):
        revalue_stock(
            values=by_product,
            warehouse=warehouses[pk],
            at=at,
            origin_kind="supplier_invoice" if sign > 0 else "invoice_taken_back",
            origin_number=invoice.number,
            note=invoice.supplier_number,
            actor=actor,
        )


@transaction.atomic
def dispute_supplier_invoice(*, invoice_id: int, reason: str, actor: Any = None) -> SupplierInvoice:
    """Don't pay for now; the supplier is asked for a credit note. Twice is once.

    Raises:
        WrongState: it was approved, or no reason is given.
    """
    invoice = SupplierInvoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    if invoice.status in (Status.APPROVED, Status.CANCELLED) or not reason.strip():
        raise WrongState(_("Dites ce qui est contesté ; une facture bonne à payer ne l'est plus."))
    invoice.status, invoice.decision = Status.DISPUTED, reason.strip()[:200]
    invoice.save(update_fields=["status", "decision"])
    record("supplier_invoice.disputed", [invoice], actor=actor, reason=reason.strip()[:200])
    return invoice


@transaction.atomic
def cancel_supplier_invoice(
    *, invoice_id: int, reason: str, at: datetime, actor: Any = None
) -> SupplierInvoice:
    """Take back an invoice that was entered wrong; its number may be entered again. Twice is once.

    Pieces are to be invoiced again, the cost of what is still on hand goes back, and the entry,
    where one was made, is reversed by another.

    Raises:
        WrongState: no reason, or a credit note has credited some of its pieces.
    """
    positions = _lock_positions(invoice_id)
    invoice = SupplierInvoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    if invoice.status == Status.CANCELLED:
        return invoice
    if not reason.strip():
        raise WrongState(_("Dites pourquoi la facture est reprise."))
    charged = list(invoice.lines.select_related("receipt_line").order_by("pk"))
    lines = {
        line.pk: line
        for line in ReceiptLine.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[c.receipt_line_id for c in charged])
        .order_by("pk")
    }
    for c in charged:
        line = lines[c.receipt_line_id]
        line.quantity_invoiced -= invoice.sign * c.quantity
        if line.quantity_invoiced < 0:
            raise WrongState(
                _("Un avoir porte sur %s : reprenez d'abord l'avoir.") % invoice.supplier_number
            )
    ReceiptLine.objects.bulk_update(lines.values(), ["quantity_invoiced"])
    if invoice.status == Status.APPROVED and invoice.kind == Kind.INVOICE:
        _update_costs(invoice, positions, at, actor, sign=-1)
    invoice.status, invoice.cancelled_at = Status.CANCELLED, at
    invoice.decision = reason.strip()[:200]
    invoice.save(update_fields=["status", "cancelled_at", "decision"])
    record("supplier_invoice.cancelled", [invoice], actor=actor, reason=reason.strip()[:200])
    announce(supplier_invoice_cancelled, invoice_id=invoice.pk)
    return invoice
