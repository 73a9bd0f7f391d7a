"""Bank statements taken in, and their lines matched to invoices."""

from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from invoicing.errors import BankLineClosed, PaymentRefused
from invoicing.events import money_moved, payments_made
from invoicing.matching import SURE, Proposal, propose
from invoicing.models import BankLine, Invoice, Payment
from invoicing.payouts import arrived_payouts
from invoicing.reading import read_statement
from invoicing.receivables import advances_of, payable_orders, with_balance
from invoicing.services.settling import write_off
from sales.locks import lock_orders
from sales.models import Order
from sales.services import confirm_order, confirm_orders
from sphinx.core.clock import PARIS
from sphinx.core.events import announce
from sphinx.core.four_eyes import REFUNDS, ask_for_two, submit
from sphinx.core.money import NOTHING, ZERO, to_cents
from sphinx.core.sealing import seal_soon
from sphinx.core.services import record
from sphinx.core.texts import said

Status = BankLine.Status
# Kept and printed on statements: in French, whoever matches.
TRANSFER, GIVEN_BACK = "Virement", "Remboursement"


class Taken(NamedTuple):
    """What a statement brought: lines, those that are new, and what couldn't be read."""

    lines: int
    new: int
    faults: list[str]


@transaction.atomic
def import_statement(*, name: str, data: bytes, actor: Any = None) -> Taken:
    """Take in a statement's lines; a line that is known already is passed over.

    Raises:
        InputError: the file is no statement, or none of its lines can be read.
    """
    rows, faults = read_statement(name, data)
    known = set(
        BankLine.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True)
    )
    fresh = {row.key: row for row in rows if row.key not in known}
    made = BankLine.objects.bulk_create(
        (
            BankLine(
                key=row.key,
                booked_on=row.booked_on,
                amount=row.amount,
                label=row.label,
                counterparty=row.counterparty,
                source_file=name[:200],
            )
            for row in fresh.values()
            if row.amount
        ),
        ignore_conflicts=True,
        batch_size=1000,
    )
    record("bank.imported", made[:1], actor=actor, file=name, lines=len(rows), new=len(made))
    return Taken(len(rows), len(made), faults)


@transaction.atomic
def match_line(
    *,
    line_id: int,
    shares: Sequence[tuple[int, Decimal]],
    difference: str = "",
    actor: Any = None,
) -> list[Payment]:
    """Say what a line paid: invoice id and amount (EUR), together the line's amount.

    Money that left (below 0) was given back for the invoices. What little is left on the last
    invoice is written off where `difference` says why (a kind of payment). Twice is refused.

    Raises:
        BankLineClosed: it was matched or put aside.
        PaymentRefused: the shares don't make the line.
        NothingToSettle: nothing is left, or too much to be written off.
        BusinessRuleError: money goes back, and a second person must agree.
    """
    if any(amount < 0 for _pk, amount in shares):
        ask_for_two(REFUNDS, actor)
    invoices = {i.pk: i for i in Invoice.objects.filter(pk__in=[pk for pk, _amount in shares])}
    list(lock_orders(i.order_id for i in invoices.values()))
    line = _open_line(line_id)
    if not shares or sum((amount for _pk, amount in shares), ZERO) != line.amount:
        raise PaymentRefused(
            _("Les parts doivent faire %s €, le montant de l'opération.") % line.amount
        )
    payments = [
        Payment(
            order_id=invoices[pk].order_id,
            invoice=invoices[pk],
            amount=amount,
            method=TRANSFER if line.amount > 0 else GIVEN_BACK,
            reference=f"banque:{line.key}:{rank}"[:100],
            paid_at=datetime.combine(line.booked_on, time(12), tzinfo=PARIS),
            bank_line=line,
        )
        for rank, (pk, amount) in enumerate(shares, start=1)
    ]
    made = Payment.objects.bulk_create(payments)
    announce(payments_made, payment_ids=[payment.pk for payment in made])
    seal_soon("payments", "transfers")
    line.status = Status.MATCHED
    line.save(update_fields=["status"])
    record(
        "bank.matched",
        [invoices[pk] for pk, _amount in shares],
        actor=actor,
        line=line.key,
        amount=str(line.amount),
    )
    if difference:
        at = payments[-1].paid_at
        write_off(invoice_id=shares[-1][0], kind=difference, at=at, actor=actor)
    return made


@transaction.atomic
def match_order(*, line_id: int, order_id: int, actor: Any = None) -> Payment:
    """Say that a line paid an order that isn't invoiced: an advance, and the order is confirmed.

    Its invoices take it. A part of what is due confirms nothing. Twice is once.

    Raises:
        BankLineClosed: it was matched otherwise, or put aside.
        PaymentRefused: the order is paid, invoiced or cancelled, or less is due.
        BusinessRuleError: the order was cancelled.
    """
    if known := Payment.objects.filter(bank_line=line_id, order=order_id, invoice=None).first():
        return known
    amount = BankLine.objects.get(pk=line_id).amount
    # Goods are locked before documents: what the line pays whole is confirmed first.
    if payable_orders().filter(pk=order_id, due__lt=amount + NOTHING).exists():
        confirm_order(order_id=order_id, actor=actor)
    order = lock_orders([order_id]).get()
    line = _open_line(line_id)
    due = to_cents(sum(payable_orders().filter(pk=order_id).values_list("due", flat=True), ZERO))
    if not 0 < line.amount <= due:
        raise PaymentRefused(
            _(
                "Commande %(number)s : %(due)s € à payer avant facture, l'opération est de "
                "%(amount)s €."
            )
            % said({"number": order.number, "due": due, "amount": line.amount})
        )
    made = _matched_ahead(line, order)
    record("bank.order_paid", [order], actor=actor, line=line.key, amount=str(line.amount))
    return made


def _matched_ahead(line: BankLine, order: Order) -> Payment:
    """The whole line as money of an order that isn't invoiced, or back from it."""
    made = _ahead(line, order, line.amount, 1)
    made.save()
    announce(payments_made, payment_ids=[made.pk])
    seal_soon("payments", "transfers")
    line.status = Status.MATCHED
    line.save(update_fields=["status"])
    return made


@transaction.atomic
def match_orders(*, line_id: int, order_ids: Sequence[int], actor: Any = None) -> list[Payment]:
    """Say that a line paid several orders that aren't invoiced, each what is due on it.

    All are confirmed. Twice is once.

    Raises:
        BankLineClosed: it was matched otherwise, or put aside.
        PaymentRefused: an order is paid, invoiced or cancelled, or they don't make the line.
        BusinessRuleError: an order was cancelled.
    """
    known = Payment.objects.filter(bank_line=line_id, order__in=order_ids, invoice=None)
    if len(known) == len(order_ids):
        return list(known)
    amount = BankLine.objects.get(pk=line_id).amount
    # Goods are locked before documents.
    if _due_in_all(order_ids) == amount:
        confirm_orders(order_ids=order_ids, actor=actor)
    orders = list(lock_orders(order_ids))
    line = _open_line(line_id)
    due = _dues(order_ids)
    if len(due) != len(order_ids) or sum(due.values(), ZERO) != line.amount:
        raise PaymentRefused(
            _("Ces commandes ne font pas %s € à payer avant facture, le montant de l'opération.")
            % line.amount
        )
    made = Payment.objects.bulk_create(
        _ahead(line, order, due[order.pk], rank) for rank, order in enumerate(orders, start=1)
    )
    announce(payments_made, payment_ids=[payment.pk for payment in made])
    seal_soon("payments", "transfers")
    line.status = Status.MATCHED
    line.save(update_fields=["status"])
    record("bank.order_paid", orders, actor=actor, line=line.key, amount=str(line.amount))
    return made


def _dues(order_ids: Sequence[int]) -> dict[int, Decimal]:
    rows = payable_orders().filter(pk__in=order_ids).values_list("pk", "due")
    return {pk: to_cents(due) for pk, due in rows}


def _due_in_all(order_ids: Sequence[int]) -> Decimal:
    return sum(_dues(order_ids).values(), ZERO)


@transaction.atomic
def give_back_advance(*, line_id: int, order_id: int, actor: Any = None) -> Payment:
    """Say that a line by which money left gives back what was paid ahead on an order.

    Twice is once.

    Raises:
        BankLineClosed: it was matched otherwise, or put aside.
        PaymentRefused: no money left by it, or less was paid ahead.
    """
    ask_for_two(REFUNDS, actor)
    order = lock_orders([order_id]).get()
    if known := Payment.objects.filter(bank_line=line_id, order=order, invoice=None).first():
        return known
    line = _open_line(line_id)
    advance = advances_of([order_id]).get(order_id, ZERO)
    if not 0 < -line.amount <= advance:
        raise PaymentRefused(
            _(
                "Commande %(number)s : %(advance)s € payés d'avance, l'opération est de "
                "%(amount)s €."
            )
            % said({"number": order.number, "advance": advance, "amount": line.amount})
        )
    made = _matched_ahead(line, order)
    record("bank.advance_given_back", [order], actor=actor, line=line.key, amount=str(line.amount))
    return made


def _ahead(line: BankLine, order: Order, amount: Decimal, rank: int) -> Payment:
    """What a line moves of an order's advance (EUR; below 0 it is given back)."""
    return Payment(
        order=order,
        amount=amount,
        method=TRANSFER if amount > 0 else GIVEN_BACK,
        reference=f"banque:{line.key}:{rank}"[:100],
        paid_at=datetime.combine(line.booked_on, time(12), tzinfo=PARIS),
        bank_line=line,
    )


def confirm_paid_ahead() -> int:
    """Sweep: confirm again what a newer file of the shop put back to wait, though it is paid here.

    Returns how many were; twice confirms none twice.
    """
    waiting = list(Order.objects.filter(pk__in=_paid_ahead()).order_by("pk"))
    for order in waiting:
        confirm_order(order_id=order.pk)
    return len(waiting)


def _paid_ahead() -> list[int]:
    """Orders to confirm whose advances make their total."""
    ahead = Payment.objects.filter(invoice=None, order__status=Order.Status.DRAFT)
    totals = (
        ahead.order_by().values_list("order", "order__total_incl_tax").annotate(paid=Sum("amount"))
    )
    return [order for order, total, paid in totals if to_cents(paid) >= total]


def match_proposed_orders(proposal: Proposal, *, actor: Any = None) -> None:
    """Accept the order, or the several, that a line is proposed to pay."""
    ids = [order.pk for order in proposal.orders]
    if len(ids) == 1:
        match_order(line_id=proposal.line.pk, order_id=ids[0], actor=actor)
    else:
        match_orders(line_id=proposal.line.pk, order_ids=ids, actor=actor)


def match_or_ask(
    *,
    line_id: int,
    shares: Sequence[tuple[int, Decimal]],
    difference: str = "",
    actor: Any = None,
) -> Any:
    """The same; what gives money back is asked for where the firm wants a second person.

    Returns what was made, or the request.
    """
    what: dict[str, Any] = {"line_id": line_id, "shares": shares, "difference": difference}
    if actor is None or not _gives_back(shares, difference):
        return match_line(**what, actor=actor)
    line = BankLine.objects.get(pk=line_id)
    return submit(
        "invoicing.match_line",
        about=_("%(amount)s € à rendre : %(label)s")
        % said({"amount": line.amount, "label": line.label}),
        actor=actor,
        **{**what, "shares": [[pk, str(amount)] for pk, amount in shares]},
    )


def _gives_back(shares: Sequence[tuple[int, Decimal]], difference: str) -> bool:
    if any(amount < 0 for _pk, amount in shares):
        return True
    if not difference or not shares:
        return False
    pk, amount = shares[-1]
    last = with_balance(Invoice.objects.filter(pk=pk)).first()
    # Too much was paid: what is written off was the customer's.
    return last is not None and to_cents(last.balance) < amount


def match_sure_lines(*, actor: Any = None) -> int:
    """Match every line whose proposal leaves no doubt, payouts too; returns how many."""
    lines = list(BankLine.objects.filter(status=Status.OPEN))
    done = 0
    for pk in arrived_payouts(lines):
        match_payout(line_id=pk, actor=actor)
        done += 1
    lines = list(BankLine.objects.filter(status=Status.OPEN))
    for proposal in propose(lines).values():
        if proposal.certainty != SURE:
            continue
        if proposal.orders:
            match_proposed_orders(proposal, actor=actor)
        else:
            match_line(
                line_id=proposal.line.pk,
                shares=[(share.invoice.pk, share.amount) for share in proposal.shares],
                actor=actor,
            )
        done += 1
    return done


@transaction.atomic
def match_payout(*, line_id: int, actor: Any = None) -> BankLine:
    """Say that a line is what a provider paid out: its net, within a week of its last movement.

    Raises:
        BankLineClosed: it was matched or put aside, or no payout is like it any more.
    """
    line = _open_line(line_id)
    payout = arrived_payouts([line]).get(line.pk)
    if payout is None:
        raise BankLineClosed(_("Plus aucun virement de prestataire ne fait ce montant."))
    line.status, line.payout = Status.MATCHED, payout.key[:120]
    line.save(update_fields=["status", "payout"])
    record("bank.payout", [line], actor=actor, payout=line.payout)
    announce(money_moved)
    return line


@transaction.atomic
def ignore_line(*, line_id: int, actor: Any = None) -> BankLine:
    """Put aside a line that pays no invoice: rent, salaries, a payout. Twice is once.

    Raises:
        BankLineClosed: it was matched.
    """
    if BankLine.objects.filter(pk=line_id, status=Status.IGNORED).exists():
        return BankLine.objects.get(pk=line_id)
    line = _open_line(line_id)
    line.status = Status.IGNORED
    line.save(update_fields=["status"])
    record("bank.ignored", [line], actor=actor)
    return line


def _open_line(line_id: int) -> BankLine:
    line = BankLine.objects.select_for_update(no_key=True).get(pk=line_id)
    if line.status != Status.OPEN:
        raise BankLineClosed(
            _("L'opération « %(label)s » est déjà classée (%(status)s).")
            % {"label": line.label, "status": line.get_status_display()}
        )
    return line
