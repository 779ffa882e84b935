"""Tests of one model against another on the same queries."""

import math

import numpy as np

from eval.lists import FloatArray

__all__ = ["paired_differences", "paired_t_test"]

_ROUNDING = 1e-12  # relative; a metric of one list is exact to a few units in the 16th digit


def paired_differences(values: FloatArray, baseline: FloatArray) -> FloatArray:
    """Model minus baseline on each list; a difference within rounding is 0, so that equal models give p = 1.

    Args:
        values: float64 [lists] of the model; NaN: no value.
        baseline: float64 [lists] of the baseline.

    Returns:
        float64 [lists]; NaN where either has no value.
    """
    differences = values - baseline
    differences[np.abs(differences) <= _ROUNDING * np.maximum(np.abs(values), np.abs(baseline))] = 0.0
    return differences


def paired_t_test(differences: FloatArray) -> float | None:
    """Two-sided p-value of Student's paired t-test: that the mean difference is 0.

    t = mean / (s / sqrt(n)) with n - 1 degrees of freedom (Student, Biometrika 1908).

    Args:
        differences: float64 [lists], model minus baseline; NaN: left out.

    Returns:
        The p-value; None below two lists. Where all differences are equal: 1 if they are 0, else 0.
    """
    there = differences[~np.isnan(differences)]
    if len(there) < 2:
        return None
    mean, error = float(there.mean()), float(there.std(ddof=1)) / math.sqrt(len(there))
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    from scipy.special import stdtr  # a fifth of a second to import: only where a p-value is asked for

    return float(2 * stdtr(len(there) - 1, -abs(mean / error)))
