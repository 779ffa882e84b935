"""How far two samples are apart, and whether that could be chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from features.statistics.summary import Numbers, Values

__all__ = ["Distance", "difference_of_shares", "jensen_shannon", "kolmogorov_smirnov"]

_FEWEST = 5  # of a value in the smaller sample, as for every chi-squared test

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Distance:
    """A distance from 0 to 1, and how likely chance makes one as large where the distributions are the same."""

    value: float
    p_value: float


def kolmogorov_smirnov(one: Numbers, other: Numbers, sizes: tuple[float, float]) -> Distance:
    """The largest difference of the shares of numbers that are not above x, at any x.

    Shares come from the quantiles of the summaries, and are off by 0.01 where many numbers are equal. The p-value is
    Smirnov's (1948), which is too large for numbers that are not continuous: it errs on the side of chance.

    Args:
        one: figures of a sample.
        other: those of the other.
        sizes: how many independent numbers each has.
    """
    places = np.unique(np.concatenate([one.quantiles, other.quantiles]))
    differences = [
        np.abs(one.shares_below(places, or_equal=or_equal) - other.shares_below(places, or_equal=or_equal))
        for or_equal in (True, False)
    ]
    value = float(np.max(differences, initial=0.0))
    effective = _effective(_size(one, sizes[0]), _size(other, sizes[1]))
    return Distance(value, float(special.kolmogorov(np.sqrt(effective) * value)))


def jensen_shannon(one: Values, other: Values, sizes: tuple[float, float]) -> Distance:
    """Jensen-Shannon divergence in bits (Lin 1991): the mean of the divergences of both from their mean.

    Values of which the smaller sample is expected to have less than 5, and those counted in one of them only, are taken
    together. The p-value is that of chi-squared with (values - 1) degrees of freedom: the divergence is about the sum
    of (p - q)^2 / ((p + q) / 2) / (8 log 2).
    """
    p, q = _shares(one, other, min(sizes))
    mean = (p + q) / 2
    bits = (special.rel_entr(p, mean).sum() + special.rel_entr(q, mean).sum()) / (2 * np.log(2))
    value = float(np.clip(bits, 0.0, 1.0))
    if len(p) < 2:
        return Distance(value, 1.0)
    return Distance(value, float(stats.chi2.sf(8 * np.log(2) * value * _effective(*sizes), len(p) - 1)))


def difference_of_shares(one: float, other: float, sizes: tuple[float, float]) -> Distance:
    """The difference of two shares; the p-value is that of Fisher's exact test with so many rows, rounded."""
    if one == other:
        return Distance(0.0, 1.0)
    first, second = (max(round(size), 0) for size in sizes)
    table = [[round(share * size) for share, size in ((one, first), (other, second))]]
    table.append([first - table[0][0], second - table[0][1]])
    return Distance(abs(one - other), float(stats.fisher_exact(table).pvalue))


def _shares(one: Values, other: Values, size: float) -> tuple[_Floats, _Floats]:
    """Shares of the values that can be told, and of the rest, in both."""
    counts = dict(one.top), dict(other.top)
    names = [
        name
        for name in sorted(counts[0].keys() | counts[1].keys())
        if all(name in count or values.complete for count, values in zip(counts, (one, other), strict=True))
    ]
    p, q = (
        np.array([count.get(name, 0) for name in names], np.float64) / max(values.count, 1)
        for count, values in zip(counts, (one, other), strict=True)
    )
    told = (p + q) / 2 * size >= _FEWEST
    rest = max(1 - p[told].sum(), 0.0), max(1 - q[told].sum(), 0.0)
    if max(rest) > 1e-12:
        return np.append(p[told], rest[0]), np.append(q[told], rest[1])
    return p[told], q[told]


def _size(numbers: Numbers, independent: float) -> float:
    """Fewer where the quantiles are those of a sample."""
    sampled = 0.0 if numbers.sampled >= numbers.count else 1 / numbers.sampled
    return 1 / (1 / max(min(independent, numbers.count), 1e-9) + sampled)


def _effective(one: float, other: float) -> float:
    return one * other / max(one + other, 1e-9)
