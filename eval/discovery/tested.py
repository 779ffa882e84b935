"""All slices of a search, each tested against what chance makes of the largest statistic of all."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from eval.discovery.chance import FloatTable, Rotations
from eval.discovery.lattice import Lattice
from eval.discovery.units import Units
from eval.ragged import BoolArray, FloatArray, IntArray

__all__ = ["Tested"]

_TOGETHER: Final = 4096  # slices, and draws of them, in one product of matrices
_DRAWS: Final = 1024


@dataclass(frozen=True, eq=False)
class Tested:
    """All slices, tested. The first is all lists, which is not.

    Args:
        relative: whether slices are compared with the others, else with 0.
        alpha: the largest adjusted p-value of a slice that passes.
        sizes: int64 [slices], lists in each.
        sums: float64 [slices], sum of values, high is bad; of all lists 0 where slices are compared with the others.
        scale: float64 [slices], standard deviation of the sum by chance; 0: not tested.
        error: float64 [slices], standard error of the gap from the slice's own values, and those of the others.
        spread: float64 [slices], the standard deviation that effects are measured by.
        p_values: float64 [slices], adjusted.
        critical: the least statistic with an adjusted p-value of at most alpha.
    """

    relative: bool
    alpha: float
    sizes: IntArray
    sums: FloatArray
    scale: FloatArray
    error: FloatArray
    spread: FloatArray
    p_values: FloatArray
    critical: float

    @classmethod
    def of(
        cls, lattice: Lattice, chance: Rotations, values: FloatArray, units: Units, alpha: float, *, relative: bool
    ) -> "Tested":
        """Test the slices of a lattice.

        Args:
            lattice: the slices.
            chance: draws for the same values.
            values: float64 [lists], high is bad; their mean is at most 0, where slices are compared with the others 0.
            units: of the lists.
            alpha: for the critical value.
            relative: whether slices are compared with the others, else with 0.
        """
        largest = np.zeros(len(chance.changes), np.float32)
        mean = float(values.mean())
        parts: list[tuple[FloatArray, ...]] = []
        squared = values * values
        for lists, places, slices in _pieces(lattice, len(values)):
            expected, scale, rows = chance.sums(lists, places, slices)
            inside, outside = units.spreads(values, lists, places, slices)
            if parts:  # the first is all lists
                start = _over(expected - inside.n * mean, scale).astype(np.float32)
                largest = np.maximum(largest, _largest(chance.changes, rows, start))
            squares = np.bincount(places, squared[lists], slices).astype(np.float64)
            parts.append((scale, inside.x, squares, inside.squared_error, outside.squared_error))
        scale, sums, squares, error, others_error = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        n, others = lattice.sizes, np.maximum(lattice.sizes[0] - lattice.sizes, 1)
        spread = _variance(n, sums, squares)
        if relative:
            error = error + others_error
            spread = (spread + _variance(others, sums[0] - sums, squares[0] - squares)) / 2
        else:  # a slice of most lists has a mean that varies less beside that of all than beside 0
            scale = scale * np.sqrt(n[0] / others)
        scale[0] = 0.0
        adjusted = _adjusted(_over(sums, scale), np.sort(largest.astype(np.float64)), alpha)
        return cls(relative, alpha, n, sums, scale, np.sqrt(error), np.sqrt(spread), *adjusted)

    @cached_property
    def weight(self) -> FloatArray:
        """What a sum is divided by to be the gap of a slice: n; to the others n (N - n) / N, float64 [slices]."""
        n, total = self.sizes, self.sizes[0]
        return np.maximum(n * (total - n) / total, 1e-300) if self.relative else n.astype(np.float64)

    @cached_property
    def passing(self) -> BoolArray:
        """Slices with an adjusted p-value of at most alpha, bool [slices].

        Their gaps are beyond the critical value of their own standard errors too: where values are spread differently,
        permutations give a slice with a wide spread too small an error (Welch, Biometrika 1947).
        """
        beyond = self.sums / self.weight >= self.critical * np.minimum(self.error, 1e300)
        return (self.p_values <= self.alpha) & (self.scale > 0) & beyond


def _pieces(lattice: Lattice, lists: int) -> Iterator[tuple[IntArray, IntArray, int]]:
    """Slices in the order of the lattice, some at a time: the lists in them, the slice of each, and how many."""
    for cross, members, places in lattice.walk(np.arange(lists)):
        for start in range(0, len(cross.keys), _TOGETHER):
            slices = min(_TOGETHER, len(cross.keys) - start)
            if slices == len(cross.keys):
                yield members, places, slices
            else:
                inside = (places >= start) & (places < start + slices)
                yield members[inside], places[inside] - start, slices


def _largest(changes: FloatTable, rows: FloatTable, start: FloatTable) -> FloatTable:
    """The largest statistic of each draw: float32 [draws] of changes [draws, n], rows [n, slices], start [slices]."""
    parts = (changes[first : first + _DRAWS] @ rows for first in range(0, len(changes), _DRAWS))
    return np.concatenate([(part + start).max(axis=1) for part in parts])


def _over(sums: FloatArray, scale: FloatArray) -> FloatArray:
    return np.divide(sums, scale, out=np.zeros_like(sums), where=scale > 0)


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
