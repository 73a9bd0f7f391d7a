"""What shops refunded on invoiced orders, credited by article as far as the shop told.

A refund told by article is credited on that article, at its rate and with its name; one of
shipping on shipping. Only what is left is spread over the invoice's rates, and the line says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.amounts import Part, RateAmounts, credited_at
from invoicing.errors import StructureRefused
from invoicing.mentions import language_of
from invoicing.models import Invoice, InvoiceLine
from invoicing.selectors import (
    charged_amounts,
    credited_amounts,
    invoices_of,
    orders_to_credit,
    removed_amount,
)
from invoicing.services.building import fill_net
from invoicing.services.credits import copy_of, credit_invoice, issue_credit
from invoicing.services.payments import refund_of_credit
from sales.locks import lock_orders
from sales.models import Order, OrderLine
from sphinx.core.money import CENT, ZERO, portion, spread, to_cents

log = structlog.get_logger(__name__)

_Rates = dict[Decimal, tuple[Decimal, Decimal]]


class _Claim(NamedTuple):
    """What is to be credited on a line of an invoice: EUR incl. tax, and pieces.

    Without pieces it is an amount on that article: nobody says that the goods are back.
    """

    line: InvoiceLine
    amount: Decimal
    pieces: Decimal
    discount: Decimal = ZERO


def credit_refunds(*, at: datetime, order_ids: Iterable[int] | None = None) -> list[Invoice]:
    """Credit notes for what shops refunded on invoiced orders and that isn't credited yet.

    One transaction an order; a second run finds nothing left. One that would be no valid
    e-invoice is told in the log and doesn't hold the others back.
    """
    credits_made = []
    for order_id in orders_to_credit(order_ids).values_list("pk", flat=True):
        try:
            credits_made += _credit_order(order_id, at)
        except StructureRefused as error:
            log.warning("credit_note.refused", order_id=order_id, reason=error.message)
    return credits_made


@transaction.atomic
def _credit_order(order_id: int, at: datetime) -> list[Invoice]:
    order = lock_orders([order_id]).get()
    lines = list(order.lines.all())
    invoices = invoices_of([order.pk])[order.pk]
    credited = sum((i.total_incl_tax for i in invoices if i.sign < 0), ZERO)
    removed = to_cents(
        Order.objects.filter(pk=order.pk).values_list(removed_amount(), flat=True).get()
    )
    left = order.refunded_incl_tax - removed - credited
    claims = _claims(order, lines, invoices)
    made = []
    for invoice in (i for i in invoices if i.sign > 0):
        note = _credit_invoice(invoice, order, claims[invoice.pk], left, at)
        if note is not None:
            refund_of_credit(note, note.total_incl_tax, at)
            made.append(note)
            left -= note.total_incl_tax
    return made


def _credit_invoice(
    invoice: Invoice, order: Order, claims: Sequence[_Claim], left: Decimal, at: datetime
) -> Invoice | None:
    """Credit up to `left` EUR incl. tax of an invoice; None where there is nothing to credit."""
    charged = charged_amounts(invoice, order)
    done = credited_amounts(invoice, order if invoice.is_grouped else None)
    room = {rate: total - done.get(rate, (ZERO, ZERO))[0] for rate, (total, _t) in charged.items()}
    amount = min(left, sum(room.values(), ZERO))
    if amount <= 0:
        return None
    # Printed: in the document's language, whoever issues it.
    with translation.override(language_of(order)):
        reason = _("Remboursement par la boutique")
        if amount == invoice.total_incl_tax and not claims:
            return credit_invoice(
                invoice_id=invoice.pk, amount=amount, reason=reason, order=order, at=at
            )
        taken = _within(claims, room, amount)
        rest = _spread(room, amount - sum((c.amount for c in taken), ZERO))
        lines = [_line_of(claim) for claim in taken]
        lines += [_rest_line(rate, share, is_all=not taken) for rate, share in rest.items()]
    amounts = _amounts(lines, charged, done)
    _fill_net(lines, amounts)
    return issue_credit(invoice, order, amounts, lines, reason, at)


# --- What the shop says was refunded, by line ------------------------------------------------


def _claims(
    order: Order, lines: Sequence[OrderLine], invoices: Sequence[Invoice]
) -> dict[int, list[_Claim]]:
    """By the invoice's id."""
    found: dict[int, list[_Claim]] = defaultdict(list)
    invoiced = _invoiced_lines(order, invoices)
    credited = _credited_lines(order, invoices)
    for ordered in lines:
        own = invoiced[ordered.pk]
        if not own or not (ordered.quantity_refunded or ordered.refunded_incl_tax):
            continue
        before = credited[_key(ordered)]
        for claim in _claims_of_line(ordered, own, before):
            found[claim.line.invoice_id].append(claim)
    for claim in _shipping_claims(order, invoices, credited[_SHIPPING]):
        found[claim.line.invoice_id].append(claim)
    return found


_SHIPPING = (InvoiceLine.Kind.SHIPPING.value, "", ZERO)
_Key = tuple[str, str, Decimal]


class _Credited(NamedTuple):
    """What was credited before on an article: EUR incl. tax, and pieces."""

    amount: Decimal = ZERO
    pieces: Decimal = ZERO


def _key(line: OrderLine | InvoiceLine) -> _Key:
    return line.kind, line.sku or line.label, line.tax_rate


def _invoiced_lines(order: Order, invoices: Sequence[Invoice]) -> dict[int, list[InvoiceLine]]:
    found: dict[int, list[InvoiceLine]] = defaultdict(list)
    rows = InvoiceLine.objects.filter(
        invoice__in=[i.pk for i in invoices if i.sign > 0],
        delivery_line__order_line__order=order,
    ).annotate(order_line_id=F("delivery_line__order_line"))
    for line in rows.order_by("invoice__chain_index", "position"):
        found[line.order_line_id].append(line)
    return found


def _credited_lines(order: Order, invoices: Sequence[Invoice]) -> dict[_Key, _Credited]:
    found: dict[_Key, _Credited] = defaultdict(_Credited)
    credit_notes = [i.pk for i in invoices if i.sign < 0 and i.order_id == order.pk]
    for line in InvoiceLine.objects.filter(invoice__in=credit_notes):
        key = _SHIPPING if line.kind == InvoiceLine.Kind.SHIPPING else _key(line)
        before = found[key]
        pieces = line.quantity if line.delivery_line_id else ZERO
        found[key] = _Credited(before.amount + line.total_incl_tax, before.pieces + pieces)
    return found


def _claims_of_line(
    ordered: OrderLine, invoiced: Sequence[InvoiceLine], before: _Credited
) -> list[_Claim]:
    """Pieces refunded after they left; an amount where it isn't what the pieces cost."""
    pieces = max(ordered.quantity_refunded - ordered.quantity_removed - before.pieces, ZERO)
    claims = []
    for line in invoiced:
        taken = min(pieces, line.quantity)
        pieces -= taken
        if taken:
            amount = portion(line.amount_incl_tax, line.quantity - taken, taken, line.quantity)
            discount = portion(line.discount_incl_tax, line.quantity - taken, taken, line.quantity)
            claims.append(_Claim(line, amount - discount, taken, discount))
    if ordered.refunded_incl_tax is None:
        return claims
    due = ordered.refunded_incl_tax - ordered.removed_incl_tax - before.amount
    worth = sum((claim.amount for claim in claims), ZERO)
    if claims and abs(due - worth) <= CENT * len(claims):
        return claims
    return [_Claim(invoiced[0], due, ZERO)] if due > 0 else []


def _shipping_claims(order: Order, invoices: Sequence[Invoice], before: _Credited) -> list[_Claim]:
    due = order.shipping_refunded_incl_tax - before.amount
    if due <= 0:
        return []
    ids = [i.pk for i in invoices if i.sign > 0 and not i.is_grouped]
    lines = list(
        InvoiceLine.objects.filter(invoice__in=ids, kind=InvoiceLine.Kind.SHIPPING).order_by(
            "invoice__chain_index", "position"
        )
    )
    whole = sum((line.total_incl_tax for line in lines), ZERO)
    if not whole:
        return []
    shares = spread(min(due, whole), [line.total_incl_tax for line in lines])
    return [
        _Claim(line, share, line.quantity, line.discount_incl_tax)
        if share == line.total_incl_tax
        else _Claim(line, share, ZERO)
        for line, share in zip(lines, shares, strict=True)
        if share
    ]


# --- The credit note's lines -----------------------------------------------------------------


def _within(
    claims: Sequence[_Claim], room: dict[Decimal, Decimal], amount: Decimal
) -> list[_Claim]:
    """The claims as far as there is something left at their rates, and in all; `room` shrinks."""
    taken = []
    for claim in claims:
        possible = min(claim.amount, amount, room.get(claim.line.tax_rate, ZERO))
        if possible <= 0:
            continue
        room[claim.line.tax_rate] -= possible
        amount -= possible
        whole = possible == claim.amount
        taken.append(claim if whole else claim._replace(amount=possible, pieces=ZERO))
    return taken


def _spread(room: Mapping[Decimal, Decimal], amount: Decimal) -> dict[Decimal, Decimal]:
    rates = [rate for rate, left in room.items() if left > 0]
    shares = spread(amount, [room[rate] for rate in rates]) if amount > 0 else []
    return {rate: share for rate, share in zip(rates, shares, strict=False) if share}


def _line_of(claim: _Claim) -> InvoiceLine:
    line = copy_of(claim.line)
    if claim.pieces:
        line.quantity = claim.pieces
        line.amount_incl_tax = claim.amount + claim.discount
        line.discount_incl_tax = claim.discount
    else:
        line.delivery_line_id = None
        line.quantity = Decimal(1)
        line.label = (_("Remboursement sur : %s") % claim.line.label)[:200]
        line.amount_incl_tax, line.discount_incl_tax = claim.amount, ZERO
    line.total_incl_tax = claim.amount
    return line


def _rest_line(rate: Decimal, share: Decimal, *, is_all: bool) -> InvoiceLine:
    label = _("Remboursement par la boutique, réparti selon les taux")
    if not is_all:
        label = _("Reste du remboursement, réparti selon les taux")
    return InvoiceLine(
        kind=InvoiceLine.Kind.GOODS,
        label=label,
        quantity=Decimal(1),
        tax_rate=rate,
        unit_price_excl_tax=ZERO,
        amount_incl_tax=share,
        discount_incl_tax=ZERO,
        total_incl_tax=share,
    )


def _amounts(
    lines: Sequence[InvoiceLine], charged: _Rates, done: _Rates
) -> dict[Decimal, RateAmounts]:
    gross: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        gross[line.tax_rate] += line.total_incl_tax
    return {
        rate: credited_at(rate, gross[rate], charged[rate], done.get(rate, (ZERO, ZERO)))
        for rate in sorted(gross, reverse=True)
    }


def _fill_net(lines: Sequence[InvoiceLine], amounts: Mapping[Decimal, RateAmounts]) -> None:
    parts = [Part(line.tax_rate, line.amount_incl_tax, line.discount_incl_tax) for line in lines]
    fill_net(lines, parts, amounts)
    for line in lines:
        if not line.delivery_line_id and line.kind == InvoiceLine.Kind.GOODS:
            line.unit_price_excl_tax = line.amount_excl_tax
