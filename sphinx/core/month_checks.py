"""What a month's closing asks: each app registers its questions in its month_checks.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class LeftOpen:
    """What a month still waits for: how many, for how much (EUR, None where it has none).

    `url` opens the list to who has `permission`; what `blocks` must be settled before the month
    can be closed.
    """

    name: str
    title: Any
    count: int
    amount: Decimal | None
    url: str
    permission: str
    blocks: bool = False


_Check = Callable[[date, date], LeftOpen]
_checks: dict[str, _Check] = {}


def asks(check: _Check) -> _Check:
    """Register a question about the days from the first to the last, both included."""
    _checks[f"{check.__module__}.{check.__name__}"] = check
    return check


def left_open(first: date, last: date) -> list[LeftOpen]:
    """The answers for a month: what blocks first, then what isn't empty."""
    found = [_checks[name](first, last) for name in sorted(_checks)]
    return sorted(found, key=lambda answer: (not answer.blocks, answer.count == 0))
