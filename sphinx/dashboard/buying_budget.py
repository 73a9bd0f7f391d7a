"""What to buy first when money is short: proposed lines by the margin that waiting would lose.

A line put off for some days comes that much later. What customers would ask for in those days and
not find is at risk, with its margin; what is missing before an order of today could come is lost
whatever is decided, and what customers wait for already is at risk whole. All sums EUR excl. tax.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from purchasing.models import PurchaseOrder, PurchaseOrderLine
from sphinx.core.money import HUNDRED, ZERO, to_cents, to_quantity
from sphinx.dashboard.periods import Period
from sphinx.dashboard.products import sold_by

# Selling prices of the last year: what the piece brought after discounts.
LEARNED_DAYS = 365


class Ranked(NamedTuple):
    """A proposed line: what it costs, the pieces and the margin that waiting would lose."""

    line: PurchaseOrderLine
    cost: Decimal
    pieces_at_risk: Decimal
    margin_per_piece: Decimal
    margin_is_average: bool
    awaited: Decimal
    is_kept: bool = False

    @property
    def at_risk(self) -> Decimal:
        """The margin that would be lost."""
        return to_cents(self.pieces_at_risk * self.margin_per_piece)

    @property
    def per_hundred(self) -> Decimal:
        """The same for 100 euros spent."""
        return to_cents(HUNDRED * self.at_risk / self.cost) if self.cost else ZERO


class Choice(NamedTuple):
    """Proposed lines, those to buy first in front; what they cost and save together."""

    rows: list[Ranked]
    spent: Decimal
    saved: Decimal
    left_cost: Decimal
    left_risk: Decimal


def ranked(*, on: date, days: int) -> list[Ranked]:
    """Every proposed line, the dearest to put off for `days` days first; what customers wait for
    before all else."""
    lines = list(
        PurchaseOrderLine.objects.filter(
            purchase_order__status=PurchaseOrder.Status.PROPOSED,
            purchase_order__direct_delivery__isnull=True,
        ).select_related("purchase_order__supplier", "product")
    )
    prices, rate = _selling_prices(on)
    rows = [_ranked(line, days, prices, rate) for line in lines]
    return sorted(rows, key=lambda r: (r.awaited == 0, -r.per_hundred, r.cost, r.line.product.sku))


def choose(rows: Sequence[Ranked], budget: Decimal) -> Choice:
    """What a budget buys: line after line in their order, those that no longer fit left out."""
    kept, spent = [], ZERO
    for row in rows:
        fits = spent + row.cost <= budget
        spent += row.cost if fits else ZERO
        kept.append(row._replace(is_kept=fits))
    left = [row for row in kept if not row.is_kept]
    return Choice(
        kept,
        spent,
        _sum(row.at_risk for row in kept if row.is_kept),
        _sum(row.cost for row in left),
        _sum(row.at_risk for row in left),
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _selling_prices(on: date) -> tuple[dict[int, Decimal], Decimal]:
    """What a piece of each product brought, and what all goods brought for a euro of their cost."""
    sold = sold_by("sku", Period(on - timedelta(days=LEARNED_DAYS), on), limit=None)
    prices = {
        s.product_id: s.net / s.pieces for s in sold if s.product_id and s.pieces > 0 and s.net > 0
    }
    cost = _sum(s.cost for s in sold)
    return prices, _sum(s.net for s in sold if s.cost > 0) / cost if cost > 0 else Decimal(1)


def _ranked(
    line: PurchaseOrderLine, days: int, prices: dict[int, Decimal], rate: Decimal
) -> Ranked:
    order = line.purchase_order
    cost = order.amount_eur(line.total_excl_tax)
    piece = order.unit_price_eur(line.unit_price_excl_tax)
    price = prices.get(line.product_id)
    margin = (price if price is not None else piece * rate) - piece
    awaited = min(_figure(line, "backordered"), line.quantity)
    there = max(_figure(line, "available"), ZERO) + _figure(line, "incoming")
    a_day, delay = _figure(line, "demand_per_day"), _figure(line, "lead_time_days")
    missing_now = max(a_day * delay - there, ZERO)
    missing_later = max(a_day * (delay + days) - there, ZERO)
    at_risk = min(awaited + missing_later - missing_now, line.quantity)
    return Ranked(
        line,
        cost,
        to_quantity(at_risk),
        max(to_cents(margin), ZERO),
        price is None,
        awaited,
    )


def _figure(line: PurchaseOrderLine, name: str) -> Decimal:
    """A figure of the line's reason; 0 where the reason knows none."""
    return Decimal(str(line.reason.get(name) or 0))
