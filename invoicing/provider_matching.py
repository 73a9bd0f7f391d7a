"""Which order a provider's movement is for: by payment reference, by number, in its text.

What only looks alike (amount and day) is a proposal: somebody says so.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from invoicing.models import ProviderTransaction
from sales.models import Order
from sphinx.core.clock import business_date, start_of

MatchedBy, Kind = ProviderTransaction.MatchedBy, ProviderTransaction.Kind
# An order is paid and refunded within a year, and placed no later than the day after (zones).
_BACK, _AHEAD = timedelta(days=366), timedelta(days=1)
# How far the day of a movement may be from its order's to be proposed for it.
_NEAR = timedelta(days=3)
# More orders that look alike than this tell nothing.
_PROPOSED = 3
# Shorter words are nobody's reference.
_SHORTEST_REFERENCE = 8
_SHORTEST_NUMBER = 4
# Shopify writes c123.1 on the order where its payout says checkout #123.
_CHECKOUT = re.compile(r"c(\d+)\.\d+")
_CALLED = re.compile(
    r"(?:\b(?:order|orders|commande|cde|cmd|bestellung|auftrag|pedido|orden|ordine|encomenda)\b"
    r"[\s:.]*(?:(?:n[°º.]|no|nr|num|number|numéro|numero|id)[\s.:]*)?#?\s*|#\s*)"
    r"([^\W_][\w/-]*)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_][\w/-]*")


class Found(NamedTuple):
    """An order that a movement is for, and why."""

    order_id: int
    by: str


def orders_found(movements: Sequence[ProviderTransaction]) -> dict[int, Found]:
    """The one order that each movement names, by the movement's id; what names none is left out.

    A reference comes before the number that the file gives, that before what its text says.
    """
    if not movements:
        return {}
    by_reference = _by_reference(movements, _referenced(movements))
    by_name = _by_name([m for m in movements if m.pk not in by_reference])
    found = by_name | by_reference
    # A refund cites its charge, whatever that was known by.
    rest = [m for m in movements if m.pk not in found and references_of(m)]
    return found | _by_reference(rest, _matched_before(rest, movements, found)) if rest else found


def references_of(movement: ProviderTransaction) -> set[str]:
    """What a movement says that its payment is known by, folded."""
    words = {movement.reference, *movement.payment_references.split()}
    return {word.casefold() for word in words if len(word) >= _SHORTEST_REFERENCE}


def _order_references(text: str) -> Iterator[str]:
    for word in text.casefold().split():
        match = _CHECKOUT.fullmatch(word)
        yield match[1] if match else word


def _referenced(movements: Sequence[ProviderTransaction]) -> dict[str, set[int]]:
    """Orders by the references that the movements cite."""
    wanted = {word for m in movements for word in references_of(m)}
    days = [m.occurred_on for m in movements]
    rows = (
        Order.objects.filter(
            placed_at__gte=start_of(min(days) - _BACK),
            placed_at__lt=start_of(max(days) + 2 * _AHEAD),
        )
        .exclude(payment_references="")
        .values_list("pk", "payment_references")
    )
    known: dict[str, set[int]] = defaultdict(set)
    for pk, text in rows.iterator():
        for word in _order_references(text):
            if word in wanted:
                known[word].add(pk)
    return known


def _matched_before(
    rest: Sequence[ProviderTransaction],
    movements: Sequence[ProviderTransaction],
    found: dict[int, Found],
) -> dict[str, set[int]]:
    """Orders by the references of movements that are matched, now or before."""
    known: dict[str, set[int]] = defaultdict(set)
    for m in movements:
        if m.pk in found:
            for word in references_of(m):
                known[word].add(found[m.pk].order_id)
    before = ProviderTransaction.objects.filter(
        order__isnull=False,
        occurred_on__gte=min(m.occurred_on for m in rest) - _BACK,
        provider__in={m.provider for m in rest},
    )
    wanted = {word for m in rest for word in references_of(m)}
    for m in before.only("reference", "payment_references", "order_id").iterator():
        for word in references_of(m) & wanted:
            known[word].add(m.order_id or 0)
    return known


def _by_reference(
    movements: Iterable[ProviderTransaction], known: dict[str, set[int]]
) -> dict[int, Found]:
    found = {}
    for m in movements:
        orders: set[int] = set()
        for word in references_of(m):
            orders |= known.get(word, set())
        if len(orders) == 1:
            found[m.pk] = Found(orders.pop(), MatchedBy.REFERENCE)
    return found


def bare(text: str) -> str:
    """A number as it is compared: #W12 and w12 are one."""
    return text.strip().lstrip("#").casefold()


def words_of(text: str) -> set[str]:
    """The words of a text that may be an order's number, bare.

    Any that is called so (Commande 12, Order H3, #12); else those of letters and digits (W1127):
    plain numbers stand in texts by chance.
    """
    called = {match[1] for match in _CALLED.finditer(text)}
    marked = {
        word
        for word in _WORD.findall(text)
        if len(word) >= _SHORTEST_NUMBER
        and any(c.isdigit() for c in word)
        and any(c.isalpha() for c in word)
    }
    return {bare(word.rstrip("/-")) for word in called | marked}


class _Placed(NamedTuple):
    pk: int
    on: date


def _by_name(movements: Sequence[ProviderTransaction]) -> dict[int, Found]:
    """By the whole of what the file gives as order, else by the words of its text."""
    whole = {m.pk: {bare(m.order_text)} - {""} for m in movements}
    told = {m.pk: words_of(f"{m.order_text} {m.description}") for m in movements}
    known = _orders_named(set().union(*whole.values(), *told.values()))
    found = {}
    for m in movements:
        for words, by in ((whole[m.pk], MatchedBy.NUMBER), (told[m.pk], MatchedBy.TEXT)):
            fitting = {p.pk for word in words for p in known.get(word, ()) if _fits(m, p.on)}
            if len(fitting) == 1:
                found[m.pk] = Found(fitting.pop(), by)
                break
    return found


def _fits(movement: ProviderTransaction, placed_on: date) -> bool:
    return -_AHEAD <= movement.occurred_on - placed_on <= _BACK


def _orders_named(names: Collection[str]) -> dict[str, set[_Placed]]:
    """Orders by their number, with or without its #, in either case."""
    wanted = {f"{mark}{name}" for name in names for mark in ("", "#")}
    wanted |= {name.upper() for name in wanted}
    found: dict[str, set[_Placed]] = defaultdict(set)
    rows = Order.objects.filter(number__in=wanted).values_list("pk", "number", "placed_at")
    for pk, number, placed_at in rows if wanted else ():
        found[bare(number)].add(_Placed(pk, business_date(placed_at)))
    return found


def orders_proposed(movements: Sequence[ProviderTransaction]) -> dict[int, list[Order]]:
    """Orders of a charge's amount placed within days of it, the nearest first.

    Two movements may look like one order, and two orders like one movement: nothing follows of
    it until somebody says so. An order that a provider was paid for already isn't proposed.
    """
    charges = [m for m in movements if m.kind == Kind.CHARGE and m.order_id is None]
    if not charges:
        return {}
    days = [m.occurred_on for m in charges]
    paid = ProviderTransaction.objects.filter(kind=Kind.CHARGE, order__isnull=False)
    orders = (
        Order.objects.filter(
            placed_at__gte=start_of(min(days) - _NEAR),
            placed_at__lt=start_of(max(days) + _NEAR + _AHEAD),
            total_incl_tax__in={m.gross for m in charges},
        )
        .exclude(pk__in=paid.values("order"))
        .exclude(status=Order.Status.CANCELLED)
        .order_by("placed_at", "pk")
    )
    found: dict[int, list[Order]] = {}
    candidates = list(orders)
    for m in charges:
        near = [
            (distance, order.pk, order)
            for order in candidates
            if order.total_incl_tax == m.gross
            and (distance := abs(business_date(order.placed_at) - m.occurred_on)) <= _NEAR
        ]
        if 0 < len(near) <= _PROPOSED:
            found[m.pk] = [order for _distance, _pk, order in sorted(near)]
    return found
