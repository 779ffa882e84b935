"""Many tests at once: p-values that hold for all of them together."""

import numpy as np

from eval.ragged import FloatArray
from eval.sums import Sums

__all__ = ["benjamini_hochberg", "holm", "max_t"]


def holm(p_values: FloatArray) -> FloatArray:
    """p-values adjusted so that the chance of any false rejection is bounded (Holm, Scand. J. Statist. 1979).

    Args:
        p_values: float64 [tests]; NaN: no test.

    Returns:
        float64 [tests].
    """
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    adjusted = np.full(len(p_values), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)), 1)
    return adjusted


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """p-values adjusted so that the expected share of false rejections is bounded (JRSS B 1995).

    Args:
        p_values: float64 [tests], independent or positively dependent; NaN: no test.

    Returns:
        float64 [tests].
    """
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(-p_values[tested], kind="stable")]
    adjusted = np.full(len(p_values), np.nan)
    share = len(order) / np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.minimum.accumulate(p_values[order] * share), 1)
    return adjusted


def max_t(sums: Sums) -> FloatArray:
    """Two-sided p-values of paired differences, adjusted for all series (Westfall and Young 1993, step-down MaxT).

    The statistic of a series is |x| / sqrt(xx), that of a draw |flipped x| / sqrt(xx): under the null hypothesis the
    sign of each unit's difference is as likely one as the other. It rises with Student's t. With b of B draws whose
    largest statistic, among the series not yet rejected, is as large, p = (b + 1) / (B + 1).

    Args:
        sums: of differences.

    Returns:
        float64 [series]; NaN where there is no list, 1 where all differences are 0.
    """
    scale = np.sqrt(np.where(sums.xx > 0, sums.xx, 1))
    observed, drawn = np.abs(sums.x) / scale, np.abs(sums.flipped_x) / scale
    order = np.argsort(-observed, kind="stable")
    # The largest of each series and all that come after it.
    largest = np.maximum.accumulate(drawn[:, order][:, ::-1], axis=1)[:, ::-1]
    reached = (largest >= observed[order] * (1 - 1e-12)).sum(axis=0)
    p_values = np.empty(len(order))
    p_values[order] = np.maximum.accumulate((reached + 1) / (sums.draws + 1))
    return np.where(sums.n > 0, p_values, np.nan)
