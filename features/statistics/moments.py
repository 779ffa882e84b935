"""Exact figures of numbers, added up batch by batch."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = ["Moments"]

_NUMBERS_AT_ONCE = 1 << 15  # in float64 they fit into a processor's cache

_Floats = npt.NDArray[np.float64]


class Moments:
    """Count, mean, squared deviation, bounds and zeros of each of `width` columns of numbers; NaN is missing.

    Counts and bounds do not depend on how the rows are cut into batches; mean and deviation do in their last bits.
    Deviations are kept around the mean, not as a sum of squares, which would lose all digits of a date (Chan, Golub
    and LeVeque 1979, equation 2.1).

    Attributes:
        count: float64 `[width]`, numbers that are not missing.
        mean: float64 `[width]`, 0 where there are none.
        deviation: float64 `[width]`, the sum of (number - mean)^2.
        minimum: float64 `[width]`, infinity where there are none.
        maximum: float64 `[width]`, -infinity where there are none.
        zeros: float64 `[width]`, numbers that are 0.
    """

    def __init__(self, width: int) -> None:
        self.count, self.mean, self.deviation, self.zeros = np.zeros((4, width))
        self.minimum, self.maximum = np.full(width, np.inf), np.full(width, -np.inf)

    def add(self, values: npt.NDArray[np.floating]) -> None:
        """Take in float32 or float64 `[rows, width]`."""
        rows = max(1, _NUMBERS_AT_ONCE // max(1, values.shape[1]))
        for start in range(0, len(values), rows):
            self._add_few(values[start : start + rows].astype(np.float64))

    def _add_few(self, values: _Floats) -> None:
        present = values == values
        count, zeros = present.sum(axis=0, dtype=np.float64), (values == 0).sum(axis=0)
        lowest = highest = values
        if not present.all():
            lowest, highest = np.where(present, values, np.inf), np.where(present, values, -np.inf)
            values = np.where(present, values, 0.0)
        mean = values.sum(axis=0) / np.maximum(count, 1)
        around = (values - mean) * present
        deviation = np.einsum("ij,ij->j", around, around)
        self._merge(count, mean, deviation, (lowest.min(axis=0), highest.max(axis=0)), zeros)

    def merge(self, other: Moments) -> None:
        """Take in what `other` has seen."""
        self._merge(other.count, other.mean, other.deviation, (other.minimum, other.maximum), other.zeros)

    def _merge(
        self,
        count: _Floats,
        mean: _Floats,
        deviation: _Floats,
        bounds: tuple[_Floats, _Floats],
        zeros: npt.NDArray[Any],
    ) -> None:
        total = np.maximum(self.count + count, 1)
        difference = mean - self.mean
        self.deviation = self.deviation + deviation + difference**2 * self.count * count / total
        self.mean = self.mean + difference * count / total
        self.count = self.count + count
        self.minimum, self.maximum = np.minimum(self.minimum, bounds[0]), np.maximum(self.maximum, bounds[1])
        self.zeros = self.zeros + zeros

    @property
    def sd(self) -> _Floats:
        """float64 `[width]`, the standard deviation of the numbers (divided by their count)."""
        return np.sqrt(self.deviation / np.maximum(self.count, 1))

    def to_array(self) -> _Floats:
        """float64 `[6, width]`."""
        return np.stack([self.count, self.mean, self.deviation, self.minimum, self.maximum, self.zeros])

    @classmethod
    def from_array(cls, array: _Floats) -> Self:
        """Inverse of `to_array`."""
        moments = cls(array.shape[1])
        moments.count, moments.mean, moments.deviation, moments.minimum, moments.maximum, moments.zeros = array
        return moments
