"""What waits in the quarantine, told by what would let it in: a question, not its orders."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from ftp_ingest.errors import SPOILT_REFERENCE, UNKNOWN_STATUS
from ftp_ingest.models import Feed, QuarantinedRow, ShopState, ToldShipment
from sales.errors import CurrencyUnsaid, NoExchangeRate, TaxUndecided
from sales.models import DeliveryNote, DeliveryNoteLine, OrderLine
from sphinx.core.models import Shop
from sphinx.core.texts import fold

_LONGEST = 200
# What the page of questions asks, by the code of the rows that wait for the answer.
ASKED = (
    UNKNOWN_STATUS,
    TaxUndecided.code,
    NoExchangeRate.code,
    CurrencyUnsaid.code,
    SPOILT_REFERENCE,
)


# --- States -------------------------------------------------------------------------------


def phrase_of(text: str) -> str:
    """How a state is compared, as the readers do; blank for what can't be told from others.

    Folding drops the letters of other alphabets: two words in Greek would be one.
    """
    phrase = fold(text)
    kept, all_of_it = (sum(map(str.isalnum, x)) for x in (phrase, text))
    return phrase if 2 * kept >= all_of_it and len(phrase) <= _LONGEST else ""


def states_said(shop: Shop) -> dict[str, str]:
    """What a shop says of its own states: folded phrase → meaning."""
    said = dict(ShopState.objects.filter(shop=shop).values_list("phrase", "meaning"))
    # WooCommerce's reader leaves the prefix of a made-up state away.
    return {phrase.removeprefix("wc "): meaning for phrase, meaning in said.items()} | said


class WaitingState(NamedTuple):
    """A state that nobody knows: the orders that wait for its meaning, and one of them."""

    phrase: str
    text: str
    orders: int
    example: QuarantinedRow


def waiting_rows(shop: Shop) -> QuerySet[QuarantinedRow]:
    """The orders of a shop that were set aside and can still be read."""
    return QuarantinedRow.objects.filter(
        kind="orders", status=QuarantinedRow.Status.OPEN, file__shop=shop, file__purged_at=None
    )


def issues_of_order(*, shop_id: int, keys: Collection[str]) -> list[QuarantinedRow]:
    """What is open or to be looked at of one order, known by its shop's key or number."""
    rows = QuarantinedRow.objects.filter(
        kind="orders",
        file__shop=shop_id,
        external_id__in=keys,
        status__in=(QuarantinedRow.Status.OPEN, QuarantinedRow.Status.NOTED),
    )
    return list(rows.select_related("file").order_by("pk"))


def waiting_states(shop: Shop) -> list[WaitingState]:
    """The states that orders of a shop wait for, the most frequent first."""
    rows = waiting_rows(shop).filter(code=UNKNOWN_STATUS).exclude(subject="")
    counted = list(
        rows.values_list("subject").annotate(n=Count("pk"), first=Min("pk")).order_by("first")
    )
    examples = QuarantinedRow.objects.select_related("file").in_bulk([pk for _t, _n, pk in counted])
    found: dict[str, WaitingState] = {}
    for text, count, first in counted:
        # What can't be compared stands for itself; it is shown without a choice.
        key = phrase_of(text) or text
        earlier = found.get(key)
        found[key] = (
            earlier._replace(orders=earlier.orders + count)
            if earlier
            else WaitingState(phrase_of(text), text, count, examples[first])
        )
    return sorted(found.values(), key=lambda state: (-state.orders, state.text))


# --- Questions ----------------------------------------------------------------------------


def states_answered(shop: Shop) -> QuerySet[ShopState]:
    """What a shop said of its states, with who said it."""
    return ShopState.objects.filter(shop=shop).select_related("decided_by")


class ShopQuestions(NamedTuple):
    """A shop, and how many of its orders wait for each question, by code."""

    shop: Shop
    waiting: dict[str, int]

    @property
    def total(self) -> int:
        """How many orders wait in all."""
        return sum(self.waiting.values())


def questions(shops: Iterable[Shop]) -> list[ShopQuestions]:
    """What each shop is asked; those that most orders wait for first. One statement."""
    rows = QuarantinedRow.objects.filter(
        kind="orders",
        status=QuarantinedRow.Status.OPEN,
        file__purged_at=None,
        code__in=ASKED,
    ).order_by()
    found: dict[int, dict[str, int]] = {}
    for shop_id, code, count in rows.values_list("file__shop", "code").annotate(n=Count("pk")):
        found.setdefault(shop_id, {})[code] = count
    asked = [ShopQuestions(shop, found.get(shop.pk, {})) for shop in shops]
    return sorted(asked, key=lambda one: (-one.total, one.shop.name))


def reason_of_now(row: QuarantinedRow) -> QuarantinedRow:
    """The row that says why its order waits now, when it is another one."""
    if row.status != QuarantinedRow.Status.SUPERSEDED:
        return row
    later = QuarantinedRow.objects.filter(
        file=row.file_id,
        external_id=row.external_id,
        kind=row.kind,
        status=QuarantinedRow.Status.OPEN,
    )
    return later.first() or row


# --- Causes -------------------------------------------------------------------------------


class Cause(NamedTuple):
    """Why rows were set aside, said once: how many, how many still wait, and one of them."""

    shop_id: int
    code: str
    cause: str
    kind: str
    message: str
    total: int
    waiting: int
    row_id: int
    sha256: str
    noted: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What its rows share, within a shop."""
        return self.code, self.cause, self.kind


def causes_of(rows: QuerySet[QuarantinedRow]) -> QuerySet[QuarantinedRow, tuple[object, ...]]:
    """The causes of `rows` as values in the order of Cause, the most frequent first.

    Rows of earlier releases have no cause of their own: they are one a code, shown by a message.
    """
    is_open = Q(status=QuarantinedRow.Status.OPEN)
    return (
        rows.order_by()
        .values_list("file__shop", "code", "cause", "kind")
        .annotate(
            shown=Min("message"),
            n=Count("pk"),
            open=Count("pk", filter=is_open),
            first=Min("pk"),
            file_hash=Min("file__sha256"),
            noted=Count("pk", filter=Q(status=QuarantinedRow.Status.NOTED)),
        )
        .order_by("-n", "code", "cause")
    )


def reasons() -> list[tuple[str, str, int]]:
    """(code, a cause of it, rows) of all that was ever set aside, the most frequent first."""
    found = QuarantinedRow.objects.order_by().values_list("code")
    counted = found.annotate(cause=Max("cause"), message=Min("message"), n=Count("pk"))
    return [(code, cause or message, n) for code, cause, message, n in counted.order_by("-n")]


def as_causes(values: Iterable[Sequence[object]]) -> list[Cause]:
    """The causes of what `causes_of` found."""
    found = [Cause(*value) for value in values]  # type: ignore[arg-type]
    return [cause._replace(message=cause.cause or cause.message) for cause in found]


def open_causes() -> QuerySet[QuarantinedRow, tuple[object, ...]]:
    """The causes of all that waits."""
    return causes_of(QuarantinedRow.objects.filter(status=QuarantinedRow.Status.OPEN))


def rows_of_causes(
    rows: QuerySet[QuarantinedRow], causes: Sequence[Cause], each: int
) -> list[QuarantinedRow]:
    """The first rows of each of the causes, by line, in one statement."""
    place = Window(
        RowNumber(), partition_by=[F("code"), F("cause"), F("kind")], order_by=["line", "pk"]
    )
    wanted = rows.filter(
        code__in={cause.code for cause in causes}, cause__in={cause.cause for cause in causes}
    )
    ranked = wanted.annotate(place=place).filter(place__lte=each)
    return list(ranked.select_related("file").order_by("line", "pk"))


# --- Shipments ----------------------------------------------------------------------------


def feeds_that_tell() -> QuerySet[Feed]:
    """Active feeds whose shop is told what we shipped; one that ships itself needn't be."""
    return Feed.objects.filter(is_active=True, shop__ships_itself=False).exclude(shipment_file="")


def shipments_to_tell(feed: Feed, *, needs_tracking: bool) -> QuerySet[DeliveryNote]:
    """Goods that we shipped for orders of the feed's shop, and that it wasn't told of, the oldest
    first: each note once, and once more when its tracking number came later.

    Orders made here from a quote aren't known to the shop.
    """
    told = ToldShipment.objects.filter(feed=feed, delivery_note=OuterRef("pk"))
    goods = DeliveryNoteLine.objects.filter(
        delivery_note=OuterRef("pk"), order_line__kind=OrderLine.Kind.GOODS
    )
    untold = Q(~Q(tracking_number=""), ~Exists(told.filter(has_number=True)))
    if not needs_tracking:
        untold |= Q(Q(tracking_number=""), ~Exists(told))
    return DeliveryNote.objects.filter(
        untold,
        Exists(goods),
        status=DeliveryNote.Status.SHIPPED,
        shipped_at__gte=feed.shipments_since,
        is_shops_own=False,
        order__shop=feed.shop,
        order__quote=None,
    ).order_by("pk")
