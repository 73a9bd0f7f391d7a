"""How healthy the stock is: value, cover, turns, ruptures, lost sales, what sleeps.

Measured once a day for every product, from the ledger, what customers asked and what left. EUR
excl. tax, pieces, civil days in Europe/Paris; a product's warehouses are taken together.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import DecimalField, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from inventory.models import WORTH, Product, Reservation, StockMove
from purchasing.models import StockPolicy
from sales.models import DeliveryNote, DeliveryNoteLine
from sphinx.core.clock import PARIS, business_date
from sphinx.core.money import ZERO, to_cents
from sphinx.dashboard.figures import products_in, sold_in
from sphinx.dashboard.models import ProductHealth, StockHealth
from sphinx.dashboard.periods import Period, bounds, last_days

QUARTER, YEAR, DEAD_AFTER = 90, 365, 180
_MOST = Decimal("0.95")
_PIECE = Decimal("0.001")
_Move = StockMove.Kind


class Ledger(NamedTuple):
    """A product's ledger: pieces, value (EUR), first move, last sale."""

    on_hand: Decimal
    value: Decimal
    first_on: date
    last_sold_on: date | None


@dataclass
class Course:
    """Days of a product in the quarter: pieces moved (openings left out) and pieces asked."""

    moved: dict[date, Decimal] = field(default_factory=dict)
    asked: dict[date, Decimal] = field(default_factory=dict)


class Ruptures(NamedTuple):
    """Days followed, days without a piece, pieces that would have sold in them."""

    watched: int
    out: int
    lost: Decimal


@transaction.atomic
def measure_stock(on: date) -> StockHealth:
    """Measure every product and the whole as of the end of `on`; again is the same."""
    quarter = last_days(on, QUARTER)
    ledgers, courses = _ledgers(), _courses(quarter)
    prices = _prices(quarter)
    costs = _costs(quarter)
    xyz = dict(StockPolicy.objects.values_list("product_id", "figures__xyz"))
    rows = []
    for product in Product.objects.order_by("pk"):
        ledger = ledgers.get(product.pk)
        if ledger is None or not product.is_active:
            continue
        course = courses.get(product.pk, Course())
        found = Ruptures(0, 0, ZERO)
        if product.supply_mode == Product.SupplyMode.STOCKED:
            found = ruptures(ledger, course, quarter)
        rows.append(
            ProductHealth(
                product=product,
                on_hand=ledger.on_hand,
                value_excl_tax=to_cents(ledger.value),
                asked=sum(course.asked.values(), ZERO),
                cost_excl_tax=to_cents(costs.get(product.sku, ZERO)),
                days_watched=found.watched,
                days_out=found.out,
                lost_pieces=found.lost,
                lost_excl_tax=to_cents(found.lost * prices.get(product.sku, ZERO)),
                last_sold_on=ledger.last_sold_on,
                is_dead=_is_dead(ledger, on),
                abc=product.abc_class,
                xyz=xyz.get(product.pk) or "",
            )
        )
    ProductHealth.objects.all().delete()
    ProductHealth.objects.bulk_create(rows, batch_size=2000)
    return _sum_up(on, rows, sum((ledger.value for ledger in ledgers.values()), ZERO))


def ruptures(ledger: Ledger, course: Course, period: Period) -> Ruptures:
    """Days that ended without a piece, of those since the product is known.

    Lost, an estimate: what is asked a day while there is stock, over the days without, less what
    was asked all the same in them.
    """
    level = ledger.on_hand
    day, out, asked_in, asked_out, watched = period.end, 0, ZERO, ZERO, 0
    while day >= max(period.start, ledger.first_on):
        watched += 1
        if level <= 0:
            out += 1
            asked_out += course.asked.get(day, ZERO)
        else:
            asked_in += course.asked.get(day, ZERO)
        level -= course.moved.get(day, ZERO)
        day -= timedelta(days=1)
    in_stock = watched - out
    per_day = asked_in / in_stock if in_stock else ZERO
    # What nobody asks for isn't missed.
    if asked_in + asked_out == 0:
        return Ruptures(watched, 0, ZERO)
    return Ruptures(watched, out, max(per_day * out - asked_out, ZERO).quantize(_PIECE))


def _is_dead(ledger: Ledger, on: date) -> bool:
    since = on - timedelta(days=DEAD_AFTER)
    last = ledger.last_sold_on or ledger.first_on
    return ledger.on_hand > 0 and last < since


def _ledgers() -> dict[int, Ledger]:
    rows = (
        StockMove.objects.order_by()
        .values("product")
        .annotate(
            pieces=Sum("quantity"),
            # Goods on their way between warehouses keep their value, and lie in none.
            worth=_worth(~Q(kind=_Move.TRANSFER)),
            first=Min("at"),
            sold=Max("at", filter=Q(kind=_Move.SALE)),
            opened=Min("at", filter=Q(kind=_Move.OPENING)),
        )
    )
    return {
        row["product"]: Ledger(
            row["pieces"],
            row["worth"] or ZERO,
            # What was there when the books began had been there before.
            date.min if row["opened"] else business_date(row["first"]),
            business_date(row["sold"]) if row["sold"] else None,
        )
        for row in rows
    }


def _worth(only: Q) -> Sum:
    """The value of some moves, as `WORTH`."""
    return Sum(
        F("quantity") * F("unit_cost") + F("value_change"),
        filter=only,
        output_field=DecimalField(max_digits=24, decimal_places=9),
    )


def _courses(period: Period) -> dict[int, Course]:
    start, end = bounds(period)
    courses: dict[int, Course] = defaultdict(Course)
    moves = StockMove.objects.exclude(kind=_Move.OPENING).filter(at__gte=start, at__lt=end)
    for product, day, pieces in _by_day(moves, "at", "quantity"):
        courses[product].moved[day] = pieces
    asked = Reservation.objects.filter(
        is_bundle=False, asked__gt=0, requested_at__gte=start, requested_at__lt=end
    )
    for product, day, pieces in _by_day(asked, "requested_at", "asked"):
        courses[product].asked[day] = pieces
    return courses


def _by_day(
    rows: QuerySet[Any, Any], moment: str, pieces: str
) -> Iterable[tuple[int, date, Decimal]]:
    return (
        rows.order_by()
        .annotate(day=TruncDate(moment, tzinfo=PARIS))
        .values_list("product", "day")
        .annotate(total=Sum(pieces))
    )


def _prices(period: Period) -> dict[str, Decimal]:
    """Net sales a piece, EUR excl. tax; those of before the first day here too."""
    sold = (
        products_in(period)
        .values_list("sku")
        .annotate(
            net=Sum(F("net_excl_tax") + F("history_excl_tax")),
            n=Sum(F("pieces") + F("history_pieces")),
        )
    )
    return {sku: net / pieces for sku, net, pieces in sold if pieces > 0}


def _costs(period: Period) -> dict[str, Decimal]:
    return dict(products_in(period).values_list("sku").annotate(cost=Sum("cost_excl_tax")))


# --- The whole -----------------------------------------------------------------------------------


def _sum_up(on: date, rows: list[ProductHealth], value: Decimal) -> StockHealth:
    quarter, year = last_days(on, QUARTER), last_days(on, YEAR)
    dead = [row for row in rows if row.is_dead]
    shipped, complete = _lines(quarter)
    hours = _hours_to_ship(quarter)
    values = {
        "value_excl_tax": to_cents(value),
        "pieces": sum((row.on_hand for row in rows), ZERO),
        "average_value": _average_value(value, year),
        "cost_of_year": _cost(year),
        "cost_of_quarter": _cost(quarter),
        "days_watched": sum(row.days_watched for row in rows),
        "days_out": sum(row.days_out for row in rows),
        "lost_excl_tax": sum((row.lost_excl_tax for row in rows), ZERO),
        "dead_products": len(dead),
        "dead_value": sum((row.value_excl_tax for row in dead), ZERO),
        "lines_shipped": shipped,
        "lines_complete": complete,
        "parcels": len(hours),
        "hours_median": _quantile(hours, Decimal("0.5")),
        "hours_most": _quantile(hours, _MOST),
    }
    health, _is_new = StockHealth.objects.update_or_create(measured_on=on, defaults=values)
    return health


def _cost(period: Period) -> Decimal:
    return to_cents(sold_in(period).aggregate(total=Sum("cost_excl_tax"))["total"] or ZERO)


def value_by_day(value: Decimal, period: Period) -> list[tuple[date, Decimal]]:
    """The stock's value at the end of each day, EUR; `value` is that at the end of the last."""
    start, end = bounds(period)
    changes = dict(
        StockMove.objects.filter(~Q(kind=_Move.TRANSFER), at__gte=start, at__lt=end)
        .order_by()
        .annotate(day=TruncDate("at", tzinfo=PARIS))
        .values_list("day")
        .annotate(total=WORTH)
    )
    found, day = [], period.end
    while day >= period.start:
        found.append((day, to_cents(value)))
        value -= changes.get(day, ZERO)
        day -= timedelta(days=1)
    return found[::-1]


def _average_value(value: Decimal, year: Period) -> Decimal:
    """Over the days since the books began, EUR."""
    began = StockMove.objects.aggregate(first=Min("at"))["first"]
    first = business_date(began) if began else year.end
    values = [worth for day, worth in value_by_day(value, year) if day >= first]
    return to_cents(sum(values, ZERO) / len(values)) if values else ZERO


def _lines(period: Period) -> tuple[int, int]:
    """Order lines first shipped in the period, and those shipped whole at once."""
    start, end = bounds(period)
    rows = (
        DeliveryNoteLine.objects.filter(
            delivery_note__shipped_at__gte=start, delivery_note__shipped_at__lt=end
        )
        .order_by("delivery_note__shipped_at", "pk")
        .values_list("order_line", "quantity", "order_line__quantity")
    )
    first: dict[int, bool] = {}
    for line, quantity, wanted in rows.iterator(chunk_size=5000):
        first.setdefault(line, quantity >= wanted)
    return len(first), sum(first.values())


def _hours_to_ship(period: Period) -> list[Decimal]:
    """Hours from order to parcel of every parcel that left, the quickest first."""
    start, end = bounds(period)
    rows = DeliveryNote.objects.filter(shipped_at__gte=start, shipped_at__lt=end).order_by()
    return sorted(
        Decimal(int((left - placed).total_seconds())) / 3600
        for placed, left in rows.values_list("order__placed_at", "shipped_at")
        if left
    )


def _quantile(values: list[Decimal], share: Decimal) -> Decimal | None:
    """The smallest value that so large a share of them doesn't exceed; None of none."""
    if not values:
        return None
    place = -(-share * len(values) // 1)
    return values[max(int(place) - 1, 0)].quantize(Decimal("0.1"))
