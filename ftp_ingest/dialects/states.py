"""What the states of an order mean, in the words of shops and of their payment modules.

The table is states.csv: whole phrases in eight languages, each with its meaning. A phrase is
never understood by a part of it: "Remboursement partiel" is no refund, "Demande d'annulation"
no cancellation. What a shop itself says of its states is believed first; a phrase that nobody
knows is refused, not guessed.
"""

import csv
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from sphinx.core.cells import folded
from sphinx.core.texts import fold

# The meaning of a phrase → state of the order, payment status.
MEANINGS = {
    "pending": ("pending", "unpaid"),
    "paid": ("confirmed", "paid"),
    "shipped": ("confirmed", "paid"),
    "delivered": ("confirmed", "paid"),
    "cancelled": ("cancelled", "unpaid"),
    "refunded": ("confirmed", "refunded"),
    "partially_refunded": ("confirmed", "partially_refunded"),
    # Never an order to deliver.
    "failed": ("cancelled", "unpaid"),
}
# The shop's own answers: folded phrase → meaning.
States = Mapping[str, str]


def _read() -> dict[str, str]:
    path = Path(__file__).with_suffix(".csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter=";")
        return {fold(row["phrase"]): row["meaning"] for row in rows}


PHRASES = _read()


def meaning_of(text: str) -> str:
    """One of MEANINGS, by the whole phrase; "" when nobody knows it."""
    return PHRASES.get(fold(text), "")


def states_of(
    text: str, own: States | None = None, platform: Mapping[str, tuple[str, str]] | None = None
) -> tuple[str, str] | None:
    """State of the order and payment status; None when nobody knows the phrase.

    The shop's own answer comes first, then the platform's own words (folded), then everybody's.
    """
    phrase = folded(text)
    if own and phrase in own:
        return MEANINGS.get(own[phrase])
    return (platform or {}).get(phrase) or MEANINGS.get(PHRASES.get(phrase, ""))


def after_refund(states: tuple[str, str], refunded: Decimal, total: Decimal) -> tuple[str, str]:
    """The same after money went back: an amount says more than the state of a paid order."""
    state, payment = states
    if payment in ("paid", "partially_refunded") and refunded:
        payment = "refunded" if refunded >= total else "partially_refunded"
    return state, payment
