"""How large a difference is, and how large one has to be to be found."""

import math

import numpy as np

from eval.ragged import FloatArray
from eval.sums import Sums

__all__ = ["effect_size", "lists_needed", "minimum_detectable_effect"]


def effect_size(sums: Sums) -> FloatArray:
    """Mean difference over its standard deviation (Cohen 1988, d_z for paired samples), float64 [series].

    The standard deviation is standard error times sqrt(n): for lists in clusters, that of as many lists alone which
    would give this error. NaN below two units; infinite for equal differences other than 0; 0 where all are 0.
    """
    spread, mean = sums.standard_error * np.sqrt(sums.n), sums.mean
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mean / spread
    return np.where((mean == 0) & (spread == 0), 0.0, ratio)


def minimum_detectable_effect(sums: Sums, alpha: float = 0.05, power: float = 0.8) -> FloatArray:
    """The true mean difference that a two-sided test at `alpha` finds with probability `power`, float64 [series].

    (z_(1 - alpha / 2) + z_power) times the standard error: n >= ((z_a + z_b) s / delta)^2 solved for delta.
    """
    from scipy.special import ndtri

    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError(f"expected alpha and power between 0 and 1, got {alpha} and {power}")
    return float(ndtri(1 - alpha / 2) + ndtri(power)) * sums.standard_error


def lists_needed(sums: Sums, effect: float, alpha: float = 0.05, power: float = 0.8) -> FloatArray:
    """Lists with which a true mean difference of `effect` is found, float64 [series], rounded up."""
    if not effect > 0 or math.isinf(effect):
        raise ValueError(f"effect: expected a number above 0, got {effect}")
    ratio = minimum_detectable_effect(sums, alpha, power) / effect
    return np.ceil(ratio * ratio * sums.n)
