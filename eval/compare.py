"""Tests of one model against another on the same queries."""

import numpy as np

from eval.ragged import FloatArray
from eval.sums import Sums

__all__ = ["paired_differences", "paired_t_test", "randomisation_test"]

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


def paired_t_test(sums: Sums) -> FloatArray:
    """Two-sided p-values of Student's paired t-test: that the mean difference is 0.

    t = mean / standard error, with units - 1 degrees of freedom (Student, Biometrika 1908).

    Args:
        sums: of differences, model minus baseline.

    Returns:
        float64 [series]; NaN below two units. Where all differences are equal: 1 if they are 0, else 0.
    """
    from scipy.special import stdtr  # a fifth of a second to import: only where a p-value is asked for

    mean, error = sums.mean, sums.standard_error
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, np.abs(mean / error))
    p_values = 2 * stdtr(np.maximum(sums.units - 1, 1), -t)
    return np.where(sums.units > 1, p_values, np.nan)


def randomisation_test(sums: Sums) -> FloatArray:
    """Two-sided p-values of Fisher's randomisation test: that the sign of a unit's difference is chance.

    p = (b + 1) / (B + 1), where b of B draws of signs have a sum as far from 0 as the one that was found (Fisher 1935;
    Smucker, Allan and Carterette, CIKM 2007).

    Args:
        sums: of differences, model minus baseline.

    Returns:
        float64 [series]; NaN where there is no list.
    """
    found = np.abs(sums.x) * (1 - _ROUNDING)
    reached = (np.abs(sums.flipped_x) >= found).sum(axis=0)
    return np.where(sums.n > 0, (reached + 1) / (sums.draws + 1), np.nan)
