"""Suppliers' invoices, matched three ways: what was ordered, what came, what is charged."""

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
from purchasing.events import supplier_invoice_approved
from purchasing.models import ReceiptLine, SupplierInvoice, SupplierInvoiceLine
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.money import ZERO, plain, spread, to_cents
from sphinx.core.services import allocate_number, record
from suppliers.models import Supplier

Status = SupplierInvoice.Status
# A cent a line may be rounding; more is a difference.
ROUNDING = Decimal("0.01")


class Charged(NamedTuple):
    """Pieces of a receipt line, and their price on the invoice (EUR excl. tax a piece)."""

    receipt_line_id: int
    quantity: Decimal
    unit_price: Decimal


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
    actor: Any = None,
) -> SupplierInvoice:
    """Enter an invoice and match it; without a difference it is good to pay at once.

    Raises:
        AlreadyEntered: the supplier's number is known.
        WrongState: no line, another supplier's receipt, or amounts that don't add up.
    """
    lines = {
        line.pk: line
        for line in ReceiptLine.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[c.receipt_line_id for c in charged])
        .select_related("order_line__product", "receipt__purchase_order")
        .order_by("pk")
    }
    _check(supplier, supplier_number, charged, lines)
    amounts = [to_cents(c.quantity * c.unit_price) for c in charged]
    goods = sum(amounts, ZERO)
    if goods + carriage + tax != total_incl_tax:
        raise WrongState(
            _("%(goods)s € + %(carriage)s € de port + %(tax)s € de TVA ne font pas %(total)s €.")
            % {"goods": goods, "carriage": carriage, "tax": tax, "total": total_incl_tax}
        )
    differences = _differences(charged, lines)
    invoice = SupplierInvoice.objects.create(
        number=allocate_number(series="FF", on=business_date(at)),
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
        )
        for c, amount in zip(charged, amounts, strict=True)
    )
    for c in charged:
        lines[c.receipt_line_id].quantity_invoiced += c.quantity
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
    if SupplierInvoice.objects.filter(supplier=supplier, supplier_number=number).exists():
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


def _differences(
    charged: Sequence[Charged], lines: Mapping[int, ReceiptLine]
) -> list[dict[str, str]]:
    """Charged more than came, or at another price than was ordered."""
    found = []
    for c in charged:
        line = lines[c.receipt_line_id]
        due = line.quantity - line.quantity_returned - line.quantity_invoiced
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
        ordered = line.order_line.unit_price_excl_tax
        gap = to_cents((c.unit_price - ordered) * c.quantity)
        if abs(gap) > ROUNDING:
            found.append(
                {
                    "code": "price",
                    "sku": sku,
                    "expected": plain(ordered),
                    "charged": plain(c.unit_price),
                    "amount": str(gap),
                }
            )
    return found


@transaction.atomic
def approve_supplier_invoice(
    *, invoice_id: int, at: datetime, reason: str = "", actor: Any = None
) -> SupplierInvoice:
    """Good to pay: what the goods on hand cost follows the invoice, its carriage included.

    A difference asks for a reason. Twice is once.

    Raises:
        WrongState: there are differences and no reason.
    """
    found = SupplierInvoice.objects.get(pk=invoice_id)
    places = SupplierInvoiceLine.objects.filter(invoice=found).values_list(
        "receipt_line__order_line__product_id",
        "receipt_line__receipt__purchase_order__warehouse_id",
    )
    positions = lock_places(places)
    invoice = SupplierInvoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    if invoice.status == Status.APPROVED:
        return invoice
    if invoice.differences and not reason.strip():
        raise WrongState(_("Il y a des écarts : dites pourquoi la facture est bonne à payer."))
    invoice.status, invoice.approved_at, invoice.approved_by = Status.APPROVED, at, actor
    invoice.decision = reason.strip()[:200]
    invoice.save(update_fields=["status", "approved_at", "approved_by", "decision"])
    _update_costs(invoice, positions, at, actor)
    record("supplier_invoice.approved", [invoice], actor=actor, reason=reason.strip()[:200])
    announce(supplier_invoice_approved, invoice_id=invoice.pk)
    return invoice


def _update_costs(
    invoice: SupplierInvoice,
    positions: Mapping[Place, StockPosition],
    at: datetime,
    actor: Any,
) -> None:
    """Give goods on hand the price charged and their share of the carriage (PCG, art. 213-8:
    the cost of purchase includes what it cost to bring the goods in).

    What has left already keeps its cost: of each line the share still on hand is corrected.
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
        by_product[product_id] = by_product.get(product_id, ZERO) + to_cents((gap + share) * kept)
    for pk, by_product in sorted(values.items()):
        revalue_stock(
            values=by_product,
            warehouse=warehouses[pk],
            at=at,
            origin_kind="supplier_invoice",
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
    if invoice.status == Status.APPROVED or not reason.strip():
        raise WrongState(_("Dites ce qui est contesté ; une facture bonne à payer ne l'est plus."))
    invoice.status, invoice.decision = Status.DISPUTED, reason.strip()[:200]
    invoice.save(update_fields=["status", "decision"])
    record("supplier_invoice.disputed", [invoice], actor=actor, reason=reason.strip()[:200])
    return invoice
