"""How suppliers keep their word: delay, quantity, price, share of purchases."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean, pstdev

from django.db.models import F, Sum

from purchasing.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    ReceiptLine,
    SupplierReturnLine,
)
from sphinx.core.clock import business_date, start_of
from sphinx.core.money import HUNDRED, to_cents
from suppliers.models import Supplier

ZERO = Decimal(0)


@dataclass
class Scorecard:
    """One supplier over a period. Rates in percent, None where nothing tells; EUR excl. tax."""

    supplier: Supplier
    receipts: int = 0
    on_time: int = 0
    delays: list[float] = field(default_factory=list)
    # Of orders that have ended: pieces ordered, pieces of them that came good.
    ordered: Decimal = ZERO
    kept: Decimal = ZERO
    received: Decimal = ZERO
    damaged: Decimal = ZERO
    returned: Decimal = ZERO
    bought: Decimal = ZERO
    share: Decimal | None = None
    # What the same goods cost now against their price a year before (percent).
    price_drift: Decimal | None = None

    @property
    def on_time_rate(self) -> Decimal | None:
        """Receipts on or before the day promised."""
        return _rate(Decimal(self.on_time), Decimal(self.receipts))

    @property
    def quantity_rate(self) -> Decimal | None:
        """Pieces that came good, of those ordered; orders still under way don't count yet."""
        return _rate(self.kept, self.ordered)

    @property
    def damage_rate(self) -> Decimal | None:
        """Pieces damaged or sent back, of those that came."""
        return _rate(self.damaged + self.returned, self.received + self.damaged)

    @property
    def delay_days(self) -> float | None:
        """Mean days from order to goods."""
        return fmean(self.delays) if self.delays else None

    @property
    def delay_spread(self) -> float | None:
        """Standard deviation of the same."""
        return pstdev(self.delays) if self.delays else None


def _rate(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part * HUNDRED / whole).quantize(Decimal("0.1")) if whole else None


def scorecards(*, until: date, days: int = 365) -> list[Scorecard]:
    """Every supplier that delivered in the period, the one bought most from first."""
    first, end = start_of(until - timedelta(days=days)), start_of(until + timedelta(days=1))
    cards: dict[int, Scorecard] = {}
    suppliers = Supplier.objects.in_bulk()
    prices: dict[tuple[int, int, str], list[tuple[date, Decimal, Decimal]]] = defaultdict(list)
    lines = (
        ReceiptLine.objects.filter(receipt__received_at__gte=first, receipt__received_at__lt=end)
        .select_related("receipt__purchase_order", "order_line")
        .order_by("receipt__received_at", "pk")
    )
    seen: set[int] = set()
    for line in lines.iterator():
        order = line.receipt.purchase_order
        card = cards.setdefault(order.supplier_id, Scorecard(suppliers[order.supplier_id]))
        day = business_date(line.receipt.received_at)
        card.received += line.quantity
        card.damaged += line.quantity_damaged
        card.bought += to_cents(line.quantity * line.unit_cost)
        # In the currency: what exchange does to a price isn't the supplier's doing.
        key = (order.supplier_id, line.order_line.product_id, line.receipt.currency)
        prices[key].append((day, line.unit_price_excl_tax, line.quantity))
        if line.receipt_id in seen:
            continue
        seen.add(line.receipt_id)
        card.receipts += 1
        card.on_time += order.expected_on is None or day <= order.expected_on
        ordered_at = order.sent_at or order.accepted_at
        if ordered_at is not None:
            passed = line.receipt.received_at - ordered_at
            card.delays.append(max(passed.total_seconds() / 86_400, 0.0))
    _ordered(cards, first, end)
    _returned(cards, first, end)
    whole = sum((card.bought for card in cards.values()), ZERO)
    for pk, card in cards.items():
        card.share = _rate(card.bought, whole)
        card.price_drift = _drift([found for (s, _p, _c), found in prices.items() if s == pk])
    return sorted(cards.values(), key=lambda card: (-card.bought, card.supplier.name))


def _ordered(cards: dict[int, Scorecard], first: object, end: object) -> None:
    """Of orders that have ended: what was asked, what came of it (a surplus keeps no promise)."""
    ended = (PurchaseOrder.Status.RECEIVED, PurchaseOrder.Status.CLOSED)
    rows = (
        PurchaseOrderLine.objects.filter(
            purchase_order__status__in=ended,
            purchase_order__receipts__received_at__gte=first,
            purchase_order__receipts__received_at__lt=end,
        )
        .distinct()
        .values_list("pk", "purchase_order__supplier_id", "quantity", "quantity_received")
    )
    for _pk, supplier_id, quantity, came in rows:
        if supplier_id in cards:
            cards[supplier_id].ordered += quantity
            cards[supplier_id].kept += min(came, quantity)


def _returned(cards: dict[int, Scorecard], first: object, end: object) -> None:
    rows = (
        SupplierReturnLine.objects.filter(
            supplier_return__returned_at__gte=first, supplier_return__returned_at__lt=end
        )
        .order_by()
        .values(supplier=F("receipt_line__receipt__purchase_order__supplier"))
        .annotate(pieces=Sum("quantity"))
    )
    for row in rows:
        if row["supplier"] in cards:
            cards[row["supplier"]].returned += row["pieces"]


def _drift(products: list[list[tuple[date, Decimal, Decimal]]]) -> Decimal | None:
    """Last against first price of each product bought at least twice, weighted by the pieces
    bought (a Laspeyres index over the period)."""
    before = after = ZERO
    for bought in products:
        if len(bought) > 1:
            pieces = sum((quantity for _d, _p, quantity in bought), ZERO)
            before += bought[0][1] * pieces
            after += bought[-1][1] * pieces
    return ((after / before - 1) * HUNDRED).quantize(Decimal("0.1")) if before else None
