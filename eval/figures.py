"""Figures and differences with their intervals and tests, from the sums of slices."""

import math
from collections.abc import Sequence

import numpy as np

from eval.bounds import simultaneous_bounds
from eval.compare import paired_t_test, randomisation_test
from eval.intervals import FEWEST_UNITS, bootstrap_intervals
from eval.multiplicity import benjamini_hochberg, holm, max_t
from eval.power import effect_size, minimum_detectable_effect
from eval.ragged import IntArray
from eval.report.data import Delta, Figure
from eval.sums import Sums, joined

__all__ = ["FEWEST_UNITS", "deltas", "ends", "figures", "number"]


def ends(sums: Sums, confidence: float) -> list[tuple[float | None, float | None]]:
    """The ends of the interval of each series; None for those with fewer than `FEWEST_UNITS` units."""
    enough = sums.units >= FEWEST_UNITS
    found = iter(bootstrap_intervals(sums.chosen(enough), confidence))
    intervals = (next(found) if there else None for there in enough)
    return [(interval.low, interval.high) if interval else (None, None) for interval in intervals]


def figures(sums: Sums, empty: IntArray, tied: IntArray, confidence: float) -> list[Figure]:
    """The figure of each series.

    Args:
        sums: of values.
        empty: int64 [series], lists for which the metric is not defined.
        tied: int64 [series], lists with ties; below 0: not known.
        confidence: of the intervals.
    """
    columns = zip(sums.mean, ends(sums, confidence), sums.n, empty, tied, strict=True)
    return [
        Figure(mean=number(mean), low=low, high=high, lists=int(n), empty=int(without), tied=_known(ties))
        for mean, (low, high), n, without, ties in columns
    ]


def deltas(family: Sequence[Sums], confidence: float, min_lists: int = 0) -> list[Delta]:
    """Differences that are judged together.

    Args:
        family: sums of one series of differences each.
        confidence: of the intervals, and of the bounds together.
        min_lists: differences of fewer units (lists, or clusters of them) are left out of the family.
    """
    if not family:
        return []
    sums = joined(family)
    inside = sums.units >= max(min_lists, 2)
    p_t, p_randomisation = paired_t_test(sums), randomisation_test(sums)
    adjusted, low, high = (np.full(len(inside), np.nan) for _ in range(3))
    if inside.any():
        chosen = sums.chosen(inside)
        adjusted[inside] = max_t(chosen)
        # Each side by itself holds with half of what is left, so that both hold together.
        low[inside], high[inside] = simultaneous_bounds(chosen, (1 + confidence) / 2)
    family_p = np.where(inside, p_t, np.nan)
    columns = {
        "mean": sums.mean,
        "p_t": p_t,
        "p_randomisation": p_randomisation,
        "p_adjusted": adjusted,
        "p_holm": holm(family_p),
        "q": benjamini_hochberg(family_p),
        "effect": effect_size(sums),
        "detectable": minimum_detectable_effect(sums, 1 - confidence),
        "bound_low": low,
        "bound_high": high,
    }
    return [
        Delta(lists=int(n), low=least, high=most, **{name: number(values[at]) for name, values in columns.items()})  # type: ignore[typeddict-item]  # the names are those of Delta
        for at, (n, (least, most)) in enumerate(zip(sums.n, ends(sums, confidence), strict=True))
    ]


def _known(count: int) -> int | None:
    return int(count) if count >= 0 else None


def number(value: float) -> float | None:
    """The number, or None for one that JSON does not know."""
    return float(value) if math.isfinite(value) else None
