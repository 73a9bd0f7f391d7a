"""Credit notes: the only way to correct what was issued."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.amounts import Part, RateAmounts, credited_at, net_parts
from invoicing.errors import NothingToCredit
from invoicing.events import invoices_issued
from invoicing.models import Invoice, InvoiceLine
from invoicing.selectors import (
    charged_amounts,
    credited_amounts,
    credited_quantities,
    line_key,
    order_of_line,
)
from invoicing.services.building import tax_rows
from invoicing.services.issuing import write_documents
from sales.locks import lock_orders
from sales.models import Order
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.four_eyes import REFUNDS, ask_for_two
from sphinx.core.money import ZERO, plain, portion, spread, tax_included
from sphinx.core.services import record
from sphinx.core.texts import said


@transaction.atomic
def credit_invoice(
    *,
    invoice_id: int,
    amount: Decimal | None,
    reason: str,
    at: datetime,
    order: Order | None = None,
    actor: Any = None,
) -> Invoice:
    """Credit an invoice: in full what is left of it (`amount` None), or `amount` EUR incl. tax.

    In full, every line comes back as it was; an amount is spread over the invoice's rates in
    proportion to what is left at each. What is credited at a rate never exceeds what was
    invoiced at it, VAT included: the last credit takes the remainder. Of a grouped invoice only
    one `order` is credited at a time.

    Raises:
        NothingToCredit: nothing is left, or `amount` is not within what is left.
        BusinessRuleError: a second person must agree.
    """
    ask_for_two(REFUNDS, actor)
    original = Invoice.objects.select_related("order").get(pk=invoice_id, kind=Invoice.Kind.INVOICE)
    if original.is_grouped and order is None:
        raise NothingToCredit(
            _("%s groupe plusieurs commandes : créditez-les une à une, pièce par pièce.")
            % original.number
        )
    of_order = order or original.order
    list(lock_orders({original.order_id, of_order.pk}))
    charged = charged_amounts(original, of_order)
    done = credited_amounts(original, of_order if original.is_grouped else None)
    left = sum((total for total, _tax in charged.values()), ZERO)
    left -= sum((total for total, _tax in done.values()), ZERO)
    wanted = left if amount is None else amount
    if wanted <= 0 or wanted > left:
        raise NothingToCredit(
            _("Facture %(number)s : il reste %(left)s € à créditer, %(wanted)s € demandés.")
            % said({"number": original.number, "left": left, "wanted": wanted})
        )
    amounts = amounts_by_rate(charged, done, wanted)
    if wanted == original.total_incl_tax:
        lines = [copy_of(line) for line in original.lines.all()]
    else:
        lines = amount_lines(amounts, reason)
    return issue_credit(original, of_order, amounts, lines, reason, at, actor)


def issue_credit(
    original: Invoice,
    order: Order,
    amounts: dict[Decimal, RateAmounts],
    lines: list[InvoiceLine],
    reason: str,
    at: datetime,
    actor: Any = None,
) -> Invoice:
    """Number and chain a credit note of these amounts and lines, and tell of it."""
    credit = _document(original, order, amounts, reason, at)
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
        BusinessRuleError: a second person must agree.
    """
    ask_for_two(REFUNDS, actor)
    original = Invoice.objects.select_related("order").get(pk=invoice_id, kind=Invoice.Kind.INVOICE)
    order = _order_of_lines(original, quantities)
    list(lock_orders({original.order_id, order.pk}))
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
        copy = copy_of(line)
        copy.quantity, copy.amount_incl_tax, copy.discount_incl_tax = pieces, *part[1:]
        lines.append(copy)
        parts.append(part)
    amounts = _amounts_of(original, order, parts)
    for position, (line, part, net) in enumerate(
        zip(lines, parts, net_parts(parts, amounts), strict=True), start=1
    ):
        line.position, line.total_incl_tax = position, part.total
        line.amount_excl_tax, line.discount_excl_tax = net.amount, net.discount
        line.total_excl_tax = net.amount - net.discount
    return issue_credit(original, order, amounts, lines, reason, at, actor)


def _order_of_lines(original: Invoice, quantities: Mapping[int, Decimal]) -> Order:
    """The order whose lines are credited: of a grouped invoice, one at a time.

    Raises:
        NothingToCredit: lines of several orders.
    """
    if not original.is_grouped:
        return original.order
    numbers = {
        order_of_line(original, line) for line in original.lines.all() if quantities.get(line.pk)
    }
    if len(numbers) > 1:
        raise NothingToCredit(
            _("Un avoir est d'une seule commande : choisissez les pièces de l'une d'elles.")
        )
    notes = original.invoiced_notes.select_related("delivery_note__order")
    found = [n.delivery_note.order for n in notes if n.delivery_note.order.number in numbers]
    return found[0] if found else original.order


def _amounts_of(
    original: Invoice, order: Order, parts: Sequence[Part]
) -> dict[Decimal, RateAmounts]:
    """What the parts make at each rate, within what is left of it.

    Raises:
        NothingToCredit: there is no part, or more than is left.
    """
    done = credited_amounts(original, order if original.is_grouped else None)
    gross: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for part in parts:
        gross[part.rate] += part.total
    amounts = {}
    for rate, (charged, charged_tax) in charged_amounts(original, order).items():
        credited = done.get(rate, (ZERO, ZERO))
        left = charged - credited[0]
        share = gross.get(rate)
        if share is None:
            continue
        if share > left:
            raise NothingToCredit(
                _("Facture %(number)s : il reste %(left)s € à créditer à %(rate)s %%.")
                % said({"number": original.number, "left": left, "rate": Decimal(plain(rate))})
            )
        amounts[rate] = credited_at(rate, share, (charged, charged_tax), credited)
    if not sum(gross.values(), ZERO):
        raise NothingToCredit(_("Choisissez au moins une pièce à créditer."))
    return amounts


def amounts_by_rate(
    charged: Mapping[Decimal, tuple[Decimal, Decimal]],
    done: Mapping[Decimal, tuple[Decimal, Decimal]],
    wanted: Decimal,
) -> dict[Decimal, RateAmounts]:
    """`wanted` EUR incl. tax, spread over the rates in proportion to what is left at each."""
    remaining = {
        rate: (
            total - done.get(rate, (ZERO, ZERO))[0],
            tax - done.get(rate, (ZERO, ZERO))[1],
        )
        for rate, (total, tax) in charged.items()
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


def copy_of(line: InvoiceLine) -> InvoiceLine:
    """The same line, to be written anew."""
    line.pk = None
    line._state.adding = True
    return line


def amount_lines(amounts: dict[Decimal, RateAmounts], reason: str) -> list[InvoiceLine]:
    """A line a rate, for an amount that names no goods."""
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
    original: Invoice,
    order: Order,
    amounts: dict[Decimal, RateAmounts],
    reason: str,
    at: datetime,
) -> Invoice:
    copied = (
        "shop_id customer_id customer_code customer_name is_business auxiliary_account "
        "order_number currency tax_regime country mentions source_file source_sha256 source_line"
    ).split()
    totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for a in amounts.values():
        totals["total_excl_tax"] += a.base
        totals["total_tax"] += a.tax
        totals["total_incl_tax"] += a.total
    values = {name: getattr(original, name) for name in copied}
    if original.is_grouped:
        values["order_number"] = order.number
        values["mentions"] = {k: v for k, v in original.mentions.items() if k != "notes"}
    return Invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        credited_invoice=original,
        reason=reason[:200],
        issued_on=business_date(at),
        issued_at=at,
        due_on=business_date(at),
        paid_incl_tax=ZERO,
        order=order,
        **values,
        **totals,
    )
