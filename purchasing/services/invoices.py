"""Suppliers' invoices and credit notes, matched: what was ordered, what came, what is charged."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max, Q, Sum
from django.utils.translation import gettext as _

from inventory.locks import Place, lock_places
from inventory.models import StockPosition
from purchasing.errors import AlreadyEntered, WrongState
from purchasing.events import supplier_invoice_approved, supplier_invoice_cancelled
from purchasing.expense_accounts import is_expense_account
from purchasing.models import (
    CostShare,
    ExpenseLine,
    ReceiptLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from purchasing.models.invoices import Euros
from purchasing.services.costs import add_to_costs, changes_of, take_back_costs
from purchasing.services.currencies import Terms, currency_of, euros_of, terms_on
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.money import HUNDRED, ZERO, plain, to_cents, to_unit_price
from sphinx.core.services import allocate_number, record
from sphinx.core.texts import said
from suppliers.models import Supplier
from suppliers.units import PIECE, Unit

Kind, Status = SupplierInvoice.Kind, SupplierInvoice.Status
# A cent a line may be rounding; more is a difference.
ROUNDING = Decimal("0.01")


class Charged(NamedTuple):
    """What an invoice charges of a receipt line: how many of a unit (pieces where it says none),
    at what price (excl. tax for one of it, in the currency of the receipt).

    On a credit note with `lowers_price` the pieces stay: the price is what each costs less. Pieces
    below zero on an invoice are taken back. `amount` is what the invoice states for them, where it
    does: at 60,000 pieces a price of six places is off by cents.
    """

    receipt_line_id: int
    quantity: Decimal
    unit_price: Decimal
    unit: Unit = PIECE
    lowers_price: bool = False
    amount: Decimal | None = None

    @property
    def amount_excl_tax(self) -> Decimal:
        """As stated, else quantity × price."""
        return to_cents(self.quantity * self.unit_price) if self.amount is None else self.amount

    def in_pieces(self) -> "Charged":
        """The same in pieces, at the price of a piece."""
        return self._replace(
            quantity=self.unit.in_pieces(self.quantity),
            unit_price=self.unit.piece_price(self.unit_price),
            unit=PIECE,
        )


class Expense(NamedTuple):
    """A line that is no goods: its account (class 6), amount excl. tax and VAT in the currency of
    the invoice, rate and deductible part of that VAT in percent."""

    label: str
    account: str
    amount: Decimal
    tax: Decimal = ZERO
    tax_rate: Decimal | None = None
    deductible_share: Decimal = HUNDRED
    reference: str = ""


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
    currency: str = "",
    exchange_rate: Decimal | None = None,
    tax_eur: Decimal | None = None,
    expenses: Sequence[Expense] = (),
    rounding: Decimal = ZERO,
    actor: Any = None,
) -> SupplierInvoice:
    """Enter an invoice and match it; without a difference it is good to pay at once.

    A credit note takes back what was charged: `charged` are then the pieces it credits, all
    amounts being positive. Pieces of which it lowers the price stay, and stay invoiced. What is
    charged by the box is kept by the piece, with what was written.

    Amounts are in the currency of what was received, which `currency` may confirm, and compared in
    it. The books have them at the rate of the invoice's day, or at `exchange_rate` (units for one
    euro); `tax_eur` is the VAT where the invoice says it in euros.

    `expenses` are its lines that are no goods: nothing was ordered or received that they could
    differ from. `rounding` is what it adds to the sum to pay (BT-114), which the total includes.

    Raises:
        AlreadyEntered: the supplier's number is known.
        WrongState: no line, an expense that no account of class 6 bears, another supplier's receipt
            or currency, more credited than was charged, or amounts that don't add up.
        NoRate: no rate of the currency is known for the invoice's day.
    """
    written, charged = charged, [c.in_pieces() for c in charged]
    lines = {
        line.pk: line
        for line in ReceiptLine.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[c.receipt_line_id for c in charged])
        .select_related("order_line__product", "receipt__purchase_order")
        .order_by("pk")
    }
    _check(supplier, supplier_number, charged, lines, expenses)
    if kind == Kind.CREDIT_NOTE:
        _check_credited(charged, lines)
    elif any(c.lowers_price for c in charged):
        raise WrongState(_("Seul un avoir baisse un prix déjà facturé."))
    else:
        _check_pieces([c._replace(quantity=-c.quantity) for c in charged if c.quantity < 0], lines)
    amounts = [c.amount_excl_tax for c in written]
    goods, other = sum(amounts, ZERO), sum((e.amount for e in expenses), ZERO)
    _check_total(goods, carriage, other, tax, rounding, total_incl_tax)
    terms = terms_on(
        currency_of([line.receipt for line in lines.values()], currency), issued_on, exchange_rate
    )
    euros = euros_of(
        terms,
        goods=goods,
        carriage=carriage,
        expenses=other,
        tax=tax,
        tax_eur=tax_eur,
        rounding=rounding,
    )
    sign = -1 if kind == Kind.CREDIT_NOTE else 1
    differences = _differences(charged, lines, sign)
    invoice = SupplierInvoice(
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
        expenses_excl_tax=other,
        tax=tax,
        rounding=rounding,
        total_incl_tax=total_incl_tax,
        differences=differences,
    )
    put_in_books(invoice, terms, euros)
    invoice.save()
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
            lowers_price=c.lowers_price,
        )
        for c, w, amount in zip(charged, written, amounts, strict=True)
    )
    _write_expenses(invoice, expenses)
    for c in charged:
        if not c.lowers_price:
            lines[c.receipt_line_id].quantity_invoiced += sign * c.quantity
    ReceiptLine.objects.bulk_update(lines.values(), ["quantity_invoiced"])
    record("supplier_invoice.entered", [invoice], actor=actor, differences=len(differences))
    if not differences:
        return approve_supplier_invoice(invoice_id=invoice.pk, at=at, actor=actor)
    return invoice


def _check_total(
    goods: Decimal,
    carriage: Decimal,
    other: Decimal,
    tax: Decimal,
    rounding: Decimal,
    total: Decimal,
) -> None:
    if goods + carriage + other + tax + rounding == total:
        return
    figures = {"goods": goods, "carriage": carriage, "tax": tax, "total": total}
    if not other and not rounding:
        raise WrongState(
            _("%(goods)s + %(carriage)s de port + %(tax)s de TVA ne font pas %(total)s.")
            % said(figures)
        )
    raise WrongState(
        _(
            "%(goods)s + %(carriage)s de port + %(other)s d'autres lignes + %(tax)s de TVA, "
            "arrondi de %(rounding)s, ne font pas %(total)s."
        )
        % said(figures | {"other": other, "rounding": rounding})
    )


def _write_expenses(invoice: SupplierInvoice, expenses: Sequence[Expense]) -> None:
    ExpenseLine.objects.bulk_create(
        ExpenseLine(
            invoice=invoice,
            position=position,
            label=expense.label[:200],
            reference=expense.reference[:80],
            account=expense.account,
            amount_excl_tax=expense.amount,
            tax=expense.tax,
            tax_rate=expense.tax_rate,
            deductible_share=expense.deductible_share,
        )
        for position, expense in enumerate(expenses, start=1)
    )


def put_in_books(invoice: SupplierInvoice, terms: Terms, euros: Euros) -> None:
    """Note the currency, the rate and what the books have, on an invoice that isn't saved yet."""
    terms.put_on(invoice)
    if invoice.is_foreign:
        invoice.goods_eur, invoice.carriage_eur = euros.goods, euros.carriage
        invoice.tax_eur, invoice.total_eur = euros.tax, euros.total
        invoice.expenses_eur, invoice.rounding_eur = euros.expenses, euros.rounding


def check_new(supplier: Supplier, number: str) -> None:
    """Raises AlreadyEntered: the supplier's number is known."""
    known = SupplierInvoice.objects.filter(supplier=supplier, supplier_number=number)
    if known.exclude(status=Status.CANCELLED).exists():
        raise AlreadyEntered(
            _("La facture %(number)s de %(supplier)s est déjà saisie.")
            % {"number": number, "supplier": supplier}
        )


def _check(
    supplier: Supplier,
    supplier_number: str,
    charged: Sequence[Charged],
    lines: Mapping[int, ReceiptLine],
    expenses: Sequence[Expense],
) -> None:
    number = supplier_number.strip()
    check_new(supplier, number)
    strange = [
        line for line in lines.values() if line.receipt.purchase_order.supplier_id != supplier.pk
    ]
    named = {(c.receipt_line_id, c.lowers_price) for c in charged}
    missing = {c.receipt_line_id for c in charged} - lines.keys()
    nothing = not charged and not expenses
    if not number or nothing or strange or missing or len(named) != len(charged):
        raise WrongState(
            _("Donnez le numéro de la facture et au moins une ligne de réception du fournisseur.")
        )
    for expense in expenses:
        _check_expense(expense)


def _check_expense(expense: Expense) -> None:
    if not is_expense_account(expense.account):
        raise WrongState(
            _(
                "%(label)s : une charge va à un compte de classe 6, de 3 à 12 chiffres, pas à "
                "« %(account)s ». Une immobilisation (classe 2) se saisit en comptabilité."
            )
            % {"label": expense.label, "account": expense.account}
        )
    if not 0 <= expense.deductible_share <= HUNDRED:
        raise WrongState(_("%s : la TVA récupérable va de 0 à 100 %%.") % expense.label)


def _check_credited(charged: Sequence[Charged], lines: Mapping[int, ReceiptLine]) -> None:
    """No more pieces than were charged, nor a price lowered by more than was charged."""
    _check_pieces(charged, lines)
    owed = _amounts_charged(lines)
    for c in charged:
        owed[c.receipt_line_id] -= c.amount_excl_tax
        if c.lowers_price and owed[c.receipt_line_id] < 0:
            raise WrongState(
                _("%s : l'avoir dépasse ce qui a été facturé.")
                % lines[c.receipt_line_id].order_line.product
            )


def _check_pieces(charged: Sequence[Charged], lines: Mapping[int, ReceiptLine]) -> None:
    """Raises WrongState: more pieces are taken back than were charged."""
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


def _amounts_charged(lines: Iterable[int]) -> dict[int, Decimal]:
    """What invoices charge of receipt lines, less what credit notes took off (excl. tax)."""
    owed = dict.fromkeys(lines, ZERO)
    rows = (
        SupplierInvoiceLine.objects.filter(receipt_line__in=owed)
        .exclude(invoice__status=Status.CANCELLED)
        .order_by()
        .values_list("receipt_line_id", "invoice__kind")
        .annotate(amount=Sum("amount_excl_tax"))
    )
    for pk, kind, amount in rows:
        owed[pk] += amount if kind == Kind.INVOICE else -amount
    return {pk: to_cents(amount) for pk, amount in owed.items()}


def _differences(
    charged: Sequence[Charged], lines: Mapping[int, ReceiptLine], sign: int
) -> list[dict[str, str]]:
    """More pieces than are owed, or another price than was ordered (credited: than was charged).

    What came and stayed is owed to the supplier; what was charged beyond it is owed back. A lower
    price for what stays is owed by nothing that we know: there is nothing to compare. Pieces below
    zero on an invoice are credited.
    """
    credited = sign < 0 or any(c.quantity < 0 for c in charged)
    prices_charged = _prices_charged(lines) if credited else {}
    found = []
    for charge in charged:
        if charge.lowers_price:
            continue
        c, way = charge, sign
        if charge.quantity < 0:
            c, way = charge._replace(quantity=-charge.quantity), -sign
        prices = prices_charged if way < 0 else {}
        line = lines[c.receipt_line_id]
        due = way * (line.quantity - line.quantity_returned - line.quantity_invoiced)
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
    """The last price charged for each receipt line, as credit notes have lowered it (excl. tax a
    piece)."""
    standing = SupplierInvoiceLine.objects.filter(receipt_line__in=lines).exclude(
        invoice__status=Status.CANCELLED
    )
    prices = dict(
        standing.filter(invoice__kind=Kind.INVOICE, quantity__gt=0)
        .order_by("pk")
        .values_list("receipt_line_id", "unit_price_excl_tax")
    )
    lowered = standing.filter(lowers_price=True).order_by().values_list("receipt_line_id")
    for pk, amount, pieces in lowered.annotate(amount=Sum("amount_excl_tax"), n=Max("quantity")):
        prices[pk] = to_unit_price(prices.get(pk, ZERO) - amount / pieces)
    return prices


@transaction.atomic
def approve_supplier_invoice(
    *, invoice_id: int, at: datetime, reason: str = "", actor: Any = None
) -> SupplierInvoice:
    """Good to pay: what the goods still there cost follows the invoice, its carriage included.

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
    changes = changes_of(invoice)
    add_to_costs(invoice, changes, positions, at=at, actor=actor)
    for model in (SupplierInvoiceLine, CostShare):
        bearers: list[Any] = [c.bearer for c in changes if isinstance(c.bearer, model)]
        model._default_manager.bulk_update(bearers, ["cost_added"])
    record("supplier_invoice.approved", [invoice], actor=actor, reason=reason.strip()[:200])
    announce(supplier_invoice_approved, invoice_id=invoice.pk)
    return invoice


def _lock_positions(invoice_id: int) -> dict[Place, StockPosition]:
    borne = ReceiptLine.objects.filter(
        Q(invoice_lines__invoice=invoice_id) | Q(cost_shares__invoice=invoice_id)
    )
    return lock_places(
        borne.values_list("order_line__product_id", "receipt__purchase_order__warehouse_id")
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

    Pieces are to be invoiced again, what it added to the cost of goods still there goes back, and
    the entry, where one was made, is reversed by another.

    Raises:
        WrongState: no reason, it is paid, or a credit note has credited some of its pieces.
    """
    _lock_positions(invoice_id)
    invoice = SupplierInvoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    if invoice.status == Status.CANCELLED:
        return invoice
    if not reason.strip():
        raise WrongState(_("Dites pourquoi la facture est reprise."))
    if invoice.payment_parts.filter(payment__cancelled_at=None).exists():
        raise WrongState(
            _("%s a un règlement : reprenez d'abord le règlement.") % invoice.supplier_number
        )
    charged = list(invoice.lines.select_related("receipt_line").order_by("pk"))
    lines = {
        line.pk: line
        for line in ReceiptLine.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[c.receipt_line_id for c in charged])
        .order_by("pk")
    }
    owed, lowered = _amounts_charged(lines), _lowered(lines)
    for c in charged:
        line = lines[c.receipt_line_id]
        if not c.lowers_price:
            line.quantity_invoiced -= invoice.sign * c.quantity
        owed[line.pk] -= invoice.sign * c.amount_excl_tax
        if line.quantity_invoiced < 0 or (owed[line.pk] < 0 and line.pk in lowered):
            raise WrongState(
                _("Un avoir porte sur %s : reprenez d'abord l'avoir.") % invoice.supplier_number
            )
    ReceiptLine.objects.bulk_update(lines.values(), ["quantity_invoiced"])
    if invoice.status == Status.APPROVED:
        take_back_costs(invoice, at=at, actor=actor)
    invoice.status, invoice.cancelled_at = Status.CANCELLED, at
    invoice.decision = reason.strip()[:200]
    invoice.save(update_fields=["status", "cancelled_at", "decision"])
    record("supplier_invoice.cancelled", [invoice], actor=actor, reason=reason.strip()[:200])
    announce(supplier_invoice_cancelled, invoice_id=invoice.pk)
    return invoice


def _lowered(lines: Iterable[int]) -> set[int]:
    """Receipt lines of which a credit note lowers the price."""
    return set(
        SupplierInvoiceLine.objects.filter(receipt_line__in=list(lines), lowers_price=True)
        .exclude(invoice__status=Status.CANCELLED)
        .values_list("receipt_line_id", flat=True)
    )
