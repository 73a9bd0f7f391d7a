"""Demand as a table: a row a product, a column a day, whole weeks that end the day before.

Weeks are blocks of seven days counted back from the planning day, so that none is cut and each
weekday keeps its place.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inventory.selectors import Asked, StockChange
from inventory.standings import EXCEPTIONAL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
DAYS = 7
YEAR = 52
# Three years: two whole seasons and one to compare with.
MAX_WEEKS = 3 * YEAR
# Below so many order lines nobody can say which of them is unusual.
LINES_TO_JUDGE = 8
# Orders come on days without stock when they are so large a share of the usual; a product tells
# with so many days with orders expected on them, else all together do.
OPEN_SHARE, OPEN_WEIGHT = 0.4, 5.0


# Column, pieces, times, what a person called the customer's orders.
_Line = tuple[int, float, int, str]


@dataclass(frozen=True)
class Series:
    """Pieces asked a day; `first` is the column where a product's history begins."""

    daily: Floats
    first: Ints
    # Pieces of one-off bulk orders that were left out, by row.
    capped: Floats
    # Days that ended without stock. None: nobody knows.
    out: Bools | None = None
    # Pieces asked a day with bulk orders as they were. None: as in `daily`.
    uncut: Floats | None = None
    # Pieces a day of customers whose orders are exceptional: no part of demand. None: nobody's.
    aside: Floats | None = None
    # Days that a person called exceptional: they say nothing of demand. None: none.
    special: Bools | None = None
    # Pieces above which an order line is cut, by row; infinite where none is. None: nobody looked.
    fences: Floats | None = None

    @cached_property
    def known(self) -> Bools:
        """Days on which demand could be seen.

        A shop that closes the sale at zero gets no order on a day without stock: such a day says
        nothing of demand. Where orders come all the same, every day tells.
        """
        if self.out is None:
            known = np.ones(self.daily.shape, dtype=bool)
        else:
            known = _seen(self.asked > 0, self.out, self.first)
        return known if self.special is None else known & ~self.special

    @property
    def all_known(self) -> bool:
        """Nobody said of any day that it tells nothing."""
        return self.out is None and self.special is None

    @property
    def known_days(self) -> Floats:
        """Days of each row's history on which demand could be seen."""
        alive = np.arange(self.daily.shape[1])[None, :] >= self.first[:, None]
        days: Floats = (alive & self.known).sum(axis=1).astype(float)
        return days

    @property
    def asked(self) -> Floats:
        """Pieces asked a day, bulk orders as they were."""
        return self.daily if self.uncut is None else self.uncut

    def left_out(self, row: int) -> tuple[float, float]:
        """Pieces that aren't learned as demand (bulk orders above the fence, customers whose orders
        are exceptional), and the percentage of all that was asked."""
        aside = 0.0 if self.aside is None else float(self.aside[row].sum())
        pieces = float(self.capped[row]) + aside
        if not pieces:
            return 0.0, 0.0
        asked = float(self.asked[row].sum()) + aside
        return pieces, 100 * pieces / asked

    @property
    def weekly(self) -> Floats:
        """Pieces a week."""
        rows, days = self.daily.shape
        return self.daily.reshape(rows, days // DAYS, DAYS).sum(axis=2)

    @property
    def seen(self) -> Floats:
        """Share of each week's days on which demand could be seen."""
        rows, days = self.daily.shape
        return self.known.reshape(rows, days // DAYS, DAYS).mean(axis=2)

    @property
    def first_week(self) -> Ints:
        """The first whole week of each product's history."""
        return -(-self.first // DAYS)

    @property
    def weeks(self) -> Ints:
        """Whole weeks of history, by row."""
        return self.daily.shape[1] // DAYS - self.first_week


def build_series(
    product_ids: Sequence[int],
    asked: Iterable[Asked],
    first_days: Mapping[int, date],
    *,
    before: date,
    weeks: int = MAX_WEEKS,
    out: Bools | None = None,
    counts_in_full: Collection[int] = (),
    special: Bools | None = None,
) -> Series:
    """The table of `product_ids` over the `weeks` that end the day before `before`.

    One-off bulk orders count as no more than the largest ordinary one: an order line above
    Q3 + 3·IQR of its product's lines (Tukey, Exploratory Data Analysis, outer fence) is cut to
    that fence, unless so large lines come back (more than one in ten), or the product or the
    customer `counts_in_full`. Of customers whose orders are exceptional nothing counts. `out` says
    which days ended without stock, `special` which a person called exceptional (a row a product).
    """
    width = weeks * DAYS
    place = {pk: row for row, pk in enumerate(product_ids)}
    daily, uncut = np.zeros((len(place), width)), np.zeros((len(place), width))
    capped, fences = np.zeros(len(place)), np.full(len(place), np.inf)
    aside: Floats | None = None
    lines: dict[int, list[_Line]] = {}
    for item in asked:
        column = width - (before - item.day).days
        if 0 <= column < width and item.product_id in place:
            row = place[item.product_id]
            if item.standing == EXCEPTIONAL:
                aside = np.zeros_like(daily) if aside is None else aside
                aside[row, column] += float(item.pieces) * item.times
                continue
            lines.setdefault(row, []).append(
                (column, float(item.pieces), item.times, item.standing)
            )
    whole = {place[pk] for pk in counts_in_full if pk in place}
    for row, found in lines.items():
        fence = np.inf if row in whole else _fence(found)
        fences[row] = fence
        for column, pieces, times, standing in found:
            uncut[row, column] += pieces * times
            if special is not None and special[row, column]:
                continue
            kept = pieces if standing else min(pieces, fence)
            daily[row, column] += kept * times
            capped[row] += (pieces - kept) * times
    first = np.full(len(place), width, dtype=np.int64)
    for pk, row in place.items():
        if pk in first_days:
            first[row] = min(max(width - (before - first_days[pk]).days, 0), width)
    return Series(
        daily,
        first,
        capped,
        out=out,
        uncut=uncut,
        aside=aside,
        special=special,
        fences=fences,
    )


def _fence(lines: Sequence[_Line]) -> float:
    sizes = np.repeat([line[1] for line in lines], [line[2] for line in lines])
    if len(sizes) < LINES_TO_JUDGE:
        return float("inf")
    lower, upper = np.percentile(sizes, [25, 75])
    # Where nearly all lines ask the same, a line of four times that is still ordinary.
    fence = float(upper + 3 * max(upper - lower, upper))
    unusual = int((sizes > fence).sum())
    return fence if 0 < unusual <= len(sizes) / 10 else float("inf")


def days_without_stock(
    product_ids: Sequence[int],
    changes: Iterable[StockChange],
    *,
    before: date,
    weeks: int = MAX_WEEKS,
) -> Bools:
    """Which of the `weeks` weeks' days ended with nothing left to sell, a row a product."""
    width = weeks * DAYS
    place = {pk: row for row, pk in enumerate(product_ids)}
    moved = np.zeros((len(place), width + 1))
    for change in changes:
        column = width - (before - change.day).days if change.day else -1
        moved[place[change.product_id], max(column, -1) + 1] += float(change.pieces)
    return moved.cumsum(axis=1)[:, 1:] <= 0


def _seen(asked: Bools, out: Bools, first: Ints) -> Bools:
    """All days but those wholly without stock and without demand, where the sale was closed."""
    alive = np.arange(asked.shape[1])[None, :] >= first[:, None]
    whole = out & alive
    # A day that began with stock could be seen, even if it ended with none.
    whole[:, 1:] &= out[:, :-1]
    there = alive & ~whole
    usual = (asked & there).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    expected = usual * whole.sum(axis=1)
    came = (asked & whole).sum(axis=1)
    # Without a single day of stock nobody can say what is usual: orders tell by themselves.
    nothing_known = there.sum(axis=1) == 0
    of_all = came[~nothing_known].sum() / max(expected.sum(), 1e-9)
    share = (came + OPEN_WEIGHT * min(of_all, 1.0)) / (expected + OPEN_WEIGHT)
    closed = (share < OPEN_SHARE) & ~nothing_known
    seen: Bools = ~(whole & ~asked & closed[:, None])
    return seen
