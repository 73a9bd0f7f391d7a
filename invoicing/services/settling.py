"""What settles an invoice without money: an advance used, a credit set off, a difference."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from invoicing.errors import NothingToSettle
from invoicing.events import payments_made
from invoicing.models import Invoice, Payment, Transfer
from invoicing.receivables import WRITE_OFF_LIMIT, can_be_written_off, with_balance
from sales.locks import lock_orders
from sphinx.core.events import announce
from sphinx.core.four_eyes import REFUNDS, ask_for_two
from sphinx.core.money import ZERO, to_cents
from sphinx.core.sealing import seal_soon
from sphinx.core.services import record
from sphinx.core.texts import said

Kind = Payment.Kind
# Kept and printed on statements: in French, whoever settles.
ADVANCE_USED, SET_OFF = "Avance imputée", "Compensation"
_METHODS = {Kind.BANK_FEE: "Frais bancaires", Kind.ROUNDING: "Écart de règlement"}


class Place(NamedTuple):
    """Where an amount stands: on an invoice, or as an advance on the order itself."""

    order_id: int
    invoice: Invoice | None


class Used(NamedTuple):
    """A part of an order's advance (EUR) that an invoice takes."""

    order_id: int
    amount: Decimal


def use_advances(used: Sequence[tuple[Invoice, Sequence[Used]]]) -> None:
    """Move what was paid ahead to the invoices that take it; their orders are locked."""
    moves = [
        (
            amount,
            Place(order_id, None),
            Place(order_id, invoice),
            f"avance:{order_id}:{invoice.number}",
            invoice.issued_at,
        )
        for invoice, parts in used
        for order_id, amount in parts
    ]
    _move(moves, method=ADVANCE_USED)


def _move(
    moves: Sequence[tuple[Decimal, Place, Place, str, datetime]], *, method: str
) -> list[Payment]:
    """Take amounts from one place to another: two halves each, that come to zero."""
    if not moves:
        return []

    def half(place: Place, amount: Decimal, reference: str, at: datetime) -> Payment:
        return Payment(
            kind=Kind.TRANSFER,
            order_id=place.order_id,
            invoice=place.invoice,
            amount=amount,
            method=method,
            reference=reference[:100],
            paid_at=at,
        )

    given = Payment.objects.bulk_create(
        half(source, -amount, f"{reference}:-", at) for amount, source, _t, reference, at in moves
    )
    made = Payment.objects.bulk_create(
        half(target, amount, reference, at) for amount, _s, target, reference, at in moves
    )
    Transfer.objects.bulk_create(
        Transfer(given=source, taken=target) for source, target in zip(given, made, strict=True)
    )
    announce(payments_made, payment_ids=[payment.pk for payment in made])
    seal_soon("payments", "transfers")
    return made


@transaction.atomic
def set_off(*, credited_id: int, invoice_id: int, at: datetime, actor: Any = None) -> Payment:
    """Use what is owed back on one invoice for another of the same customer, as far as both go.

    Raises:
        NothingToSettle: they are of two customers, or nothing is owed on one side.
        BusinessRuleError: a second person must agree.
    """
    ask_for_two(REFUNDS, actor)
    orders = Invoice.objects.filter(pk__in=[credited_id, invoice_id]).values_list("order_id")
    list(lock_orders(pk for (pk,) in orders))
    found = {
        i.pk: i for i in with_balance(Invoice.objects.filter(pk__in=[credited_id, invoice_id]))
    }
    source, target = found.get(credited_id), found.get(invoice_id)
    amount = ZERO
    if source and target and source.customer_id == target.customer_id:
        amount = to_cents(min(-source.balance, target.balance))
    if not source or not target or amount <= 0:
        raise NothingToSettle(
            _("Rien à compenser : il faut un avoir à rendre et une facture due du même client.")
        )
    # What is owed back stands on the credit note, where there is one.
    document = source.credit_notes.order_by("-chain_index").first() or source
    rank = Payment.objects.filter(invoice=target).count() + 1
    reference = f"compensation:{document.number}:{target.number}:{rank}"
    (made,) = _move(
        [
            (
                amount,
                Place(document.order_id, document),
                Place(target.order_id, target),
                reference,
                at,
            )
        ],
        method=SET_OFF,
    )
    record("payment.set_off", [document, target], actor=actor, amount=str(amount))
    return made


@transaction.atomic
def write_off(*, invoice_id: int, kind: str, at: datetime, actor: Any = None) -> Payment:
    """Settle a small difference (EUR): the bank's fee, or what somebody rounded off.

    Too much that was paid is a difference too, but no fee.

    Raises:
        NothingToSettle: nothing is left, more than `WRITE_OFF_LIMIT`, or no such reason.
        BusinessRuleError: too much was paid, and a second person must agree.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    lock_orders([invoice.order_id]).get()
    balance = to_cents(with_balance(Invoice.objects.filter(pk=invoice_id)).get().balance)
    if not can_be_written_off(balance, kind):
        raise NothingToSettle(
            _("%(number)s : il reste %(left)s € ; un écart se solde jusqu'à %(limit)s €.")
            % said({"number": invoice.number, "left": balance, "limit": WRITE_OFF_LIMIT})
        )
    if balance < 0:
        ask_for_two(REFUNDS, actor)
    rank = Payment.objects.filter(invoice=invoice).count() + 1
    made = Payment.objects.create(
        kind=kind,
        order_id=invoice.order_id,
        invoice=invoice,
        amount=balance,
        method=_METHODS[Kind(kind)],
        reference=f"ecart:{invoice.number}:{rank}",
        paid_at=at,
    )
    announce(payments_made, payment_ids=[made.pk])
    seal_soon("payments", "transfers")
    record("payment.written_off", [invoice], actor=actor, amount=str(balance), reason=kind)
    return made
