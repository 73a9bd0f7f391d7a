"""How the pieces of order lines stand, and what that leaves for stock."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from inventory.services import Resize, resize_reservations
from sales.models import OrderLine
from sphinx.core.bulk import update_rows
from sphinx.core.money import ZERO


def write_gone(lines: Sequence[OrderLine]) -> None:
    """Write what left of lines without a note of ours; their reservations shrink or grow with it.

    Call with the positions of the reservations locked, then the orders.
    """
    update_rows(OrderLine, ["quantity_gone"], [(line.pk, line.quantity_gone) for line in lines])
    resize_lines(lines)


def resize_lines(
    lines: Sequence[OrderLine], asked_changes: Mapping[int, Decimal] | None = None
) -> None:
    """Let reservations want what is still to leave; by line id, what was asked otherwise."""
    changes = asked_changes or {}
    resize_reservations(
        [
            Resize(
                line.reservation.pk,
                line.quantity_wanted,
                asked_change=changes.get(line.pk, ZERO),
            )
            for line in lines
            if line.reservation
        ]
    )
