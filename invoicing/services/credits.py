"""Credit notes: the only way to correct what was issued."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.amounts import Part, RateAmounts, net_parts, portion
from invoicing.errors import NothingToCredit, StructureRefused
from invoicing.events import invoices_issued
from invoicing.mentions import language_of
from invoicing.models import Invoice, InvoiceLine
from invoicing.selectors import (
    credited_amounts,
    credited_quantities,
    line_key,
    orders_to_credit,
)
from invoicing.services.building import tax_rows
from invoicing.services.issuing import write_documents
from invoicing.services.payments import refund_of_credit
from sales.locks import lock_orders
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.money import ZERO, plain, spread, tax_included
from sphinx.core.services import record

log = structlog.get_logger(__name__)


@transaction.atomic
def credit_invoice(
    *, invoice_id: int, amount: Decimal | None, reason: str, at: datetime, actor: Any = None
) -> Invoice:
    """Credit an invoice: in full what is left of it (`amount` None), or `amount` EUR incl. tax.

    In full, every line comes back as it was; an amount is spread over the invoice's rates in
    proportion to what is left at each. What is credited at a rate never exceeds what was
    invoiced at it, VAT included: the last credit takes the remainder.

    Raises:
        NothingToCredit: nothing is left, or `amount` is not within what is left.
    """
    original = Invoice.objects.select_related("order").get(pk=invoice_id, kind=Invoice.Kind.INVOICE)
    lock_orders([original.order_id]).get()
    done = credited_amounts(original)
    left = original.total_incl_tax - sum((total for total, _tax in done.values()), ZERO)
    wanted = left if amount is None else amount
    if wanted <= 0 or wanted > left:
        raise NothingToCredit(
            _("Facture %(number)s : il reste %(left)s € à créditer, %(wanted)s € demandés.")
            % {"number": original.number, "left": left, "wanted": wanted}
        )
    amounts = _amounts_by_rate(original, done, wanted, left)
    if wanted == original.total_incl_tax:
        lines = [_copy(line) for line in original.lines.all()]
    else:
        lines = _amount_lines(amounts, reason)
    return _issue(original, amounts, lines, reason, at, actor)


def _issue(
    original: Invoice,
    amounts: dict[Decimal, RateAmounts],
    lines: list[InvoiceLine],
    reason: str,
    at: datetime,
    actor: Any,
) -> Invoice:
    credit = _document(original, amounts, reason, at)
    write_documents([credit], {0: lines}, {0: tax_rows(amounts)}, at)
    record("credit_note.issued", [credit], actor=actor, invoice=original.number)
    announce(invoices_issued, invoice_ids=[credit.pk])
    return credit


@transaction.atomic
def credit_lines(
    *,
    invoice_id: int,
    quantities: Mapping[int, Decimal],
    reason: str,
    at: datetime,
    after_credits: int | None = None,
    actor: Any = None,
) -> Invoice:
    """Credit some pieces of an invoice: line id → pieces, each at its own price and rate.

    Portions are cumulative: all credits of a line make its amount exactly, and the last one of
    a rate takes what is left of its VAT. `after_credits` is how many credit notes the invoice
    had when somebody looked: the same form sent twice credits once.

    Raises:
        NothingToCredit: no piece, more than is left of a line, or of its rate's amount.
    """
    original = Invoice.objects.select_related("order").get(pk=invoice_id, kind=Invoice.Kind.INVOICE)
    lock_orders([original.order_id]).get()
    if after_credits is not None and original.credit_notes.count() != after_credits:
        raise NothingToCredit(
            _("Un avoir sur %s vient d'être établi : relisez ce qui reste.") % original
        )
    before = credited_quantities(original)
    lines, parts = [], []
    for line in original.lines.all():
        pieces, done = quantities.get(line.pk, ZERO), before.get(line_key(line), ZERO)
        if not pieces:
            continue
        if pieces < 0 or pieces > line.quantity - done:
            raise NothingToCredit(
                _("%(label)s : il reste %(left)s pièces à créditer.")
                % {"label": line.label, "left": plain(line.quantity - done)}
            )
        part = Part(
            line.tax_rate,
            portion(line.amount_incl_tax, done, pieces, line.quantity),
            portion(line.discount_incl_tax, done, pieces, line.quantity),
        )
        copy = _copy(line)
        copy.quantity, copy.amount_incl_tax, copy.discount_incl_tax = pieces, *part[1:]
        lines.append(copy)
        parts.append(part)
    amounts = _amounts_of(original, parts)
    for position, (line, part, net) in enumerate(
        zip(lines, parts, net_parts(parts, amounts), strict=True), start=1
    ):
        line.position, line.total_incl_tax = position, part.total
        line.amount_excl_tax, line.discount_excl_tax = net.amount, net.discount
        line.total_excl_tax = net.amount - net.discount
    return _issue(original, amounts, lines, reason, at, actor)


def _amounts_of(original: Invoice, parts: Sequence[Part]) -> dict[Decimal, RateAmounts]:
    """What the parts make at each rate, within what is left of it.

    Raises:
        NothingToCredit: there is no part, or more than is left.
    """
    done = credited_amounts(original)
    gross: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for part in parts:
        gross[part.rate] += part.total
    amounts = {}
    for tax in original.taxes.all():
        credited, credited_tax = done.get(tax.tax_rate, (ZERO, ZERO))
        left, tax_left = tax.total_incl_tax - credited, tax.tax - credited_tax
        share = gross.get(tax.tax_rate)
        if share is None:
            continue
        if share > left:
            raise NothingToCredit(
                _("Facture %(number)s : il reste %(left)s € à créditer à %(rate)s %%.")
                % {"number": original.number, "left": left, "rate": plain(tax.tax_rate)}
            )
        vat = tax_left if share == left else min(tax_included(share, tax.tax_rate), tax_left)
        amounts[tax.tax_rate] = RateAmounts(tax.tax_rate, share - vat, vat, share)
    if not sum(gross.values(), ZERO):
        raise NothingToCredit(_("Choisissez au moins une pièce à créditer."))
    return amounts


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
    invoices = list(order.invoices.order_by("chain_index"))
    credited = sum((i.total_incl_tax for i in invoices if i.sign < 0), ZERO)
    left = order.refunded_incl_tax - credited
    # Printed: in the document's language, whoever issues it.
    with translation.override(language_of(order)):
        reason = _("Remboursement par la boutique")
    made = []
    for invoice in (i for i in invoices if i.sign > 0):
        done = sum((total for total, _tax in credited_amounts(invoice).values()), ZERO)
        part = min(left, invoice.total_incl_tax - done)
        if part > 0:
            note = credit_invoice(
                invoice_id=invoice.pk,
                amount=part,
                reason=reason,
                at=at,
            )
            refund_of_credit(note, part, at)
            made.append(note)
            left -= part
    return made


def _amounts_by_rate(
    original: Invoice,
    done: dict[Decimal, tuple[Decimal, Decimal]],
    wanted: Decimal,
    left: Decimal,
) -> dict[Decimal, RateAmounts]:
    remaining = {
        t.tax_rate: (
            t.total_incl_tax - done.get(t.tax_rate, (ZERO, ZERO))[0],
            t.tax - done.get(t.tax_rate, (ZERO, ZERO))[1],
        )
        for t in original.taxes.all()
    }
    rates = [rate for rate, (total, _tax) in remaining.items() if total]
    shares = spread(wanted, [remaining[rate][0] for rate in rates])
    amounts = {}
    for rate, share in zip(rates, shares, strict=True):
        if not share:
            continue
        total, tax_left = remaining[rate]
        # The credit that empties a rate takes its remaining VAT; none takes more.
        tax = tax_left if share == total else min(tax_included(share, rate), tax_left)
        amounts[rate] = RateAmounts(rate, share - tax, tax, share)
    return amounts


def _copy(line: InvoiceLine) -> InvoiceLine:
    line.pk = None
    line._state.adding = True
    return line


def _amount_lines(amounts: dict[Decimal, RateAmounts], reason: str) -> list[InvoiceLine]:
    parts = [Part(rate, a.total, ZERO) for rate, a in amounts.items()]
    return [
        InvoiceLine(
            position=position,
            kind=InvoiceLine.Kind.GOODS,
            label=reason[:200],
            quantity=Decimal(1),
            tax_rate=part.rate,
            unit_price_excl_tax=net.amount,
            amount_incl_tax=part.amount,
            discount_incl_tax=ZERO,
            total_incl_tax=part.amount,
            amount_excl_tax=net.amount,
            discount_excl_tax=ZERO,
            total_excl_tax=net.amount,
        )
        for position, (part, net) in enumerate(
            zip(parts, net_parts(parts, amounts), strict=True), start=1
        )
    ]


def _document(
    original: Invoice, amounts: dict[Decimal, RateAmounts], reason: str, at: datetime
) -> Invoice:
    copied = (
        "shop_id order_id customer_id customer_code customer_name is_business auxiliary_account "
        "order_number currency tax_regime country mentions source_file source_sha256 source_line"
    ).split()
    totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for a in amounts.values():
        totals["total_excl_tax"] += a.base
        totals["total_tax"] += a.tax
        totals["total_incl_tax"] += a.total
    return Invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        credited_invoice=original,
        reason=reason[:200],
        issued_on=business_date(at),
        issued_at=at,
        due_on=business_date(at),
        paid_incl_tax=ZERO,
        **{name: getattr(original, name) for name in copied},
        **totals,
    )
