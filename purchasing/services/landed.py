"""Freight, customs and other costs of bringing goods in that another than their supplier charges.

They are part of the cost of purchase (PCG, art. 213-31): shared out over the receipts they are
for, by value, pieces or weight, they change the cost of what is still there of each.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.locks import lock_places
from inventory.models import StockPosition
from purchasing.errors import WrongState
from purchasing.models import CostShare, ReceiptLine, SupplierInvoice
from purchasing.services.costs import left_of, part_left
from purchasing.services.currencies import Terms, euros_of, terms_on
from purchasing.services.invoices import approve_supplier_invoice, check_new, put_in_books
from sphinx.core.clock import business_date
from sphinx.core.money import ZERO, spread
from sphinx.core.services import allocate_number, record
from sphinx.core.texts import said
from suppliers.models import Supplier

Status, SpreadBy = SupplierInvoice.Status, SupplierInvoice.SpreadBy


class Share(NamedTuple):
    """What a receipt line bears (EUR excl. tax), pieces of it that are still there, and what their
    value rises by."""

    line: ReceiptLine
    amount: Decimal
    left: Decimal
    added: Decimal


def preview_landed_costs(
    *,
    receipt_ids: Collection[int],
    spread_by: str,
    amount: Decimal,
    terms: Terms = Terms(),  # noqa: B008 (never changed)
) -> list[Share]:
    """How an amount would be shared out, in euros at the rate of `terms`; nothing is written.

    Raises:
        WrongState: nothing of the receipts was kept, or nothing that it could be spread by.
    """
    lines = _lines(receipt_ids)
    amounts = _spread(lines, spread_by, terms.cents(amount))
    found = StockPosition.objects.filter(
        product__in={line.order_line.product_id for line in lines},
        warehouse__in={line.receipt.purchase_order.warehouse_id for line in lines},
    )
    left = left_of(lines, {(p.product_id, p.warehouse_id): p for p in found})
    return [
        Share(line, part, left[line.pk], part_left(part, left[line.pk], line.kept))
        for line, part in zip(lines, amounts, strict=True)
    ]


def _lines(receipt_ids: Collection[int]) -> list[ReceiptLine]:
    lines = (
        ReceiptLine.objects.filter(receipt__in=list(receipt_ids))
        .select_related("order_line__product", "receipt__purchase_order__supplier")
        .order_by("receipt_id", "pk")
    )
    return [line for line in lines if line.kept > 0]


def _spread(lines: Sequence[ReceiptLine], spread_by: str, amount: Decimal) -> list[Decimal]:
    if spread_by == SpreadBy.VALUE:
        weights = [line.kept * line.unit_cost for line in lines]
    elif spread_by == SpreadBy.PIECES:
        weights = [line.kept for line in lines]
    elif spread_by == SpreadBy.WEIGHT:
        weights = [line.kept * _weight(line) for line in lines]
    else:
        raise WrongState(_("Dites comment répartir les frais : par valeur, pièces ou poids."))
    if not sum(weights, ZERO):
        raise WrongState(
            _("Choisissez des réceptions dont il reste des pièces, et une clé qui les départage.")
        )
    return spread(amount, weights)


def _weight(line: ReceiptLine) -> Decimal:
    """Kilograms of a piece. Raises WrongState: the article doesn't say."""
    product = line.order_line.product
    if product.weight is None:
        raise WrongState(
            _("%s n'a pas de poids : donnez-le sur sa fiche, ou répartissez autrement.") % product
        )
    return product.weight


@transaction.atomic
def enter_landed_costs(
    *,
    supplier: Supplier,
    supplier_number: str,
    issued_on: date,
    receipt_ids: Collection[int],
    spread_by: str,
    amount: Decimal,
    tax: Decimal,
    total_incl_tax: Decimal,
    at: datetime,
    due_on: date | None = None,
    exchange_rate: Decimal | None = None,
    actor: Any = None,
) -> SupplierInvoice:
    """Enter a carrier's, forwarder's or customs invoice; it is good to pay, nothing to compare.

    It is in the supplier's currency, at the rate of its day or at `exchange_rate`; goods bear
    euros.

    Raises:
        AlreadyEntered: the supplier's number is known.
        WrongState: no number, no amount, amounts that don't add up, or nothing to bear it.
        NoRate: no rate of the supplier's currency is known for the invoice's day.
    """
    number = supplier_number.strip()
    check_new(supplier, number)
    if not number or amount <= 0 or tax < 0:
        raise WrongState(_("Donnez le numéro de la facture et son montant HT."))
    if amount + tax != total_incl_tax:
        raise WrongState(
            _("%(amount)s HT + %(tax)s de TVA ne font pas %(total)s.")
            % said({"amount": amount, "tax": tax, "total": total_incl_tax})
        )
    terms = terms_on(supplier.currency, issued_on, exchange_rate)
    euros = euros_of(terms, goods=ZERO, carriage=amount, tax=tax, tax_eur=None)
    lock_places(
        (line.order_line.product_id, line.receipt.purchase_order.warehouse_id)
        for line in _lines(receipt_ids)
    )
    lines = _lines(receipt_ids)
    amounts = _spread(lines, spread_by, euros.carriage)
    invoice = SupplierInvoice(
        number=allocate_number(series="FF", on=business_date(at)),
        supplier=supplier,
        supplier_number=number[:60],
        issued_on=issued_on,
        due_on=due_on or issued_on + timedelta(days=supplier.payment_terms_days),
        received_at=at,
        status=Status.DIFFERS,
        spread_by=spread_by,
        goods_excl_tax=ZERO,
        carriage_excl_tax=amount,
        tax=tax,
        total_incl_tax=total_incl_tax,
    )
    put_in_books(invoice, terms, euros)
    invoice.save()
    CostShare.objects.bulk_create(
        CostShare(invoice=invoice, receipt_line=line, amount_excl_tax=part)
        for line, part in zip(lines, amounts, strict=True)
    )
    record("supplier_invoice.entered", [invoice], actor=actor, spread_by=spread_by)
    return approve_supplier_invoice(invoice_id=invoice.pk, at=at, actor=actor)
