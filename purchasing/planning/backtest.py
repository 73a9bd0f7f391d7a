"""What a way of ordering would have done over a past: stock day by day, for many products.

The same demand, the same delays, the same opening stock for each way; customers who find nothing
wait and are served first when goods come (as in the books). Measured over the days after the
first year or half of the history: before, nobody knew anything.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from purchasing.planning.forecasting import forecast
from purchasing.planning.levels import LeadTime, Rules, plan_levels
from purchasing.planning.ordering import Terms
from purchasing.planning.series import DAYS, MAX_WEEKS, Floats, Ints, Series

# Levels are worked out again so often (days); a night's run would do it every day.
REPLAN_DAYS = 7
# The fixed rule of a merchant: so many days beyond the delay, then so many more.
FIXED_BUFFER_DAYS, FIXED_COVER_DAYS = 14, 28


class History(NamedTuple):
    """Pieces asked a day (a row a product), opening stock, delays and their spread in days."""

    daily: Floats
    opening: Floats
    lead_days: Floats
    lead_spread: Floats
    pack: Floats
    terms: list[Terms | None]
    abc: list[str]
    shelf_life: list[int | None]


class Outcome(NamedTuple):
    """One way's results, a product a row where it is an array.

    `fill_rate` is the share of pieces served at once; `days_out` product-days with customers
    turned away; `average_stock` pieces on a day; `orders` lines ordered. Of the `arrivals`, before
    `short` something was missing: the rest is the service level achieved.
    """

    name: str
    fill_rate: float
    days_out: int
    average_stock: float
    orders: int
    stock: Floats
    served: Floats
    asked: Floats
    arrivals: Floats
    short: Floats

    def of(self, rows: NDArray[np.bool_]) -> "Outcome":
        """The same for some products only."""
        asked = self.asked[rows].sum()
        return self._replace(
            fill_rate=float(self.served[rows].sum() / asked) if asked else 1.0,
            average_stock=float(self.stock[rows].sum()),
        )


# From a day to the reorder points and order-up-to levels of that day.
Policy = Callable[[int], tuple[Floats, Floats]]


def simulate(name: str, history: History, policy: Policy, *, start: int, seed: int = 1) -> Outcome:
    """Run one way of ordering from day `start` to the end.

    Orders are placed at the end of a day at which stock and what is coming are at or under the
    reorder point, and come after the product's delay, drawn with its spread.
    """
    draw = np.random.default_rng(seed)
    rows, days = history.daily.shape
    on_hand, waiting = history.opening.copy(), np.zeros(rows)
    horizon = days + 400
    coming = np.zeros((rows, horizon))
    due = np.zeros(rows)
    served, held = np.zeros(rows), np.zeros(rows)
    arrivals, short = np.zeros(rows), np.zeros(rows)
    lacked = np.zeros(rows, dtype=bool)
    out = orders = 0
    point, up_to = policy(start)
    every = np.arange(rows)
    for day in range(start, days):
        if (day - start) % REPLAN_DAYS == 0:
            point, up_to = policy(day)
        arrived = coming[:, day]
        arrivals += arrived > 0
        short += (arrived > 0) & lacked
        lacked &= arrived <= 0
        due -= arrived
        on_hand += arrived
        to_waiting = np.minimum(on_hand, waiting)
        on_hand -= to_waiting
        waiting -= to_waiting
        asked = history.daily[:, day]
        given = np.minimum(asked, on_hand)
        on_hand -= given
        waiting += asked - given
        lacked |= asked > given
        served += given
        held += on_hand
        out += int((asked > given).sum())
        position = on_hand + due - waiting
        buys = (position <= point) & (position < up_to)
        wanted = np.where(buys, np.ceil((up_to - position) / history.pack) * history.pack, 0.0)
        orders += int(buys.sum())
        delay = np.maximum(
            np.rint(history.lead_days + history.lead_spread * draw.standard_normal(rows)), 1
        ).astype(np.int64)
        arrives = np.minimum(day + delay, horizon - 1)
        coming[every, arrives] += wanted
        due += wanted
    whole = history.daily[:, start:].sum(axis=1)
    return Outcome(
        name,
        float(served.sum() / max(whole.sum(), 1e-9)),
        out,
        float(held.sum() / max(days - start, 1)),
        orders,
        held / max(days - start, 1),
        served,
        whole,
        arrivals,
        short,
    )


def learned_policy(history: History, first: Ints, rules: Rules) -> Policy:
    """Ours: levels learned, at each day, from the days before it and nothing else."""

    def levels(day: int) -> tuple[Floats, Floats]:
        weeks = min(max(day // DAYS, 1), MAX_WEEKS)
        seen = history.daily[:, max(day - weeks * DAYS, 0) : day]
        began = np.maximum(first - max(day - weeks * DAYS, 0), 0)
        series = Series(seen, np.minimum(began, seen.shape[1]), np.zeros(len(seen)))
        foretold = forecast(series)
        points, tops = np.zeros(len(seen)), np.zeros(len(seen))
        for row in range(len(seen)):
            plan = plan_levels(
                foretold,
                row,
                lead_time=LeadTime(
                    float(history.lead_days[row]), float(history.lead_spread[row]), 0
                ),
                terms=history.terms[row],
                rules=rules,
                abc=history.abc[row],
                shelf_life_days=history.shelf_life[row],
            )
            points[row], tops[row] = (
                float(plan.levels.reorder_point),
                float(plan.levels.order_up_to),
            )
        return points, tops

    return levels


def fixed_policy(history: History, known: int) -> Policy:
    """A merchant's minimum and maximum, set once from the mean of the first `known` days.

    Minimum: the delay and two weeks of sales; maximum: four weeks more. What back-offices that
    compare with a fixed minimum are fed with.
    """
    per_day = history.daily[:, :known].mean(axis=1)
    minimum = np.ceil(per_day * (history.lead_days + FIXED_BUFFER_DAYS))
    maximum = minimum + np.maximum(np.ceil(per_day * FIXED_COVER_DAYS), 1)
    return lambda _day: (minimum, maximum)


def given_policy(minimum: Floats, maximum: Floats) -> Policy:
    """Minimum and maximum that the firm has set by hand."""
    return lambda _day: (minimum, maximum)


def replay(history: History, received: Floats, *, start: int) -> Outcome:
    """What really came in (pieces a day), against the same demand."""
    rows, days = history.daily.shape
    on_hand, waiting = history.opening.copy(), np.zeros(rows)
    served, held, out = np.zeros(rows), np.zeros(rows), 0
    for day in range(start, days):
        on_hand += received[:, day]
        to_waiting = np.minimum(on_hand, waiting)
        on_hand -= to_waiting
        waiting -= to_waiting
        asked = history.daily[:, day]
        given = np.minimum(asked, on_hand)
        on_hand -= given
        waiting += asked - given
        served += given
        held += on_hand
        out += int((asked > given).sum())
    whole = history.daily[:, start:].sum(axis=1)
    return Outcome(
        "real",
        float(served.sum() / max(whole.sum(), 1e-9)),
        out,
        float(held.sum() / max(days - start, 1)),
        int((received[:, start:] > 0).sum()),
        held / max(days - start, 1),
        served,
        whole,
        np.zeros(rows),
        np.zeros(rows),
    )
