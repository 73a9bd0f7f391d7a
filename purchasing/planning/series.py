"""Demand as a table: a row a product, a column a day, whole weeks that end the day before.

Weeks are blocks of seven days counted back from the planning day, so that none is cut and each
weekday keeps its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from inventory.selectors import Asked

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAYS = 7
YEAR = 52
# Three years: two whole seasons and one to compare with.
MAX_WEEKS = 3 * YEAR
# Below so many order lines nobody can say which of them is unusual.
LINES_TO_JUDGE = 8


@dataclass(frozen=True)
class Series:
    """Pieces asked a day; `first` is the column where a product's history begins."""

    daily: Floats
    first: Ints
    # Pieces of one-off bulk orders that were left out, by row.
    capped: Floats
    # Days on which demand could be seen (1, else 0): not those without stock on which the shop
    # sold nothing. None: all of them.
    known: Floats | None = None
    # Pieces asked a day with bulk orders as they were. None: as in `daily`.
    uncut: Floats | None = None

    @property
    def asked(self) -> Floats:
        """Pieces asked a day, bulk orders as they were."""
        return self.daily if self.uncut is None else self.uncut

    @property
    def weekly(self) -> Floats:
        """Pieces a week."""
        rows, days = self.daily.shape
        return self.daily.reshape(rows, days // DAYS, DAYS).sum(axis=2)

    @property
    def seen(self) -> Floats:
        """Share of each week's days on which demand could be seen."""
        rows, days = self.daily.shape
        if self.known is None:
            return np.ones((rows, days // DAYS))
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
) -> Series:
    """The table of `product_ids` over the `weeks` that end the day before `before`.

    One-off bulk orders count as no more than the largest ordinary one: an order line above
    Q3 + 3·IQR of its product's lines (Tukey, Exploratory Data Analysis, outer fence) is cut to
    that fence, unless so large lines come back (more than one in ten).
    """
    width = weeks * DAYS
    place = {pk: row for row, pk in enumerate(product_ids)}
    daily, uncut = np.zeros((len(place), width)), np.zeros((len(place), width))
    capped = np.zeros(len(place))
    lines: dict[int, list[tuple[int, float, int]]] = {}
    for item in asked:
        column = width - (before - item.day).days
        if 0 <= column < width and item.product_id in place:
            row = place[item.product_id]
            lines.setdefault(row, []).append((column, float(item.pieces), item.times))
    for row, found in lines.items():
        fence = _fence(found)
        for column, pieces, times in found:
            kept = min(pieces, fence)
            daily[row, column] += kept * times
            uncut[row, column] += pieces * times
            capped[row] += (pieces - kept) * times
    first = np.full(len(place), width, dtype=np.int64)
    for pk, row in place.items():
        if pk in first_days:
            first[row] = min(max(width - (before - first_days[pk]).days, 0), width)
    return Series(daily, first, capped, uncut=uncut)


def _fence(lines: Sequence[tuple[int, float, int]]) -> float:
    sizes = np.repeat([pieces for _c, pieces, _t in lines], [times for _c, _p, times in lines])
    if len(sizes) < LINES_TO_JUDGE:
        return float("inf")
    lower, upper = np.percentile(sizes, [25, 75])
    # Where nearly all lines ask the same, a line of four times that is still ordinary.
    fence = float(upper + 3 * max(upper - lower, upper))
    unusual = int((sizes > fence).sum())
    return fence if 0 < unusual <= len(sizes) / 10 else float("inf")
