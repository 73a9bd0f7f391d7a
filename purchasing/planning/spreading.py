"""A model's order made smaller or larger: the pieces go where they keep all sizes in stock equally
long.

Sold at the rates of the size curve, what is there and what is bought then run out on the same day;
sizes whose stock lasts longer anyway get less. (Equal run-out; Silver, Pyke & Thomas, ch. 11,
allocation among items that share an order.)
"""

import heapq
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

ZERO = Decimal(0)
# The day on which all run out is looked for to within a part of a day.
ROUNDS = 60
MOST_DAYS = Decimal(10_000)


class Want(NamedTuple):
    """A size as its supplier sells it: pieces in sight and sold a day, least, pack, price (EUR)."""

    key: int
    in_sight: Decimal
    per_day: Decimal
    minimum: Decimal
    pack: Decimal
    price: Decimal = Decimal(1)

    @property
    def least(self) -> Decimal:
        """The fewest pieces that can be bought."""
        return (self.minimum / self.pack).to_integral_value(rounding=ROUND_CEILING) * self.pack

    def until(self, days: Decimal) -> Decimal:
        """Whole packs that last until about then; nothing where what is there does."""
        missing = days * self.per_day - self.in_sight
        if missing <= 0:
            return ZERO
        packs = (missing / self.pack).to_integral_value(rounding=ROUND_FLOOR)
        return max(packs * self.pack, self.least)

    def next_step(self, bought: Decimal) -> Decimal:
        """The pieces by which it can be bought further."""
        return self.pack if bought else self.least

    def lasts(self, bought: Decimal) -> tuple[int, Decimal, Decimal]:
        """For how long, the most sold first; what customers wait for goes before all else."""
        there = self.in_sight + bought
        if there < 0:
            return 0, there, -self.per_day
        return (1, there / self.per_day, -self.per_day) if self.per_day else (2, there, ZERO)


def spread(limit: Decimal, wants: Sequence[Want]) -> dict[int, Decimal]:
    """Pieces by key that come to at most `limit` at the wants' prices (1: pieces)."""
    low, high = ZERO, MOST_DAYS
    for _round in range(ROUNDS):
        days = (low + high) / 2
        cost = sum((want.until(days) * want.price for want in wants), ZERO)
        low, high = (days, high) if cost <= limit else (low, days)
    bought = {want.key: want.until(low) for want in wants}
    left = limit - sum((bought[want.key] * want.price for want in wants), ZERO)
    # What is left goes, pack by pack, to what runs out first; who fits no more is out.
    queue = [(want.lasts(bought[want.key]), n) for n, want in enumerate(wants)]
    heapq.heapify(queue)
    while queue:
        (kind, days, _rate), n = heapq.heappop(queue)
        want = wants[n]
        step = want.next_step(bought[want.key])
        is_enough = bool(kind) and (not want.per_day or days > MOST_DAYS)
        if is_enough or step * want.price > left:
            continue
        bought[want.key] += step
        left -= step * want.price
        heapq.heappush(queue, (want.lasts(bought[want.key]), n))
    return bought
