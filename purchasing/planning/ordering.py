"""From levels to a quantity: the need, then what the supplier and the shelf make of it.

Every step that changes the quantity is noted with its reason; the reader can follow them all.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from sphinx.core.money import plain, to_quantity

ZERO, ONE = Decimal(0), Decimal(1)
YEAR_DAYS = Decimal(365)
HUNDRED = Decimal(100)


class Position(NamedTuple):
    """Pieces of a product in a warehouse; `forecast` is what will be there when all is served."""

    on_hand: Decimal
    reserved: Decimal
    incoming: Decimal
    backordered: Decimal
    # On hand, and expired or about to before anybody asks for it (ageing.py).
    unsellable: Decimal = ZERO
    # Of what is coming: pieces that come after what would be ordered now, and how many days after.
    late: Decimal = ZERO
    late_days: int = 0

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.unsellable - self.reserved

    @property
    def forecast(self) -> Decimal:
        return self.available + self.incoming - self.backordered

    @property
    def in_time(self) -> Decimal:
        """The forecast without what comes too late."""
        return self.forecast - self.late


class Costs(NamedTuple):
    """What ordering and keeping cost: EUR an order (None when nobody said), percent a year."""

    order_cost: Decimal | None
    holding_rate: Decimal


class Terms(NamedTuple):
    """How a supplier sells a product; prices are (from quantity, EUR excl. tax a piece)."""

    minimum_quantity: Decimal
    pack_size: Decimal
    prices: Sequence[tuple[Decimal, Decimal]]

    def unit_price(self, quantity: Decimal) -> Decimal:
        """EUR excl. tax a piece when `quantity` pieces are bought."""
        reached = [price for start, price in self.prices if start <= quantity]
        return reached[-1] if reached else self.prices[0][1] if self.prices else ZERO


class Levels(NamedTuple):
    """When to buy and up to where (pieces), by which policy; `most` caps what may lie there."""

    policy: str
    reorder_point: Decimal
    order_up_to: Decimal
    per_day: Decimal
    most: Decimal | None = None
    most_reason: str = ""


class Step(NamedTuple):
    """One thing that changed the quantity."""

    code: str
    before: Decimal
    after: Decimal
    value: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "code": self.code,
            "from": plain(self.before),
            "to": plain(self.after),
            "value": self.value,
        }


class Purchase(NamedTuple):
    """A quantity to buy (pieces), its price (EUR excl. tax a piece), its reason."""

    quantity: Decimal
    unit_price: Decimal
    reason: dict[str, Any]


def economic_quantity(yearly: Decimal, order_cost: Decimal, holding: Decimal) -> Decimal:
    """Pieces an order that make ordering and keeping cheapest together: √(2·D·K / H).

    Wilson's formula (Harris 1913; SPT ch. 4); `yearly` in pieces, `order_cost` in EUR an order,
    `holding` in EUR a piece and year.
    """
    if yearly <= 0 or order_cost <= 0 or holding <= 0:
        return ZERO
    return to_quantity((2 * yearly * order_cost / holding).sqrt())


def needed(position: Position, levels: Levels) -> Decimal:
    """Pieces to buy before anybody rounds: up to the maximum once the reorder point is reached.

    The (s, S) policy (SPT ch. 6). Without levels (just in time, no sales): what customers wait
    for and nothing else. What comes later than an order of today would doesn't cover the days
    until then: for these, what is sold meanwhile is bought, and the reorder point held.
    """
    if levels.policy in ("just_in_time", "backorders"):
        return max(-position.forecast, ZERO)
    due = position.forecast <= levels.reorder_point and position.forecast < levels.order_up_to
    usual = levels.order_up_to - position.forecast if due else ZERO
    if not position.late or position.in_time > levels.reorder_point:
        return usual
    sold = (levels.per_day * position.late_days).to_integral_value(rounding=ROUND_CEILING)
    until_it_comes = min(levels.reorder_point + sold, levels.order_up_to)
    return max(usual, until_it_comes - position.in_time)


def plan_purchase(
    position: Position, levels: Levels, terms: Terms | None, costs: Costs
) -> Purchase | None:
    """What to buy of a product now; None when nothing is needed."""
    raw = needed(position, levels)
    if raw <= 0:
        return None
    return purchase_of(raw, position, levels, terms, costs)


def purchase_of(
    raw: Decimal, position: Position, levels: Levels, terms: Terms | None, costs: Costs
) -> Purchase:
    """`raw` pieces as the supplier sells them, with every figure on the way."""
    minimum = terms.minimum_quantity if terms else ONE
    pack = terms.pack_size if terms else ONE
    steps: list[Step] = []
    quantity = _note(steps, "capped", raw, _cap(raw, position, levels), levels.most_reason)
    quantity = _note(steps, "minimum", quantity, max(quantity, minimum), plain(minimum))
    quantity = _note(steps, "pack", quantity, _packed(quantity, pack), plain(pack))
    if terms is not None and levels.policy not in ("just_in_time", "backorders"):
        better = _price_break(quantity, position, levels, terms, costs)
        price = plain(terms.unit_price(better))
        quantity = _note(steps, "price_break", quantity, better, price)
    price_paid = terms.unit_price(quantity) if terms else ZERO
    reason: dict[str, Any] = {
        "policy": levels.policy,
        "on_hand": plain(position.on_hand),
        "unsellable": plain(position.unsellable),
        "reserved": plain(position.reserved),
        "available": plain(position.available),
        "incoming": plain(position.incoming),
        "late": plain(position.late),
        "late_days": str(position.late_days),
        "backordered": plain(position.backordered),
        "forecast": plain(position.forecast),
        "reorder_point": plain(levels.reorder_point),
        "order_up_to": plain(levels.order_up_to),
        "needed": plain(raw),
        "supplier_minimum": plain(minimum),
        "pack_size": plain(pack),
        "packs": plain((quantity / pack).to_integral_value(rounding=ROUND_CEILING)),
        "unit_price": plain(price_paid),
        "steps": [step.as_json() for step in steps],
    }
    return Purchase(quantity, price_paid, reason)


def _note(
    steps: list[Step], code: str, before: Decimal, after: Decimal, value: str = ""
) -> Decimal:
    if after != before:
        steps.append(Step(code, before, after, value))
    return after


def _cap(raw: Decimal, position: Position, levels: Levels) -> Decimal:
    """No more than may lie there, but always what customers wait for."""
    if levels.most is None:
        return raw
    return max(min(raw, levels.most - position.forecast), -position.forecast, ZERO)


def _packed(quantity: Decimal, pack: Decimal) -> Decimal:
    return (quantity / pack).to_integral_value(rounding=ROUND_CEILING) * pack


def _price_break(
    quantity: Decimal, position: Position, levels: Levels, terms: Terms, costs: Costs
) -> Decimal:
    """The quantity, or a larger one from which the price falls, if a year costs less so.

    All-units discounts (SPT ch. 4.5): D·c(q) + K·D/q + h·c(q)·q/2, in EUR a year.
    """
    yearly = levels.per_day * YEAR_DAYS
    if yearly <= 0:
        return quantity
    best, least = quantity, _yearly_cost(quantity, yearly, terms, costs)
    for start, _price in terms.prices:
        larger = _packed(start, terms.pack_size)
        too_much = levels.most is not None and position.forecast + larger > levels.most
        if larger <= quantity or too_much:
            continue
        cost = _yearly_cost(larger, yearly, terms, costs)
        if cost < least:
            best, least = larger, cost
    return best


def _yearly_cost(quantity: Decimal, yearly: Decimal, terms: Terms, costs: Costs) -> Decimal:
    price = terms.unit_price(quantity)
    keeping = costs.holding_rate / HUNDRED * price * quantity / 2
    return yearly * price + (costs.order_cost or ZERO) * yearly / quantity + keeping


def whole(pieces: float) -> Decimal:
    """Pieces of a level, rounded up to whole ones from one piece on."""
    value = Decimal(repr(round(pieces, 3)))
    if value < ONE:
        return to_quantity(value)
    return value.to_integral_value(rounding=ROUND_CEILING)


def fewest(pieces: Decimal) -> Decimal:
    """Pieces that may lie there at most: whole ones, rounded down."""
    return pieces.to_integral_value(rounding=ROUND_FLOOR)
