"""Sums and counts of slices, from which every figure of a report is computed, and which add up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.ragged import BoolArray, FloatArray, IntArray
from eval.sums import Sums, sums_of_slices

__all__ = ["Slice", "Tally", "Values", "tally_of"]


@dataclass(frozen=True, eq=False)
class Values:
    """What some lists measure.

    Args:
        figures: float64 [lists, metrics x models], metric by metric; NaN: no value.
        empty: bool [lists, metrics x models], lists for which the metric is not defined.
        tied: bool [lists, metrics x models], lists where tied scores reach into the positions that the metric reads.
    """

    figures: FloatArray
    empty: BoolArray
    tied: BoolArray

    def of(self, lists: IntArray) -> "Values":
        """Those of some of the lists."""
        return Values(self.figures[lists], self.empty[lists], self.tied[lists])


@dataclass(frozen=True, eq=False)
class Slice:
    """A slice of a part of the lists.

    Args:
        lists: int64 [members], the numbers of its lists.
        documents: how many of their documents count.
        values: of the members.
        series: float64 [members, series], figures and differences.
    """

    lists: IntArray
    documents: int
    values: Values
    series: FloatArray


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over slices; `a + b` is that of two parts with no unit in common. The first slice is all lists.

    Args:
        sums: of the series of each slice.
        lists: int64 [slices], lists in each.
        documents: int64 [slices], documents of these that count.
        empty: int64 [slices, metrics x models].
        tied: int64 [slices, metrics x models].
    """

    sums: tuple[Sums, ...]
    lists: IntArray
    documents: IntArray
    empty: IntArray
    tied: IntArray

    def __add__(self, other: "Tally") -> "Tally":
        sums = tuple(one + two for one, two in zip(self.sums, other.sums, strict=True))
        counts = (getattr(self, name) + getattr(other, name) for name in ("lists", "documents", "empty", "tied"))
        return Tally(sums, *counts)


def tally_of(slices: Sequence[Slice], units: NDArray[Any], draws: int, seed: int) -> Tally:
    """The tally of a part of the lists.

    Args:
        slices: all lists, then what they are cut into.
        units: str [lists], what is resampled; all lists of a unit are in this part.
        draws: number of resamples.
        seed: 0 <= seed < 2^64.
    """
    return Tally(
        tuple(sums_of_slices([(one.lists, one.series) for one in slices], units, draws, seed)),
        np.array([len(one.lists) for one in slices]),
        np.array([one.documents for one in slices]),
        np.stack([one.values.empty.sum(axis=0) for one in slices]),
        np.stack([one.values.tied.sum(axis=0) for one in slices]),
    )
