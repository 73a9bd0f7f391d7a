"""Safety stock and reorder point: what must be there while goods are on their way.

Where the past teaches (`Learned`): demand over the protection time has the variance φ·μ of its
weeks, that of the level's own error κ²·μ², and of how far stock is under the reorder point when it
is seen to be. The level is the quantile of the gamma law with this mean and variance, at
as many standard deviations as have held in the past (calibration.py). The delay's own spread is
added as an independent error.

Without a past: σ = √(D·σ_d² + d̄²·σ_L²) (SPT, ch. 6, eq. 6.22 for variable lead times). Large
demand: s = μ + z·σ; small or uneven demand, which comes in pieces: the smallest s such that
P(demand ≤ s) reaches the service level, with Poisson or, when it spreads more, the negative
binomial distribution of the same mean and variance (SPT, ch. 6.14).
"""

import math
from statistics import NormalDist
from typing import NamedTuple

from purchasing.planning.quantiles import negative_binomial_quantile, poisson_quantile

__all__ = ["Learned", "Protection", "negative_binomial_quantile", "poisson_quantile", "protect"]

# Above this many pieces over the protection time the normal distribution is close enough.
NORMAL_FROM = 20.0


class Protection(NamedTuple):
    """Pieces: demand over the protection time, its spread, the stock that covers it."""

    days: float
    demand: float
    spread: float
    distribution: str
    z: float
    undershoot: float
    safety_stock: float
    reorder_point: float


class Learned(NamedTuple):
    """What the past of products of its kind teaches of a product.

    Variance over mean; the level's own error over the protection time (share of demand); mean and
    spread of the undershoot (pieces); demand after a sale over the mean; standard deviations
    that have held as often as asked.
    """

    ratio: float
    level_error: float
    undershoot: float
    undershoot_spread: float
    burst: float
    deviations: float


def protect(
    *,
    demand: float,
    per_day: float,
    spread_per_day: float,
    days: float,
    lead_spread_days: float,
    service_level: float,
    is_intermittent: bool,
    undershoot: float = 0.0,
    learned: Learned | None = None,
) -> Protection:
    """Protect `demand` pieces over `days` at a service level (0 to 1).

    `undershoot` is how far stock falls past the reorder point on average (pieces), where nothing is
    `learned`.
    """
    spread = math.sqrt(days * spread_per_day**2 + per_day**2 * lead_spread_days**2)
    z = NormalDist().inv_cdf(service_level)
    if demand <= 0 and per_day <= 0:
        return Protection(days, 0.0, 0.0, "none", z, 0.0, 0.0, 0.0)
    if learned is not None:
        late = per_day * learned.burst * lead_spread_days
        return _as_learned(demand, days, learned, late, z)
    if demand >= NORMAL_FROM and not is_intermittent:
        return Protection(days, demand, spread, "normal", z, 0.0, z * spread, demand + z * spread)
    variance, name, point = spread**2, "poisson", 0
    if variance > demand * 1.001 > 0:
        point = negative_binomial_quantile(demand, variance, service_level)
        name = "negative_binomial"
    elif demand > 0:
        point = poisson_quantile(demand, service_level)
    level = point + undershoot
    return Protection(days, demand, spread, name, z, undershoot, level - demand, level)


def _as_learned(demand: float, days: float, learned: Learned, late: float, z: float) -> Protection:
    expected = demand * learned.burst
    mean = max(expected + learned.undershoot, 1e-9)
    variance = learned.ratio * expected + (learned.level_error * expected) ** 2
    variance += learned.undershoot_spread**2
    part = variance / (9 * mean**2)
    root = 1 - part + learned.deviations * math.sqrt(part)
    # Demand and delay err independently of each other: their squares add up, each with its sign.
    beyond = mean * max(root, 0.0) ** 3 - mean
    squares = beyond * abs(beyond) + z * abs(z) * late**2
    beyond = math.copysign(math.sqrt(abs(squares)), squares)
    # The last piece is never sold without another being ordered.
    point = max(mean + beyond, 1.0)
    spread = math.sqrt(variance + late**2)
    undershoot = learned.undershoot
    return Protection(
        days, demand, spread, "gamma", learned.deviations, undershoot, point - demand, point
    )
