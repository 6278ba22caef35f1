"""How likely counts are, if shares are what they are said to be."""

from __future__ import annotations

from math import exp, lgamma, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Below this, counts do not come from the predicted shares. Ten tests a day fail by chance once in 270 years.
IMPOSSIBLE = 1e-6


def chi_square_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the probability of counts at least as far from the shares as these; 1 where nothing was counted."""
    total = sum(counts)
    if not total:
        return 1.0
    used = [(count, share * total) for count, share in zip(counts, shares, strict=True) if share]
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return 0.0
    return _upper_gamma((len(used) - 1) / 2, sum((count - mean) ** 2 / mean for count, mean in used) / 2)


def _upper_gamma(shape: float, value: float) -> float:
    """Return the regularised upper incomplete gamma function, by series or by continued fraction."""
    if not value or not shape:
        return 1.0
    front = exp(shape * log(value) - value - lgamma(shape))
    if value < shape + 1:
        term = total = 1 / shape
        for step in range(1, 1000):
            term *= value / (shape + step)
            total += term
        return 1 - front * total
    below = value + 1 - shape
    ratio, fraction = 1 / below, 1 / below
    numerator = 1e300
    for step in range(1, 1000):
        factor = step * (shape - step)
        below += 2
        ratio = 1 / (factor * ratio + below)
        numerator = below + factor / numerator
        fraction *= ratio * numerator
    return front * fraction
