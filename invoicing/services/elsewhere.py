"""Credit notes on invoices that another system issued: goods sold before come back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.errors import NothingToCredit
from invoicing.events import invoices_issued
from invoicing.models import Invoice, InvoiceLine, TaxBreakdown
from invoicing.selectors import OF_ELSEWHERE
from invoicing.services.building import Builder
from invoicing.services.issuing import write_documents
from sales.locks import lock_orders
from sales.models import Order, OrderLine
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.four_eyes import REFUNDS, ask_for_two
from sphinx.core.money import ZERO, plain
from sphinx.core.services import record

_Key = tuple[str, str, Decimal]


class Elsewhere(NamedTuple):
    """What a credit note of that kind may still credit of an order."""

    pieces: dict[int, Decimal]
    has_shipping: bool


@transaction.atomic
def credit_elsewhere(
    *,
    order_id: int,
    number: str,
    issued_on: date,
    quantities: Mapping[int, Decimal],
    with_shipping: bool,
    reason: str,
    at: datetime,
    after_credits: int | None = None,
    actor: Any = None,
) -> Invoice:
    """Credit pieces of an order that another system invoiced: order line id → pieces.

    `number` and `issued_on` are those of the other system's invoice; they are printed. Amounts
    are the order's own: all credits of an order make its total and its VAT exactly.
    `after_credits` is how many the order had when somebody looked.

    Raises:
        NothingToCredit: the order was invoiced here, there is no reference, no piece, or there
            are more than are left.
        StructureRefused: a professional's document would be no valid e-invoice.
        BusinessRuleError: a second person must agree.
    """
    ask_for_two(REFUNDS, actor)
    order = lock_orders([order_id]).get()
    _check_reference(order, number, issued_on, at)
    credits_before = Invoice.objects.filter(OF_ELSEWHERE, order=order)
    if after_credits is not None and credits_before.count() != after_credits:
        raise NothingToCredit(
            _("Un avoir sur %s vient d'être établi : relisez ce qui reste.") % order.number
        )
    builder = Builder([], {order.pk: order}, at)
    builder.invoiced_amounts[order.pk] = _credited_amounts(order)
    lines = _lines(builder, order, quantities, with_shipping=with_shipping)
    document = builder.build(order, None, lines)
    document.kind, document.reason = Invoice.Kind.CREDIT_NOTE, reason[:200]
    document.due_on, document.paid_incl_tax = business_date(at), ZERO
    document.mentions["credited"] = {"number": number.strip(), "issued_on": issued_on.isoformat()}
    write_documents([document], builder.lines, builder.taxes, at)
    record("credit_note.issued", [document], actor=actor, invoice=number.strip())
    announce(invoices_issued, invoice_ids=[document.pk])
    return document


def left_to_credit_elsewhere(order: Order, lines: Sequence[OrderLine]) -> Elsewhere:
    """Pieces of each order line, and shipping, that no such credit note took yet."""
    done: dict[_Key, Decimal] = defaultdict(lambda: ZERO)
    has_shipping = bool(order.shipping_incl_tax)
    for line in InvoiceLine.objects.filter(invoice__in=_credits_of(order)):
        if line.kind == InvoiceLine.Kind.SHIPPING:
            has_shipping = False
        else:
            done[_key(line)] += line.quantity
    pieces = {}
    for ordered in lines:
        taken = min(done[_key(ordered)], ordered.quantity)
        done[_key(ordered)] -= taken
        pieces[ordered.pk] = ordered.quantity - taken
    return Elsewhere(pieces, has_shipping)


def _check_reference(order: Order, number: str, issued_on: date, at: datetime) -> None:
    if not (order.is_history or order.invoiced_elsewhere):
        raise NothingToCredit(
            _("La commande %s se facture ici : établissez l'avoir sur sa facture.") % order.number
        )
    if not number.strip():
        raise NothingToCredit(_("Donnez le numéro de la facture d'origine."))
    if issued_on > business_date(at):
        raise NothingToCredit(_("La facture d'origine ne peut pas être datée de demain."))


def _lines(
    builder: Builder, order: Order, quantities: Mapping[int, Decimal], *, with_shipping: bool
) -> list[InvoiceLine]:
    ordered_lines = builder.order_lines[order.pk]
    left = left_to_credit_elsewhere(order, ordered_lines)
    lines = []
    for ordered in ordered_lines:
        pieces = quantities.get(ordered.pk, ZERO)
        if pieces < 0 or pieces > left.pieces[ordered.pk]:
            raise NothingToCredit(
                _("%(label)s : il reste %(left)s pièces à créditer.")
                % {"label": ordered.label, "left": plain(left.pieces[ordered.pk])}
            )
        if pieces:
            done = ordered.quantity - left.pieces[ordered.pk]
            lines.append(builder.line_of(ordered, pieces, done))
    if with_shipping and left.has_shipping:
        lines += builder.shipping_lines(order)
    if not lines:
        raise NothingToCredit(_("Choisissez au moins une pièce à créditer."))
    return lines


def _credits_of(order: Order) -> Any:
    return Invoice.objects.filter(OF_ELSEWHERE, order=order)


def _credited_amounts(order: Order) -> dict[Decimal, tuple[Decimal, Decimal]]:
    found: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for tax in TaxBreakdown.objects.filter(invoice__in=_credits_of(order)):
        total, vat = found.get(tax.tax_rate, (ZERO, ZERO))
        found[tax.tax_rate] = (total + tax.total_incl_tax, vat + tax.tax)
    return found


def _key(line: OrderLine | InvoiceLine) -> _Key:
    return line.kind, line.sku or line.label, line.tax_rate
