"""What a shop already did with a line: pieces that left, pieces that it took out, money given back.

A piece of a line left by a delivery note of ours, left otherwise (`gone`), was taken out before it
left (`removed`), or is still wanted. Pieces that a shop refunds after they left are a matter of
credit notes and returns, not of this.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sales.drafts import LineDraft, OrderDraft
from sales.models import OrderLine
from sales.services.pricing import PricedLine
from sphinx.core.money import CENT, ZERO, portion

NONE = Decimal(0)


class Standing(NamedTuple):
    """What is known of a line: pieces delivered by us, gone, removed, and removed by hand;
    whether its order has a delivery note, prepared or shipped."""

    delivered: Decimal = NONE
    gone: Decimal = NONE
    removed: Decimal = NONE
    by_hand: Decimal = NONE
    has_note: bool = False


class Deeds(NamedTuple):
    """What a shop's words make of a line; `removed_amount` is EUR incl. tax."""

    shipped: Decimal | None
    refunded: Decimal
    refunded_amount: Decimal | None
    removed: Decimal
    removed_amount: Decimal
    gone: Decimal


NOTHING_DONE = Deeds(None, NONE, None, NONE, ZERO, NONE)


def deeds_of(
    draft: OrderDraft,
    line: PricedLine,
    known: Standing,
    *,
    is_history: bool,
    ships_itself: bool,
) -> Deeds:
    """What becomes of a line's pieces.

    What was taken out comes first off what has not left. Of an order that we have begun to ship,
    the shop's word that more has left is no reason to stop: it is a difference to explain.
    """
    said, ordered = line.draft, line.draft.quantity
    refunded = min(said.cancelled + said.refunded, ordered)
    off = said.cancelled if _is_gesture(line) else said.cancelled + said.refunded - said.returned
    off = min(max(off, NONE), ordered)
    shipped = _shipped(draft, said, off)
    left = max(known.delivered, shipped or NONE)
    removed = max(min(off, ordered - left), min(off, known.removed), known.by_hand)
    removed = min(removed, ordered - known.delivered)
    if is_history:
        gone = ordered - removed
    elif ships_itself:
        gone = NONE
    elif known.has_note:
        gone = known.gone
    else:
        gone = shipped or NONE
    gone = min(gone, ordered - known.delivered - removed)
    return Deeds(
        shipped,
        refunded,
        said.refunded_amount,
        removed,
        worth_of(line, removed),
        gone,
    )


def worth_of(line: PricedLine | OrderLine, pieces: Decimal) -> Decimal:
    """What the last `pieces` of a line come to (EUR incl. tax); an invoice of the others has the
    rest, its amount and its discount each rounded."""
    if not pieces:
        return ZERO
    amount, discount, ordered = _amounts(line)
    done = ordered - pieces
    return portion(amount, done, pieces, ordered) - portion(discount, done, pieces, ordered)


def _amounts(line: PricedLine | OrderLine) -> tuple[Decimal, Decimal, Decimal]:
    """Before discounts, discounts (EUR incl. tax), pieces."""
    if isinstance(line, OrderLine):
        discount = line.discount_incl_tax + line.order_discount_incl_tax
        return line.total_incl_tax + line.discount_incl_tax, discount, line.quantity
    discount = line.discount + line.order_discount
    return line.total + line.discount, discount, line.draft.quantity


def _is_gesture(line: PricedLine) -> bool:
    """True when less was given back than the refunded pieces cost: nobody says that they stay."""
    said = line.draft
    if said.refunded_amount is None or not said.refunded:
        return False
    worth = worth_of(line, min(said.refunded, said.quantity))
    return said.refunded_amount < worth - CENT * said.quantity


def _shipped(draft: OrderDraft, line: LineDraft, off: Decimal) -> Decimal | None:
    if line.shipped is not None:
        return min(line.shipped, line.quantity)
    return line.quantity - off if draft.is_shipped else None


def deeds_of_lines(
    draft: OrderDraft, lines: Sequence[PricedLine], *, is_history: bool, ships_itself: bool
) -> list[Deeds]:
    """What becomes of the lines of an order of which nothing has left from here."""
    if not is_history and not says_deeds(draft):
        return [NOTHING_DONE] * len(lines)
    return [
        deeds_of(draft, line, Standing(), is_history=is_history, ships_itself=ships_itself)
        for line in lines
    ]


def says_deeds(draft: OrderDraft) -> bool:
    """True when the shop says that it did something with the order's pieces."""
    return draft.is_shipped or any(
        line.shipped is not None or line.cancelled or line.refunded for line in draft.lines
    )


def has_left(draft: OrderDraft) -> bool:
    """True when the shop says that pieces of the order left."""
    return draft.is_shipped or any(line.shipped for line in draft.lines)


def has_left_whole(draft: OrderDraft) -> bool:
    """True when the shop says of every piece that it left or was taken out."""
    return draft.is_shipped or all(
        (line.shipped or NONE) + line.cancelled + line.refunded >= line.quantity
        for line in draft.lines
    )


def refund_to_explain(draft: OrderDraft, deeds: Sequence[Deeds], settled: Decimal) -> Decimal:
    """What was refunded before anything left, beyond what pieces and shipping explain (EUR).

    `settled` was said to be a gesture. A cent a line that was taken out is the shop's rounding.
    """
    pieces = [deed.removed_amount for deed in deeds if deed.removed]
    left = draft.refunded - sum(pieces, ZERO) - draft.shipping_refunded - settled
    return left if left > CENT * len(pieces) else ZERO
