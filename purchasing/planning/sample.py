"""A seeded set of demand of the four usual kinds: smooth, seasonal, intermittent, trending."""

from typing import NamedTuple

import numpy as np

from purchasing.planning.backtest import History
from purchasing.planning.series import DAYS, YEAR, Floats

KINDS = ("smooth", "seasonal", "intermittent", "trending")
# Chance of an intermittent product to be asked for on a day; share of trends that rise.
ASKED_A_DAY, RISING = 0.06, 0.6
A_SHARE, B_SHARE = 0.80, 0.95
WEEKDAYS = np.array([1.2, 0.9, 0.9, 0.9, 1.0, 1.1, 1.0])


class Sample(NamedTuple):
    """A history and the kind of each row."""

    history: History
    kinds: list[str]


def sample(products: int = 200, weeks: int = 3 * YEAR, seed: int = 7) -> Sample:
    """`products` of equal parts of each kind, over `weeks`; the same for the same seed.

    Mean demand is log-normal over products (few sell much), counts are negative binomial (they
    spread more than Poisson), delays 3 to 21 days with a spread of a quarter.
    """
    draw = np.random.default_rng(seed)
    days = weeks * DAYS
    time = np.arange(days, dtype=float)
    daily = np.zeros((products, days))
    kinds = [KINDS[row % len(KINDS)] for row in range(products)]
    for row, kind in enumerate(kinds):
        mean = float(np.clip(draw.lognormal(0.0, 0.9), 0.15, 20))
        daily[row] = _course(kind, mean, time, draw)
    lead = draw.integers(3, 22, products).astype(float)
    history = History(
        daily=daily,
        opening=np.zeros(products),
        lead_days=lead,
        lead_spread=lead * 0.25,
        pack=draw.choice([1.0, 1.0, 6.0], products),
        terms=[None] * products,
        abc=_classes(daily),
        shelf_life=[None] * products,
    )
    return Sample(history, kinds)


def _course(kind: str, mean: float, time: Floats, draw: np.random.Generator) -> Floats:
    days = len(time)
    if kind == "intermittent":
        sizes = 1 + draw.negative_binomial(1, 0.4, days)
        return np.where(draw.random(days) < ASKED_A_DAY, sizes, 0).astype(float)
    rate = np.full(days, mean) * WEEKDAYS[time.astype(int) % DAYS]
    if kind == "seasonal":
        peak = draw.integers(0, 364)
        rate *= 1 + 0.7 * np.cos(2 * np.pi * (time - peak) / 364)
    if kind == "trending":
        # From half to double (or the reverse) over the whole history.
        growth = 2 ** (2 * time / days - 1)
        rate *= growth if draw.random() < RISING else growth[::-1]
    spread = 3.0
    return draw.negative_binomial(spread, spread / (spread + rate)).astype(float)


def _classes(daily: Floats) -> list[str]:
    whole = daily.sum(axis=1)
    shares = np.empty(len(whole))
    order = np.argsort(-whole)
    shares[order] = np.cumsum(whole[order]) / max(whole.sum(), 1e-9)
    return ["A" if share <= A_SHARE else "B" if share <= B_SHARE else "C" for share in shares]
