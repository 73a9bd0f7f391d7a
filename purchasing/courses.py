"""The course of a product, week by week: asked, in stock, foretold with and without buying."""

import math
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from inventory.models import Product, Warehouse
from inventory.selectors import Outlier, first_days, large_lines, stock_by_day
from purchasing.models import EXPECTED, PurchaseOrderLine
from purchasing.planning.series import DAYS, Floats, Series
from purchasing.services.policies import Learning, current_positions

WEEKS_BACK, WEEKS_AHEAD = 26, 12
# Of the order lines that are left out, the latest.
LINES_SHOWN = 20
# Behind weeks with days that say nothing of demand, as high as their share of the week.
_UNSEEN = "#b9bdc280"


class LeftOut(NamedTuple):
    """Pieces that aren't learned as demand, the percentage of all that was asked, above how many
    pieces an order line is cut (None: none is), and the lines."""

    pieces: Decimal
    share: Decimal
    fence: Decimal | None
    lines: list[Outlier]


class Week(NamedTuple):
    """One week, by its first day; None where it has no past or no future. Pieces.

    `unseen` days had neither stock nor orders: they say nothing of demand. `asked` is all that was
    asked, `left_out` what of it isn't learned as demand. `foretold` is what is to be asked in the
    week, as people changed it, `computed` before they did.
    """

    first_day: date
    asked: float | None
    stock: float | None
    without: float | None
    with_order: float | None
    unseen: int = 0
    left_out: float = 0.0
    foretold: float | None = None
    computed: float | None = None


class Course(NamedTuple):
    """The weeks, and the levels to draw (pieces); what of demand was left out."""

    weeks: list[Week]
    reorder_point: float
    order_up_to: float
    left_out: LeftOut
    is_changed: bool
    # Some of the days that say nothing were called exceptional by a person.
    has_special: bool


def course_of(
    product: Product,
    warehouse: Warehouse,
    *,
    on: date,
    levels: tuple[Decimal, Decimal],
    buying: Decimal = Decimal(0),
    arrives_in_days: int = 0,
) -> Course:
    """Half a year back, a quarter ahead; `buying` pieces would arrive in so many days."""
    learning = Learning(warehouse, on)
    series, foretold = learning.foretell(product.pk)
    asked = _weekly(series.asked[0])
    if series.aside is not None:
        asked = asked + _weekly(series.aside[0])
    left_out = np.maximum(asked - series.weekly[0], 0.0)
    unseen = np.rint((1 - series.seen[0]) * DAYS)
    back = min(WEEKS_BACK, len(asked))
    first = on - timedelta(days=back * DAYS)
    stock = dict(stock_by_day(product.pk, warehouse, first=first, last=on))
    # Before the books began nobody knows what lay there.
    known = first_days([product.pk], warehouse, moved_only=True).get(product.pk, on)
    weeks = []
    for number in range(back):
        day = first + timedelta(days=number * DAYS)
        end = day + timedelta(days=DAYS - 1)
        level = float(stock[end]) if end >= known else None
        column = len(asked) - back + number
        weeks.append(
            Week(
                day,
                float(asked[column]),
                level,
                None,
                None,
                int(unseen[column]),
                float(left_out[column]),
            )
        )
    position = current_positions([product.pk], warehouse)[product.pk]
    there = float(position.available - position.backordered)
    coming = _coming(product, warehouse, on)
    for number in range(WEEKS_AHEAD + 1):
        day = on + timedelta(days=number * DAYS)
        gone = foretold.until(0, number * DAYS)
        arrived = sum(pieces for when, pieces in coming if when <= day)
        ahead = there + arrived - gone
        bought = float(buying) if number * DAYS >= arrives_in_days else 0.0
        now = float(position.on_hand) if number == 0 else None
        days = number * DAYS
        weeks.append(
            Week(
                day,
                None,
                now,
                ahead,
                ahead + bought if buying else None,
                foretold=foretold.until(0, days + DAYS) - gone,
                computed=foretold.computed_until(0, days + DAYS) - foretold.computed_until(0, days),
            )
        )
    return Course(
        weeks,
        float(levels[0]),
        float(levels[1]),
        _left_out(product, warehouse, on, series),
        bool(foretold.changes),
        series.special is not None,
    )


def _weekly(daily: Floats) -> Floats:
    return daily.reshape(-1, DAYS).sum(axis=1)


def _sources(product: Product, warehouse: Warehouse, on: date) -> Iterator[tuple[int, date]]:
    """Whose order lines tell of a product, and before which day: an heir's predecessor's too."""
    yield product.pk, on
    if product.inherits_from_id is not None:
        began = first_days([product.pk], warehouse).get(product.pk, on)
        yield product.inherits_from_id, min(began, on)


def _left_out(product: Product, warehouse: Warehouse, on: date, series: Series) -> LeftOut:
    pieces, share = series.left_out(0)
    fence = float(series.fences[0]) if series.fences is not None else math.inf
    over = Decimal(repr(round(fence, 3))) if math.isfinite(fence) else None
    lines: list[Outlier] = []
    for source, before in _sources(product, warehouse, on) if pieces else ():
        lines += large_lines(
            source,
            warehouse,
            over=over,
            first=on - timedelta(days=series.daily.shape[1]),
            before=before,
            most=LINES_SHOWN - len(lines),
        )
    return LeftOut(Decimal(repr(round(pieces, 3))), Decimal(repr(round(share, 1))), over, lines)


def _coming(product: Product, warehouse: Warehouse, on: date) -> list[tuple[date, float]]:
    lines = PurchaseOrderLine.objects.filter(
        product=product,
        purchase_order__warehouse=warehouse,
        purchase_order__status__in=EXPECTED,
    ).select_related("purchase_order")
    return [
        (
            max(line.purchase_order.expected_on or on, on),
            float(max(line.quantity - line.quantity_received, Decimal(0))),
        )
        for line in lines
    ]


def as_chart(course: Course, labels: dict[str, str]) -> dict[str, object]:
    """For the chart library: colours told apart by people who can't tell red from green."""
    weeks = course.weeks

    def line(
        key: str, values: list[float | None], colour: str, **more: object
    ) -> dict[str, object]:
        return {
            "type": "line",
            "label": labels[key],
            "data": [None if v is None else round(v, 1) for v in values],
            "borderColor": colour,
            "backgroundColor": colour,
            "tension": 0.2,
            "spanGaps": False,
            **more,
        }

    return {
        "labels": [f"{w.first_day:%d/%m}" for w in weeks],
        "datasets": [
            {
                "type": "bar",
                "label": labels["asked"],
                "data": [w.asked for w in weeks],
                "backgroundColor": "#9db8cf",
                "displayYAxis": True,
                "borderRadius": 3,
            },
            line("stock", [w.stock for w in weeks], "#0e74bc"),
            line("without", [w.without for w in weeks], "#b3261e", borderDash=[6, 4]),
            line("with", [w.with_order for w in weeks], "#0b6b3a"),
            line("foretold", [w.foretold for w in weeks], "#6d4c9f"),
            *(
                [line("computed", [w.computed for w in weeks], "#6d4c9f", borderDash=[1, 4])]
                if course.is_changed
                else []
            ),
            line("point", [course.reorder_point] * len(weeks), "#8a4b00", borderDash=[2, 3]),
            *_unseen(course, labels),
        ],
    }


def _unseen(course: Course, labels: dict[str, str]) -> list[dict[str, object]]:
    """Grey behind the weeks with days without stock or orders; nothing where there are none."""
    if not any(week.unseen for week in course.weeks):
        return []
    top = max(course.order_up_to, *(max(w.asked or 0, w.stock or 0) for w in course.weeks))
    return [
        {
            "type": "bar",
            "label": labels["unseen"],
            "data": [round(top * w.unseen / DAYS, 1) if w.unseen else None for w in course.weeks],
            "backgroundColor": _UNSEEN,
            "grouped": False,
            "barPercentage": 1,
            "categoryPercentage": 1,
            "order": 10,
        }
    ]
