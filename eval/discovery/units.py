"""What values belong together by: queries, or users with all their queries."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.ragged import FloatArray, IntArray

__all__ = ["Spread", "Units"]


class Spread(NamedTuple):
    """Sums over units from which the standard error of the mean of a slice is known, float64 [slices] each.

    Args:
        units: that have a list in the slice.
        n: lists.
        x: the sum of values.
        nn: the sum over units of n^2.
        nx: the sum over units of n x.
        xx: the sum over units of x^2.
    """

    units: FloatArray
    n: FloatArray
    x: FloatArray
    nn: FloatArray
    nx: FloatArray
    xx: FloatArray

    @property
    def squared_error(self) -> FloatArray:
        """Of the mean, float64 [slices], as `eval.sums.Sums.standard_error`; inf below two units."""
        lists = np.maximum(self.n, 1)
        mean, count = self.x / lists, np.maximum(self.units, 2)
        residual = self.xx - 2 * mean * self.nx + mean * mean * self.nn
        residual = np.where(residual > 1e-13 * (self.xx + mean * mean * self.nn), residual, 0.0)
        return np.where(self.units > 1, residual * count / (count - 1) / lists**2, np.inf)


@dataclass(frozen=True, eq=False)
class Units:
    """The unit of each list.

    Args:
        of_list: int64 [lists], its number.
        names: of the units.
    """

    of_list: IntArray
    names: list[str]

    @classmethod
    def of(cls, ids: NDArray[Any]) -> Self:
        """From the id of each list's unit, str [lists]."""
        encoded = pa.array(ids, pa.string()).dictionary_encode()
        return cls(encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist())

    @cached_property
    def counts(self) -> IntArray:
        """Lists of each, int64 [units]."""
        return np.bincount(self.of_list, minlength=len(self.names))

    def spreads(self, values: FloatArray, lists: IntArray, places: IntArray, slices: int) -> tuple[Spread, Spread]:
        """The sums over the lists of slices, and over those outside of them.

        Args:
            values: float64 [lists].
            lists: int64 [pairs].
            places: int64 [pairs], a slice that holds the list.
            slices: their number.
        """
        unit, n, x = self.of_list[lists], np.ones(len(lists)), values[lists]
        if len(self.names) < len(self.of_list):
            keys, of_pair = np.unique(unit * slices + places, return_inverse=True)
            n, x = _bincount(of_pair, n, len(keys)), _bincount(of_pair, x, len(keys))
            unit, places = np.divmod(keys, slices)
        whole_n, whole_x = self.counts.astype(np.float64), _bincount(self.of_list, values, len(self.names))
        inside = _summed(places, slices, n, x)
        every = _summed(np.zeros(len(whole_n), np.int64), 1, whole_n, whole_x)
        # Units with a list in the slice leave the sum of all, and come back with what they have outside.
        gone = _summed(places, slices, whole_n[unit], whole_x[unit])
        left = _summed(places, slices, whole_n[unit] - n, whole_x[unit] - x)
        return inside, Spread(*(one - own + rest for one, own, rest in zip(every, gone, left, strict=True)))


def _bincount(places: IntArray, weights: FloatArray, count: int) -> FloatArray:
    """Sums of weights by place, float64 [count]."""
    return np.bincount(places, weights, count).astype(np.float64, copy=False)


def _summed(places: IntArray, slices: int, n: FloatArray, x: FloatArray) -> Spread:
    """Sums over pairs of a unit and a slice: float64 [pairs] lists that the unit has there, and sums of its values."""
    there = (n > 0).astype(np.float64)
    return Spread(*(_bincount(places, of, slices) for of in (there, n, x, n * n, n * x, x * x)))
