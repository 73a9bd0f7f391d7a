"""What a line of the bank's statement most likely paid, and why."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from invoicing.models import BankLine
from invoicing.provider_matching import words_of
from invoicing.receivables import (
    WRITE_OFF_LIMIT,
    open_invoices,
    orders_with_advance,
    payable_orders,
)
from sphinx.core.money import ZERO, to_cents
from sphinx.core.texts import fold

SURE, LIKELY, MAYBE = 3, 2, 1
# Shorter numbers stand in labels by chance.
_SHORTEST_ORDER = 4
_SHORTEST_NAME = 4


class Share(NamedTuple):
    """A part of the line's amount (EUR) for one invoice."""

    invoice: Any
    amount: Decimal


class Proposal(NamedTuple):
    """Invoices that a line pays, how sure that is (1 to 3), and the reason in words.

    Or, without any, the `orders` that it pays before they are invoiced, each what is due on it;
    of money that left, the one whose advance it gives back.
    """

    line: BankLine
    shares: list[Share]
    certainty: int
    reason: str
    orders: Sequence[Any] = ()

    @property
    def order(self) -> Any | None:
        """The first of its orders."""
        return self.orders[0] if self.orders else None

    @property
    def difference(self) -> Decimal:
        """What is left on the invoices after it (EUR), where that is little enough to settle."""
        left = sum((to_cents(share.invoice.balance) for share in self.shares), -self.line.amount)
        return left if self.shares and abs(left) <= WRITE_OFF_LIMIT else ZERO

    @property
    def keys(self) -> set[tuple[str, int]]:
        """What it pays: proposed once."""
        if self.orders:
            return {("order", order.pk) for order in self.orders}
        return {("invoice", share.invoice.pk) for share in self.shares}


class _Open:
    """Open invoices by everything that a label may name, and unpaid orders of the amounts."""

    def __init__(self, lines: Sequence[BankLine]) -> None:
        self.invoices = [i for i in open_invoices().select_related("customer") if i.balance > 0]
        self.by_number = {_bare(i.number): i for i in self.invoices}
        self.by_order: dict[str, list[Any]] = defaultdict(list)
        self.by_amount: dict[Decimal, list[Any]] = defaultdict(list)
        for invoice in self.invoices:
            self.by_order[_bare(invoice.order_number)].append(invoice)
            self.by_amount[to_cents(invoice.balance)].append(invoice)
        self.orders: dict[str, list[Any]] = defaultdict(list)
        named = {name for line in lines for name in _numbers_in(line.label)}
        for order in payable_orders([line.amount for line in lines], named):
            self.orders[_bare(order.number)].append(order)


def _bare(text: str) -> str:
    """Letters and digits only: FA2026-000012 and "FA 2026 000012" are one."""
    return re.sub(r"[^a-z0-9]", "", fold(text))


def propose(lines: Sequence[BankLine]) -> dict[int, Proposal]:
    """The best proposal for each line of money that came in, where there is one; of money that
    left, the advance that it gives back.

    An invoice is proposed once: the surer lines choose first.
    """
    received = [line for line in lines if line.amount > 0]
    found: list[Proposal] = []
    if received:
        known = _Open(received)
        found = [p for line in received if (p := _best(line, known))]
    found += _given_back([line for line in lines if line.amount < 0])
    found.sort(key=lambda p: (-p.certainty, p.line.booked_on, p.line.pk))
    taken: set[tuple[str, int]] = set()
    kept = {}
    for proposal in found:
        if not proposal.keys & taken:
            taken |= proposal.keys
            kept[proposal.line.pk] = proposal
    return kept


def _best(line: BankLine, known: _Open) -> Proposal | None:
    text = _bare(line.label)
    named = [invoice for number, invoice in known.by_number.items() if number in text]
    if named:
        exact = sum((i.balance for i in named), ZERO) == line.amount
        reason = _("le libellé nomme %s") % ", ".join(i.number for i in named)
        if exact:
            reason = _("%s, le montant est le bon") % reason
        return Proposal(line, _spread(line.amount, named), SURE if exact else LIKELY, reason)
    words = {_bare(word) for word in re.split(r"[^A-Za-z0-9#-]+", line.label)}
    ordered = [
        invoice
        for word in words
        if len(word) >= _SHORTEST_ORDER
        for invoice in known.by_order.get(word, ())
    ]
    if ordered:
        exact = sum((i.balance for i in ordered), ZERO) == line.amount
        reason = _("le libellé nomme la commande %s") % ordered[0].order_number
        return Proposal(line, _spread(line.amount, ordered), SURE if exact else LIKELY, reason)
    return _orders_named(line, known) or _by_amount(line, known)


def _names_in(label: str) -> set[str]:
    """The bare words of a label that may be numbers of orders."""
    words = {_bare(word) for word in re.split(r"[^A-Za-z0-9#-]+", label)}
    names = {word for word in words if len(word) >= _SHORTEST_ORDER}
    return names | {_bare(word) for word in words_of(label)}


def _numbers_in(label: str) -> set[str]:
    """The same as shops may write them: to look them up."""
    words = {word for word in re.split(r"[^A-Za-z0-9#_-]+", label) if word} | set(words_of(label))
    words |= {word.upper() for word in words}
    return words | {f"#{word.lstrip('#')}" for word in words}


def _orders_named(line: BankLine, known: _Open) -> Proposal | None:
    """The one unpaid order that the label names and whose amount this is; or all those that it
    names, where they come to it."""
    named = {
        order.pk: order for name in _names_in(line.label) for order in known.orders.get(name, ())
    }
    alike = [order for order in named.values() if to_cents(order.due) == line.amount]
    if len(alike) == 1:
        reason = _("le libellé nomme la commande %s, pas encore facturée, le montant est le bon")
        return Proposal(line, [], SURE, reason % alike[0].number, alike)
    orders = sorted(named.values(), key=lambda order: order.pk)
    whole = sum((to_cents(order.due) for order in orders), ZERO)
    # Two shops' orders of one number: nobody knows which is meant.
    if len({_bare(order.number) for order in orders}) != len(orders) or whole != line.amount:
        return None
    reason = _("le libellé nomme les commandes %s, pas encore facturées, le montant est le bon")
    numbers = ", ".join(order.number for order in orders)
    return Proposal(line, [], SURE, reason % numbers, orders)


def _given_back(lines: Sequence[BankLine]) -> list[Proposal]:
    """Money that left and names an order on which as much at least was paid ahead.

    Never sure: money that is given back is somebody's word, whatever the label says.
    """
    if not lines:
        return []
    advances: dict[str, list[Any]] = defaultdict(list)
    for order in orders_with_advance({name for ln in lines for name in _numbers_in(ln.label)}):
        advances[_bare(order.number)].append(order)
    found = []
    for line in lines:
        named = {o.pk: o for name in _names_in(line.label) for o in advances.get(name, ())}
        fit = [order for order in named.values() if to_cents(order.advance) >= -line.amount]
        if len(fit) == 1:
            reason = _("rend l'avance de la commande %s, que le libellé nomme") % fit[0].number
            found.append(Proposal(line, [], LIKELY, reason, fit))
    return found


def _by_amount(line: BankLine, known: _Open) -> Proposal | None:
    same = known.by_amount.get(line.amount, [])
    label = fold(f"{line.label} {line.counterparty}")
    called = [i for i in same if _is_named(i.customer_name, label)]
    if called:
        # Of several of one customer the oldest is paid first.
        return Proposal(
            line,
            [Share(called[0], line.amount)],
            LIKELY,
            _("même montant, et le libellé nomme %s") % called[0].customer_name,
        )
    if len(same) == 1:
        return Proposal(
            line, [Share(same[0], line.amount)], MAYBE, _("seule facture de ce montant")
        )
    return None


def _is_named(name: str, label: str) -> bool:
    words = [word for word in fold(name).split() if len(word) >= _SHORTEST_NAME]
    return bool(words) and all(word in label for word in words)


def _spread(amount: Decimal, invoices: Iterable[Any]) -> list[Share]:
    """The amount over the invoices, the longest due first; what is too much goes on the last."""
    shares = []
    left = amount
    for invoice in sorted(invoices, key=lambda i: (i.due_on, i.pk)):
        part = min(left, to_cents(invoice.balance))
        if part > 0:
            shares.append(Share(invoice, part))
            left -= part
    if left and shares:
        shares[-1] = Share(shares[-1].invoice, shares[-1].amount + left)
    return shares
