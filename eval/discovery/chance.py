"""What chance alone makes of the sums of slices: draws from a group of changes that leave the null hypothesis as it is.

A test by draws from a group of changes is exact, however small the group (Hemerik and Goeman, TEST 2018). The groups
here are small enough that a draw over many slices is a product of matrices: units are put into blocks, by a hash of
their ids, and a block is changed as a whole. Where there are no more units than blocks, each is one.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.ragged import FloatArray, IntArray
from eval.resampling import random_bits, signs, unit_keys

__all__ = ["Chance", "Flips", "Rotations"]

FloatTable = NDArray[np.float32]

_FLIPPED: Final = 512  # blocks
_ROTATED: Final = 128
_TURNS: Final = 8


class Chance(Protocol):
    """Draws of the sums of slices."""

    @property
    def changes(self) -> FloatTable:
        """What a draw makes of rows of sums, float32 [draws, rows]: `changes @ table` are its statistics."""
        ...

    def table(self, lists: IntArray, places: IntArray, slices: int) -> tuple[FloatArray, FloatArray, FloatTable]:
        """The sums of slices over what chance makes of them.

        Args:
            lists: int64 [pairs], never falling.
            places: int64 [pairs], a slice that holds the list.
            slices: their number.

        Returns:
            The statistic, (sum - its mean over the group) / its standard deviation over the group, float64 [slices], 0
            where the group changes nothing; that standard deviation, float64 [slices]; and the rows from which draws of
            the statistic are made, float32 [rows, slices].
        """
        ...


@dataclass(frozen=True, eq=False)
class Flips:
    """The sign of each unit's values is as likely one as the other: for differences.

    The standard deviation of a sum is the root of the sum of squares over blocks, as in `eval.multiplicity.max_t`.

    Args:
        values: float64 [lists].
        blocks: int64 [lists].
        changes: float32 [draws, blocks], 1 or -1.
    """

    values: FloatArray
    blocks: IntArray
    changes: FloatTable

    @classmethod
    def of(cls, values: FloatArray, units: NDArray[Any], draws: int, seed: int) -> "Flips":
        """Blocks and signs for units, str [lists]."""
        of_list, ranks = _ranked(units, seed)
        blocks = ranks[of_list] % _FLIPPED
        return cls(values, blocks, signs(_bits(_FLIPPED, draws, seed)).T.astype(np.float32))

    def table(self, lists: IntArray, places: IntArray, slices: int) -> tuple[FloatArray, FloatArray, FloatTable]:
        """As of `Chance`."""
        at = self.blocks[lists] * slices + places
        sums = np.bincount(at, self.values[lists], _FLIPPED * slices).astype(np.float64).reshape(_FLIPPED, slices)
        scale = np.sqrt((sums * sums).sum(axis=0))
        return _over(sums.sum(axis=0), scale), scale, _over(sums, scale).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Rotations:
    """Values are as likely those of one unit as of another with as many lists: for figures of a slice against others.

    Units with the same number of lists stand in circles of eight (four, two, one for what is left), and a turn moves
    the values of each to the next but 0 .. 7. A circle takes part in the figure as often as its units are in the slice,
    so that chance is that of permutations within circles: skew and ties of the values are as they are.

    Args:
        values: float64 [lists, turns], what stands at each list after so many turns.
        blocks: int64 [lists].
        changes: float32 [draws, blocks x turns], 1 where the circles of a block make so many turns.
    """

    values: FloatArray
    blocks: IntArray
    changes: FloatTable

    @classmethod
    def of(cls, values: FloatArray, units: NDArray[Any], draws: int, seed: int) -> "Rotations":
        """Circles, blocks and turns for units, str [lists]."""
        of_list, ranks = _ranked(units, seed)
        counts = np.bincount(of_list)
        order = np.lexsort((ranks, counts))  # units: those with as many lists together, by their hashes
        first, size, circle = _circles(counts[order])
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        by_place = np.argsort(place[of_list], kind="stable")  # lists: unit by unit in that order
        starts = np.concatenate([[0], np.cumsum(counts[order])])
        own = place[of_list[by_place]]
        within = np.arange(len(by_place)) - starts[own]
        moved = np.empty((len(values), _TURNS))
        for turn in range(_TURNS):
            other = first[own] + (own - first[own] + turn) % size[own]
            moved[by_place, turn] = values[by_place[starts[other] + within]]
        blocks = circle[place[of_list]] % _ROTATED
        turns = _bits(_ROTATED, draws, seed).T % np.uint64(_TURNS)
        turned = turns[:, :, None] == np.arange(_TURNS, dtype=np.uint64)
        return cls(moved, blocks, turned.reshape(draws, -1).astype(np.float32))

    def table(self, lists: IntArray, places: IntArray, slices: int) -> tuple[FloatArray, FloatArray, FloatTable]:
        """As of `Chance`."""
        sums = _sums(lists, self.blocks[lists] * slices + places, self.values, _ROTATED * slices)
        sums = sums.reshape(_ROTATED, slices, _TURNS)
        mean = sums.mean(axis=2)
        spread, largest = sums.var(axis=2), np.abs(sums).max(axis=2)
        scale = np.sqrt(np.where(spread > 1e-24 * largest * largest, spread, 0.0).sum(axis=0))
        expected = mean.sum(axis=0)
        away = _over(sums - mean[:, :, None], scale[:, None]).astype(np.float32)
        found = _over(sums[:, :, 0].sum(axis=0) - expected, scale)
        return found, scale, away.swapaxes(1, 2).reshape(-1, slices)


def _ranked(units: NDArray[Any], seed: int) -> tuple[IntArray, IntArray]:
    """The unit of each list by its number, and the rank of each unit's hash."""
    names, of_list = np.unique(np.asarray(units, dtype=str), return_inverse=True)
    ranks = np.empty(len(names), np.int64)
    ranks[np.argsort(unit_keys(names.tolist(), seed))] = np.arange(len(names))
    return of_list, ranks


def _bits(blocks: int, draws: int, seed: int) -> NDArray[np.uint64]:
    """Random bits, uint64 [blocks, draws]."""
    return random_bits(unit_keys([f"block {number}" for number in range(blocks)], seed), draws) >> np.uint64(8)


def _circles(counts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Circles of neighbours with the same count: for each its first, how many are in it, and the circle's number.

    >>> [part.tolist() for part in _circles(np.array([1, 1, 1, 1, 1, 1, 1, 2, 2]))]
    [[0, 0, 0, 0, 4, 4, 6, 7, 7], [4, 4, 4, 4, 2, 2, 1, 2, 2], [0, 0, 0, 0, 1, 1, 2, 3, 3]]
    """
    places = np.arange(len(counts))
    begins = np.flatnonzero(np.diff(counts, prepend=-1))
    of_run = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(counts))))
    runs = np.diff(np.append(begins, len(counts)))[of_run]
    first, size = begins[of_run], np.full(len(counts), _TURNS)
    left = places - first
    whole = runs - runs % _TURNS
    inside = left < whole
    first = first + np.where(inside, left - left % _TURNS, whole)
    left = left - whole
    for step in (4, 2, 1):
        here = ~inside & (runs & step > 0)
        taken = here & (left < step)
        size[taken] = step
        inside |= taken
        first[here & ~taken] += step
        left[here & ~taken] -= step
    circle = np.cumsum(np.diff(first, prepend=-1) > 0) - 1
    return first, size, circle


def _sums(lists: IntArray, rows: IntArray, values: FloatArray, n_rows: int) -> FloatArray:
    """Sum of the values of the lists of each row, float64 [n_rows, columns].

    Args:
        lists: int64 [pairs], never falling.
        rows: int64 [pairs], a row that the list belongs to.
        values: float64 [lists, columns].
        n_rows: number of rows.
    """
    from scipy.sparse import csc_array  # slow to import, and only here

    starts = np.searchsorted(lists, np.arange(len(values) + 1))
    return np.asarray(csc_array((np.ones(len(lists)), rows, starts), shape=(n_rows, len(values))) @ values)


def _over(above: FloatArray, scale: FloatArray) -> FloatArray:
    return np.divide(above, scale, out=np.zeros_like(above), where=scale > 0)
