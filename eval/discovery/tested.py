"""All slices of a search, each tested against what chance makes of the largest statistic of all."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eval.discovery.chance import Chance
from eval.discovery.lattice import Lattice
from eval.ragged import BoolArray, FloatArray, IntArray

__all__ = ["Against", "Tested"]

Against = Literal["zero", "others"]

_TOGETHER = 4096  # slices whose draws are one product of matrices


@dataclass(frozen=True, eq=False)
class Tested:
    """All slices, tested.

    Args:
        against: what slices are compared with.
        sizes: int64 [slices], lists in each; the first is all lists.
        sums: float64 [slices], sum of values, high is bad.
        squares: float64 [slices], sum of squares.
        scale: float64 [slices], standard deviation of the sum by chance.
        p_values: float64 [slices], adjusted.
        critical: the least statistic with an adjusted p-value of at most alpha.
    """

    against: Against
    sizes: IntArray
    sums: FloatArray
    squares: FloatArray
    scale: FloatArray
    p_values: FloatArray
    critical: float

    @classmethod
    def of(cls, lattice: Lattice, chance: Chance, values: FloatArray, against: Against, alpha: float) -> "Tested":
        """Test the slices of a lattice.

        Args:
            lattice: the slices.
            chance: draws for the values.
            values: float64 [lists], high is bad.
            against: what slices are compared with.
            alpha: for the critical value.
        """
        parts: list[tuple[FloatArray, ...]] = []
        largest = np.zeros(len(chance.changes), np.float32)
        tables: list[NDArray[np.float32]] = []
        squared = values * values
        for cross, lists, places in lattice.walk(np.arange(len(values))):
            statistic, scale, table = chance.table(lists, places, len(cross.keys))
            of_slices = (np.bincount(places, of[lists], len(cross.keys)).astype(np.float64) for of in (values, squared))
            parts.append((statistic, scale, *of_slices))
            tables.append(table)
            if sum(one.shape[1] for one in tables) >= _TOGETHER:
                largest = np.maximum(largest, (chance.changes @ np.hstack(tables)).max(axis=1))
                tables = []
        if tables:
            largest = np.maximum(largest, (chance.changes @ np.hstack(tables)).max(axis=1))
        statistic, scale, sums, squares = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return cls(
            against,
            lattice.sizes,
            sums,
            squares,
            scale,
            *_adjusted(statistic, np.sort(largest.astype(np.float64)), alpha),
        )

    @cached_property
    def weight(self) -> FloatArray:
        """What a sum is divided by to be the gap of a slice: n; against the others n (N - n) / N, float64 [slices]."""
        n, total = self.sizes, self.sizes[0]
        return np.maximum(n * (total - n) / total, 1e-300) if self.against == "others" else n.astype(np.float64)

    @cached_property
    def spread(self) -> FloatArray:
        """The standard deviation that effects are measured by, float64 [slices]."""
        inside, outside = self._variances
        return np.sqrt(inside if self.against == "zero" else (inside + outside) / 2)

    @cached_property
    def certain(self) -> BoolArray:
        """Slices that are beyond the critical value of their own standard errors too, bool [slices].

        Where values are spread differently, permutations give a slice with a wide spread too small an error (Welch,
        Biometrika 1947). For differences it is no further condition: chance keeps the values of a list where they are.
        """
        inside, outside = self._variances
        squared = inside / (self.sizes - 1)
        if self.against == "others":
            squared = squared + outside / np.maximum(self.sizes[0] - self.sizes - 1, 1)
        return self.sums / self.weight >= self.critical * np.sqrt(squared)

    @cached_property
    def _variances(self) -> tuple[FloatArray, FloatArray]:
        """Of the values of each slice, and of those of all other lists, float64 [slices]."""
        others = np.maximum(self.sizes[0] - self.sizes, 1)
        outside = _variance(others, self.sums[0] - self.sums, self.squares[0] - self.squares)
        return _variance(self.sizes, self.sums, self.squares), outside


def _adjusted(statistic: FloatArray, largest: FloatArray, alpha: float) -> tuple[FloatArray, float]:
    """p-values (b + 1) / (B + 1) for the b of B draws, rising, that are as large; and the critical value."""
    draws = len(largest)
    reached = draws - np.searchsorted(largest, statistic * (1 - 1e-5))  # draws are made in float32
    allowed = int(np.floor(alpha * (draws + 1) * (1 + 1e-12))) - 1
    return (reached + 1) / (draws + 1), float(largest[draws - 1 - allowed] * (1 + 1e-5))


def _variance(n: IntArray, sums: FloatArray, squares: FloatArray) -> FloatArray:
    mean = sums / n
    variance = squares / n - mean * mean
    return np.where(variance > 1e-13 * squares / n, variance, 0.0)
