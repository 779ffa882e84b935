"""Confidence intervals of means over lists."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.ragged import FloatArray
from eval.sums import Sums

__all__ = ["FEWEST_UNITS", "Interval", "bootstrap_interval", "bootstrap_intervals", "t_intervals"]

FEWEST_UNITS = 5
"""With fewer units, the interval of a bootstrap says nothing."""


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Args:
        mean: over the lists that have a value.
        low: lower end.
        high: upper end.
        n_lists: how many lists have a value.
    """

    mean: float
    low: float
    high: float
    n_lists: int


def bootstrap_intervals(sums: Sums, confidence: float = 0.95) -> list[Interval]:
    """The mean of each series and its percentile interval (Efron and Tibshirani 1993, chapter 13).

    Draws that hold none of a series' lists (likely below ten lists only) are left out.

    Args:
        sums: of the values.
        confidence: between 0 and 1.

    Raises:
        ValueError: a series has no value, or no draw holds one.
    """
    _check(confidence)
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    means, drawn = sums.mean, sums.resampled_means()
    found = []
    for series, n_lists in enumerate(sums.n.astype(int).tolist()):
        there = drawn[~np.isnan(drawn[:, series]), series]
        if not len(there):
            raise ValueError(f"bootstrap: expected lists with a value, got {n_lists} in {sums.draws} draws")
        low, high = np.quantile(there, ends).tolist()
        found.append(Interval(float(means[series]), low, high, n_lists))
    return found


def t_intervals(sums: Sums, confidence: float = 0.95) -> list[Interval]:
    """The mean of each series -+ t times its standard error, with units - 1 degrees of freedom (Student 1908).

    Below two units the ends are infinite.

    Args:
        sums: of the values.
        confidence: between 0 and 1.
    """
    from scipy.special import stdtrit  # a fifth of a second to import: only where it is asked for

    _check(confidence)
    found = []
    for mean, error, units, n in zip(sums.mean, sums.standard_error, sums.units, sums.n, strict=True):
        half = float(stdtrit(units - 1, (1 + confidence) / 2) * error) if units > 1 else float("inf")
        found.append(Interval(float(mean), float(mean) - half, float(mean) + half, int(n)))
    return found


def bootstrap_interval(
    values: FloatArray, units: NDArray[Any], confidence: float = 0.95, draws: int = 1000, seed: int = 0
) -> Interval:
    """Mean and percentile interval of one value per list; of paired differences, where the values are differences.

    Args:
        values: float64 [lists]; NaN: left out.
        units: str [lists], what is resampled: query ids, or those of users.
        confidence: between 0 and 1.
        draws: number of resamples.
        seed: 0 <= seed < 2^64.
    """
    return bootstrap_intervals(Sums.of(values[:, None], units, draws, seed), confidence)[0]


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, such as 0.95, got {confidence}")
