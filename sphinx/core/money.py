"""Arithmetic of money: the only places where amounts are rounded.

All amounts are Decimal EUR unless a name says otherwise. Python's own `quantize` rounds half
to even (0.125 → 0.12); invoices round half up, so every rounding goes through `to_cents`.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
HUNDRED = Decimal(100)
# SQLite sums in binary: less than half a cent is nothing.
NOTHING = Decimal("0.005")


def to_cents(amount: Decimal) -> Decimal:
    """Round half up to 2 places, away from zero on a tie."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def to_unit_price(amount: Decimal) -> Decimal:
    """Round half up to the 6 places a unit price is kept with."""
    return amount.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def to_quantity(pieces: Decimal) -> Decimal:
    """Round half up to the 3 places a quantity is kept with."""
    return pieces.quantize(Decimal("0.001"), rounding=ROUND_HALF_UP)


def tax_included(gross: Decimal, rate: Decimal) -> Decimal:
    """VAT contained in an amount incl. tax; `rate` in percent. gross × r / (100 + r), half up."""
    return to_cents(gross * rate / (HUNDRED + rate))


def spread(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split `total` (in cents) in proportion to `weights` so that the parts sum to it exactly.

    Largest remainder method (Hamilton): each part is its exact share rounded down, the cents
    left over go to the largest remainders, the first of equals first. Weights may be negative
    (a discount beside goods), but must not sum to zero.

    Raises:
        ValueError: the weights sum to zero while there is something to split.
    """
    whole = sum(weights, Decimal(0))
    if not whole:
        if total:
            raise ValueError("nothing to spread over")
        return [ZERO for _ in weights]
    return settle(total, [total * weight / whole for weight in weights])


def settle(total: Decimal, exact: Sequence[Decimal]) -> list[Decimal]:
    """Round the `exact` parts to cents so that they sum to `total`, by largest remainder.

    `exact` must sum to `total` within one cent a part; the difference is put where the
    rounding loses least.
    """
    if not exact:
        return []
    floors = [part.quantize(CENT, rounding=ROUND_FLOOR) for part in exact]
    missing = int((total - sum(floors, ZERO)) / CENT)
    by_remainder = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for step in range(abs(missing)):
        index = by_remainder[step % len(by_remainder)]
        floors[index] += CENT if missing > 0 else -CENT
    return floors


def portion(total: Decimal, done: Decimal, now: Decimal, quantity: Decimal) -> Decimal:
    """The share of a line's `total` for `now` pieces, when `done` of `quantity` went before.

    Cumulative, so that the portions of all deliveries sum to the total exactly.
    """
    return to_cents(total * (done + now) / quantity) - to_cents(total * done / quantity)


def plain(value: Decimal) -> str:
    """A quantity or rate without trailing zeros: 3.000 → "3", 5.50 → "5.5"."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
