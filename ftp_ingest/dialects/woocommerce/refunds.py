"""Pieces given back, where a file tells only those that are left.

Advanced Order Export's usual quantity is less what was refunded, while the order's totals stay
as they were charged: the cost of the pieces given back is missing to the total.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sphinx.core.money import CENT

# Beyond this many tries the pieces are told by nobody.
MAX_TRIES = 5_000


def given_back(
    missing: Decimal, costs: Sequence[Decimal], pieces_left: Decimal
) -> list[tuple[int, ...]]:
    """The ways in which pieces of these costs make what is missing (EUR excl. tax).

    One way is an answer, none or two are not: the search ends at the second. A cost is rounded
    to the cent a piece.
    """
    found: list[tuple[int, ...]] = []
    allowed = CENT + CENT / 2 * pieces_left
    for tries, way in enumerate(_ways(missing, costs, allowed)):
        if tries >= MAX_TRIES:
            return []
        rest = missing - sum((n * cost for n, cost in zip(way, costs, strict=True)), Decimal(0))
        if abs(rest) <= allowed + CENT / 2 * sum(way):
            found.append(way)
        if len(found) > 1:
            break
    return found


def _ways(left: Decimal, costs: Sequence[Decimal], allowed: Decimal) -> Iterator[tuple[int, ...]]:
    """Every number of pieces of each cost that isn't worth more than what is left."""
    if not costs:
        yield ()
        return
    cost, others = costs[0], costs[1:]
    most = int((left + allowed) / cost) if cost and left > 0 else 0
    for pieces in range(max(most, 0) + 1):
        for rest in _ways(left - pieces * cost, others, allowed):
            yield (pieces, *rest)
