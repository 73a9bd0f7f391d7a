"""What payment providers say beside the books: payouts, fees, and where the two differ."""

from collections import defaultdict
from collections.abc import Iterable
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
# Movements that no order stands behind.
NO_SALE = (Kind.OTHER, Kind.PAYOUT)
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
    key: str


class Gap(NamedTuple):
    """An order, or a movement without one, on which books and provider differ.

    `movement` is the one that no order is known for.
    """

    order: Order | None
    title: str
    books: Decimal | None
    provider: Decimal
    reason: str
    movement: ProviderTransaction | None = None


def payouts(limit: int = 60) -> list[Payout]:
    """The latest payouts, or days where a provider names none."""
    return _with_bank_lines(_grouped()[:limit])


def arrived_payouts(lines: Iterable[BankLine]) -> dict[int, Payout]:
    """Open lines of the bank that are a payout, by the line's id: its net, within a week."""
    wanted = {line.pk: line for line in lines if line.status == BankLine.Status.OPEN}
    if not wanted:
        return {}
    since = min(line.booked_on for line in wanted.values()) - ON_THE_WAY
    found: dict[int, Payout] = {}
    for payout in _with_bank_lines(_grouped().filter(last__gte=since)):
        if payout.bank_line and payout.bank_line.pk in wanted and not payout.bank_line.payout:
            found.setdefault(payout.bank_line.pk, payout)
    return found


def _grouped() -> QuerySet[Any, Any]:
    """Movements by payout; a transfer that a provider tells as a movement is one by itself."""
    rows = ProviderTransaction.objects.annotate(
        group=Case(When(kind=Kind.PAYOUT, then=F("reference")), default=F("payout")),
        is_transfer=Case(When(kind=Kind.PAYOUT, then=Value(-1)), default=Value(1)),
    )
    return (
        rows.order_by()
        .values("provider", "group", "is_transfer")
        .annotate(
            last=Max("occurred_on"),
            count=Count("pk"),
            gross_sum=Sum("gross"),
            fee_sum=Sum("fee"),
            net_sum=Sum("net"),
        )
        .order_by("-last", "provider", "group")
    )


def _with_bank_lines(rows: Iterable[Any]) -> list[Payout]:
    """Each with the first line of the bank of its net within a week, told once."""
    groups = list(rows)
    nets = [to_cents(row["net_sum"]) * row["is_transfer"] for row in groups]
    lines: dict[Decimal, list[BankLine]] = defaultdict(list)
    for line in BankLine.objects.filter(amount__in=set(nets)).order_by("booked_on", "pk"):
        lines[line.amount].append(line)
    by_key = {line.payout: line for found in lines.values() for line in found if line.payout}

    def at_the_bank(key: str, net: Decimal, last: date) -> BankLine | None:
        free = (n for n in lines[net] if not n.payout and n.status != BankLine.Status.MATCHED)
        return by_key.get(key) or next(
            (n for n in free if last <= n.booked_on <= last + ON_THE_WAY), None
        )

    return [
        Payout(
            Provider(row["provider"]).label,
            row["group"],
            row["last"],
            row["count"],
            to_cents(row["gross_sum"]) * row["is_transfer"],
            to_cents(row["fee_sum"]),
            net,
            at_the_bank(payout_key(row["provider"], row["group"]), net, row["last"])
            if row["group"]
            else None,
            payout_key(row["provider"], row["group"]),
        )
        for row, net in zip(groups, nets, strict=True)
    ]


def payout_key(provider: str, reference: str) -> str:
    """What a line of the bank keeps of the payout that it is."""
    return f"{provider}:{reference}"


def matched_movements(limit: int = 60) -> list[ProviderTransaction]:
    """The latest movements whose order is known, each with why."""
    found = ProviderTransaction.objects.filter(order__isnull=False).select_related("order")
    return list(found[:limit])


def provider_gaps() -> list[Gap]:
    """Movements without an order, and orders that a provider was paid another amount for.

    Money taken for an order, less what was given back, should be the order's total less its
    refunds; an order that the shop holds for unpaid should not be there at all.
    """
    strange = ProviderTransaction.objects.filter(order=None).exclude(kind__in=NO_SALE)
    gaps = [
        Gap(
            None,
            str(movement),
            None,
            movement.gross,
            _("aucune commande « %s »") % (movement.order_text or "?"),
            movement,
        )
        for movement in strange.order_by("occurred_on", "pk")
    ]
    return gaps + [_gap(order) for order in _orders_that_differ()]


def _orders_that_differ() -> QuerySet[Any]:
    """Orders with `taken`, what providers took for them, where that isn't `due`."""
    taken = (
        ProviderTransaction.objects.filter(order=OuterRef("pk"))
        .exclude(kind__in=NO_SALE)
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
