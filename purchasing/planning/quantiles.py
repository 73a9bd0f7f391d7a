"""Quantiles of counts, whatever their size: Poisson and negative binomial.

Distribution functions by continued fractions (Press et al., Numerical Recipes, ch. 6.2 and 6.4);
the quantile is bracketed around the gamma law's (Wilson & Hilferty), then halved down to.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

_TINY = 1e-300
_EXACT = 1e-14


def poisson_quantile(mean: float, level: float) -> int:
    """The smallest k such that P(X ≤ k) ≥ level, X Poisson with this mean."""
    return _smallest(lambda k: _gamma_above(k + 1.0, mean), mean, mean, level)


def negative_binomial_quantile(mean: float, variance: float, level: float) -> int:
    """The same for the negative binomial distribution with this mean and variance (> mean).

    r = mean² / (variance − mean), p = mean / variance; P(X ≤ k) = I_p(r, k + 1).
    """
    r, p = mean**2 / (variance - mean), mean / variance
    return _smallest(lambda k: _beta_below(r, k + 1.0, p), mean, variance, level)


def _smallest(below: Callable[[int], float], mean: float, variance: float, level: float) -> int:
    part = variance / (9 * mean**2)
    z = NormalDist().inv_cdf(level)
    guess = int(mean * max(1 - part + z * math.sqrt(part), 0.0) ** 3)
    step = max(int(math.sqrt(variance) / 16), 1)
    low, high = guess - step, guess + step
    while low >= 0 and below(low) >= level:
        low, high, step = low - step, low, 2 * step
    step = max(int(math.sqrt(variance) / 16), 1)
    while below(high) < level:
        low, high, step = high, high + step, 2 * step
    low = max(low, -1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if below(middle) >= level else (middle, high)
    return high


def _fraction(terms: Callable[[int], tuple[float, float]], first: float, most: int) -> float:
    """first + a₁ / (b₁ + a₂ / (b₂ + …)) by Lentz's method."""
    value = c = first or _TINY
    d = 0.0
    for n in range(1, most):
        a, b = terms(n)
        d = 1 / ((b + a * d) or _TINY)
        c = (b + a / c) or _TINY
        value *= c * d
        if abs(c * d - 1) < _EXACT:
            break
    return value


def _gamma_above(a: float, x: float) -> float:
    """Q(a, x), the regularized incomplete gamma function from x on."""
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    most = 200 + int(20 * math.sqrt(a))
    if x >= a + 1:
        fraction = _fraction(lambda n: (-n * (n - a), x + 2 * n + 1 - a), x + 1 - a, most)
        return front / fraction
    term = total = 1 / a
    for n in range(1, most):
        term *= x / (a + n)
        total += term
        if term < total * _EXACT:
            break
    return 1 - front * total


def _beta_below(a: float, b: float, x: float) -> float:
    """I_x(a, b), the regularized incomplete beta function."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_below(b, a, 1 - x)
    whole = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(whole + a * math.log(x) + b * math.log1p(-x)) / a

    def term(n: int) -> tuple[float, float]:
        m = n // 2
        if n % 2:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0

    return front / _fraction(term, 1.0, 200 + int(20 * math.sqrt(max(a, b))))
