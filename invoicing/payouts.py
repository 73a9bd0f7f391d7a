"""What payment providers say beside the books: payouts, fees, and where the two differ."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    Count,
    DecimalField,
    F,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.utils.translation import gettext as _

from invoicing.models import BankLine, ProviderTransaction
from sales.models import Order
from sphinx.core.money import ZERO, to_cents

Kind, Provider = ProviderTransaction.Kind, ProviderTransaction.Provider
_MONEY = DecimalField(max_digits=16, decimal_places=2)
_NOTHING = Decimal("0.005")
# A payout reaches the bank within so many days.
ON_THE_WAY = timedelta(days=7)


class Payout(NamedTuple):
    """Movements that a provider paid out together (EUR), and the bank's line of that amount."""

    provider: str
    reference: str
    last_on: date
    movements: int
    gross: Decimal
    fees: Decimal
    net: Decimal
    bank_line: BankLine | None


class Gap(NamedTuple):
    """An order, or a movement without one, on which books and provider differ."""

    order: Order | None
    title: str
    books: Decimal | None
    provider: Decimal
    reason: str


def payouts(limit: int = 60) -> list[Payout]:
    """The latest payouts, or days where a provider names none."""
    rows = list(
        ProviderTransaction.objects.order_by()
        .values("provider", "payout")
        .annotate(
            last=Max("occurred_on"),
            count=Count("pk"),
            gross_sum=Sum("gross"),
            fee_sum=Sum("fee"),
            net_sum=Sum("net"),
        )
        .order_by("-last", "provider", "payout")[:limit]
    )
    lines: dict[Decimal, list[BankLine]] = defaultdict(list)
    for line in BankLine.objects.filter(amount__in=[to_cents(r["net_sum"]) for r in rows]):
        lines[line.amount].append(line)

    def at_the_bank(net: Decimal, last: date) -> BankLine | None:
        near = [n for n in lines[net] if last <= n.booked_on <= last + ON_THE_WAY]
        return min(near, key=lambda n: n.booked_on, default=None)

    return [
        Payout(
            Provider(row["provider"]).label,
            row["payout"],
            row["last"],
            row["count"],
            to_cents(row["gross_sum"]),
            to_cents(row["fee_sum"]),
            to_cents(row["net_sum"]),
            at_the_bank(to_cents(row["net_sum"]), row["last"]) if row["payout"] else None,
        )
        for row in rows
    ]


def provider_gaps() -> list[Gap]:
    """Movements without an order, and orders that a provider was paid another amount for.

    Money taken for an order, less what was given back, should be the order's total less its
    refunds; an order that the shop holds for unpaid should not be there at all.
    """
    strange = ProviderTransaction.objects.filter(order=None).exclude(kind=Kind.OTHER)
    gaps = [
        Gap(
            None,
            str(movement),
            None,
            movement.gross,
            _("aucune commande « %s »") % (movement.order_text or "?"),
        )
        for movement in strange.order_by("occurred_on", "pk")
    ]
    return gaps + [_gap(order) for order in _orders_that_differ()]


def _orders_that_differ() -> QuerySet[Any]:
    """Orders with `taken`, what providers took for them, where that isn't `due`."""
    taken = (
        ProviderTransaction.objects.filter(order=OuterRef("pk"))
        .exclude(kind=Kind.OTHER)
        .order_by()
        .values("order")
        .annotate(total=Sum("gross"))
        .values("total")
    )
    due = Case(
        When(payment_status=Order.PaymentStatus.UNPAID, then=Value(ZERO)),
        default=F("total_incl_tax") - F("refunded_incl_tax"),
        output_field=_MONEY,
    )
    return (
        Order.objects.annotate(taken=Subquery(taken, output_field=_MONEY), due=due)
        .filter(taken__isnull=False)
        .annotate(gap=F("taken") - F("due"))
        # SQLite sums in binary: less than half a cent is nothing.
        .exclude(gap__gt=-_NOTHING, gap__lt=_NOTHING)
        .order_by("placed_at", "pk")
    )


def _gap(order: Any) -> Gap:
    is_unpaid = order.payment_status == Order.PaymentStatus.UNPAID
    reason = (
        _("payée chez le prestataire, pas à la boutique") if is_unpaid else _("montants différents")
    )
    return Gap(
        order, _("Commande %s") % order.number, to_cents(order.due), to_cents(order.taken), reason
    )
