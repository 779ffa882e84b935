"""What chance alone makes of the sums of slices: values that are moved from list to list.

A test by draws from a group of changes is exact, however small the group (Hemerik and Goeman, TEST 2018). The group
here is small enough that a draw over many slices is a product of matrices: units stand in circles of eight that turn,
and circles are put into blocks that turn together.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.discovery.units import Units
from eval.ragged import FloatArray, IntArray
from eval.resampling import random_bits, unit_keys

__all__ = ["FloatTable", "Rotations", "Sums"]

FloatTable = NDArray[np.float32]

_BLOCKS: Final = 128
_TURNS: Final = 8


class Sums(NamedTuple):
    """What chance makes of the sums of slices.

    Args:
        expected: float64 [slices], the mean of the sum over all turns.
        scale: float64 [slices], the standard deviation of the sum; 0 where turns change nothing. That over all turns
            lacks the part between circles, an eighth of the variance, which is added.
        rows: float32 [blocks x turns, slices], from which draws of (sum - expected) / scale are made.
    """

    expected: FloatArray
    scale: FloatArray
    rows: FloatTable


@dataclass(frozen=True, eq=False)
class Rotations:
    """Values are as likely those of one unit as of another with as many lists.

    Units stand in circles of eight by their number of lists, in an order that is random otherwise, and a turn moves the
    values of each to the next but 0 .. 7; up to seven with the fewest lists are left out. Chance is that of
    permutations within circles: skew and ties of the values are as they are. Where a unit of a circle has a few more
    lists than the next, some of its lists get the same value, and the test is as good as exact.

    Args:
        values: float64 [lists, turns], what stands at each list after so many turns.
        blocks: int64 [lists].
        changes: float32 [draws, blocks x turns], 1 where the circles of a block make so many turns.
    """

    values: FloatArray
    blocks: IntArray
    changes: FloatTable

    @classmethod
    def of(cls, values: FloatArray, units: Units, draws: int, seed: int) -> "Rotations":
        """Circles, blocks and turns.

        Args:
            values: float64 [lists].
            units: of the lists.
            draws: of turns.
            seed: of the order of units and of the turns.
        """
        order = np.lexsort((unit_keys(units.names, seed), units.counts))
        counts = units.counts[order]
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        lists = np.argsort(place[units.of_list], kind="stable")  # unit by unit
        starts = np.concatenate([[0], np.cumsum(counts)])
        own = place[units.of_list[lists]]
        within = np.arange(len(lists)) - starts[own]
        still = len(order) % _TURNS
        circle, seat = np.divmod(own - still, _TURNS)
        moved = np.empty((len(values), _TURNS))
        for turn in range(_TURNS):
            other = np.where(own < still, own, own - seat + (seat + turn) % _TURNS)
            moved[lists, turn] = values[lists[starts[other] + within * counts[other] // counts[own]]]
        count = max(1, min(len(order) // _TURNS, _BLOCKS))
        blocks = np.empty(len(values), np.int64)
        blocks[lists] = circle % count
        turned = _turns(count, draws, seed)[:, :, None] == np.arange(_TURNS, dtype=np.uint64)
        return cls(moved, blocks, turned.reshape(draws, -1).astype(np.float32))

    def sums(self, lists: IntArray, places: IntArray, slices: int) -> Sums:
        """The sums of slices: `changes @ rows` are draws of (sum - expected) / scale.

        Args:
            lists: int64 [pairs], never falling.
            places: int64 [pairs], a slice that holds the list.
            slices: their number.
        """
        blocks = self.changes.shape[1] // _TURNS
        sums = _summed(lists, self.blocks[lists] * slices + places, self.values, blocks * slices)
        sums = sums.reshape(blocks, slices, _TURNS)
        mean = sums.mean(axis=2)
        spread, largest = sums.var(axis=2), np.abs(sums).max(axis=2)
        within = np.where(spread > 1e-24 * largest * largest, spread, 0.0).sum(axis=0)
        scale = np.sqrt(within * (_TURNS / (_TURNS - 1)))
        away = (sums - mean[:, :, None]) / np.where(scale > 0, scale, np.inf)[:, None]
        rows = away.astype(np.float32).swapaxes(1, 2).reshape(-1, slices)
        return Sums(mean.sum(axis=0), scale, rows)


def _turns(blocks: int, draws: int, seed: int) -> NDArray[np.uint64]:
    """Turns of each block, 0 .. 7, uint64 [draws, blocks]."""
    keys = unit_keys([f"block {number}" for number in range(blocks)], seed)
    return (random_bits(keys, draws) >> np.uint64(8)).T % np.uint64(_TURNS)


def _summed(lists: IntArray, rows: IntArray, values: FloatArray, n_rows: int) -> FloatArray:
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
