"""What of the stock can't be sold: expired by now, or before anybody will have asked for it."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


def unsellable(
    lots: Iterable[tuple[date, Decimal]],
    *,
    unnamed: Decimal,
    owed: Decimal,
    per_day: Decimal,
    on: date,
    until: date,
) -> Decimal:
    """Pieces of dated lots that will have to be destroyed.

    The first to expire leaves first, after what bears no date; what customers wait for (`owed`)
    leaves today, then `per_day` pieces a day. Lots whose date is after `until`, by when an order
    placed later still comes in time, are no loss yet.
    """
    sold = max(unnamed, ZERO)
    lost = ZERO
    for limit, pieces in sorted(lots):
        if limit < on:
            lost += pieces
            continue
        if limit > until:
            break
        could = owed + per_day * ((limit - on).days + 1)
        gone = min(max(could - sold, ZERO), pieces)
        sold += gone
        lost += (pieces - gone).to_integral_value(rounding="ROUND_FLOOR")
    return lost
