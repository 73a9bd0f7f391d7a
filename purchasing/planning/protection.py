"""Safety stock and reorder point: what must be there while goods are on their way.

μ = demand over the protection time L + R; σ = √((L + R)·σ_d² + d̄²·σ_L²) (SPT, ch. 6, eq. 6.22 for
variable lead times). Smooth demand: s = μ + z·σ. Slow or intermittent demand, which comes in
pieces: the smallest s such that P(demand ≤ s) reaches the service level, with Poisson or, when it
spreads more, the negative binomial distribution of the same mean and variance (SPT, ch. 6.14).
Where demand comes in lumps, stock falls past s, not to it, before anything is ordered: the mean
undershoot E[x²] / (2·E[x]) of a lump x is added (SPT, ch. 6.13; Karlin's renewal argument).
"""

import math
from statistics import NormalDist
from typing import NamedTuple

# Above this many pieces over the protection time the normal distribution is close enough.
NORMAL_FROM = 20.0
_MAX_STEPS = 100_000


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
    undershoot_spread: float = 0.0,
    level_error: float = 0.0,
    burst: float = 1.0,
    ratio: float = 0.0,
    deviations: float | None = None,
) -> Protection:
    """Protect `demand` pieces over `days` (lead time + review) at a service level (0 to 1).

    `undershoot` is how far stock falls past the reorder point on average (pieces).
    """
    variance = days * spread_per_day**2 + (per_day * lead_spread_days) ** 2
    variance += (level_error * demand) ** 2 + undershoot_spread**2
    z = NormalDist().inv_cdf(service_level)
    if deviations is not None and demand > 0:
        expected = demand * burst
        variance = ratio * expected + (level_error * expected) ** 2 + undershoot_spread**2
        mean = expected + undershoot
        part = variance / (9 * mean**2)
        point = mean * max(1 - part + deviations * math.sqrt(part), 0.0) ** 3
        late = z * per_day * burst * lead_spread_days
        excess = point - mean
        excess = math.copysign(math.sqrt(abs(math.copysign(excess**2, excess) + math.copysign(late**2, z))), math.copysign(excess**2, excess) + math.copysign(late**2, z))
        point = max(mean + excess, 1.0)
        return Protection(days, demand, math.sqrt(variance), "gamma", deviations, undershoot, point - demand, point)
    spread = math.sqrt(variance)
    z = NormalDist().inv_cdf(service_level)
    if demand <= 0:
        return Protection(days, 0.0, 0.0, "none", z, 0.0, 0.0, 0.0)
    mean = demand + undershoot
    if demand >= NORMAL_FROM and not is_intermittent:
        return Protection(
            days, demand, spread, "normal", z, undershoot, z * spread + undershoot, mean + z * spread
        )
    if variance > mean * 1.001:
        point = negative_binomial_quantile(mean, variance, service_level)
        name = "negative_binomial"
    else:
        point, name = poisson_quantile(mean, service_level), "poisson"
    return Protection(days, demand, spread, name, z, undershoot, point - demand, point)


def poisson_quantile(mean: float, level: float) -> int:
    """The smallest k such that P(X ≤ k) ≥ level, X Poisson with this mean."""
    log_p = -mean
    total, k = math.exp(log_p), 0
    while total < level and k < _MAX_STEPS:
        k += 1
        log_p += math.log(mean / k)
        total += math.exp(log_p)
    return k


def negative_binomial_quantile(mean: float, variance: float, level: float) -> int:
    """The same for the negative binomial distribution with this mean and variance (> mean).

    r = mean² / (variance − mean), p = mean / variance.
    """
    r, p = mean**2 / (variance - mean), mean / variance
    log_p = r * math.log(p)
    total, k = math.exp(log_p), 0
    while total < level and k < _MAX_STEPS:
        k += 1
        log_p += math.log((k + r - 1) / k * (1 - p))
        total += math.exp(log_p)
    return k
