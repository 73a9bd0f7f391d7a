"""Orders that a person called ordinary or exceptional, whatever their size.

Stock doesn't know who orders: the app that does says in its standings.py which reservations are
of a customer whose orders count in full, or not at all, for what replenishment learns.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Q, QuerySet, Value, When

ORDINARY, EXCEPTIONAL = "ordinary", "exceptional"


class Told(NamedTuple):
    """Reservations by what their customer's orders are called; None where nobody's are."""

    ordinary: QuerySet[Any] | None
    exceptional: QuerySet[Any] | None


_tellers: list[Callable[[], Told]] = []


def tells(teller: Callable[[], Told]) -> Callable[[], Told]:
    """Register who knows."""
    _tellers.append(teller)
    return teller


def standing() -> Case | None:
    """An expression of a reservation: ordinary, exceptional, or blank; None when nobody said any.

    A bundle's components stand as the bundle does.
    """
    whens = [
        When(Q(pk__in=found) | Q(bundle__in=found), then=Value(name))
        for teller in _tellers
        for name, found in zip((EXCEPTIONAL, ORDINARY), reversed(teller()), strict=True)
        if found is not None
    ]
    return Case(*whens, default=Value(""), output_field=CharField()) if whens else None
