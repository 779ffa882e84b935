"""Ragged arrays: rows of different lengths laid end to end, and what metrics do with them without a Python loop."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolArray", "FloatArray", "IntArray", "Ragged"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_BLOCK_ITEMS = 1 << 14
_LAST_TEXT = "\U0010ffff"


@dataclass(frozen=True, eq=False)
class Ragged:
    """Where rows lie in flat arrays of items: row `i` holds the items `offsets[i]` to `offsets[i + 1] - 1`.

    Args:
        offsets: int64 [rows + 1], from 0 to the number of items, never falling. A row may be empty.
    """

    offsets: IntArray

    @classmethod
    def of_sizes(cls, sizes: IntArray) -> Self:
        """Rows of these sizes, int64 [rows]."""
        return cls(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def sizes(self) -> IntArray:
        """Items per row, int64 [rows]."""
        return np.diff(self.offsets)

    @cached_property
    def rows(self) -> IntArray:
        """The row of each item, int64 [items]."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @cached_property
    def positions(self) -> IntArray:
        """The place of each item in its row, counted from 1, int64 [items]."""
        return np.arange(1, self.offsets[-1] + 1) - np.repeat(self.offsets[:-1], self.sizes)

    def rows_of(self, items: IntArray) -> IntArray:
        """The rows of a few items, int64 [n] to int64 [n]; of all of them it is `rows`."""
        return np.searchsorted(self.offsets, items, side="right").astype(np.int64) - 1

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum over each row, float64 [items] to float64 [rows], added in the order of the items."""
        sums = np.bincount(self.rows, weights=values, minlength=len(self))
        return sums.astype(np.float64, copy=False)  # no items: bincount counts in int64

    def counts(self, chosen: BoolArray) -> IntArray:
        """Items chosen in each row, bool [items] to int64 [rows]."""
        running = np.concatenate([[0], np.cumsum(chosen)])
        return running[self.offsets[1:]] - running[self.offsets[:-1]]

    def running(self, counts: NDArray[Any]) -> IntArray:
        """Sum of the whole numbers in a row up to each item and with it, int64 or bool [items] to int64 [items]."""
        running = np.concatenate([[0], np.cumsum(counts)])
        return running[1:] - np.repeat(running[self.offsets[:-1]], self.sizes)

    def first(self, k: int | None) -> tuple["Ragged", IntArray | slice]:
        """Rows cut after `k` items (None: not cut), and the items that they hold, to index flat arrays with."""
        if k is None or k >= self.sizes.max(initial=0):
            return self, slice(None)
        cut = Ragged.of_sizes(np.minimum(self.sizes, k))
        return cut, cut.positions + np.repeat(self.offsets[:-1] - 1, cut.sizes)

    def keep(self, items: BoolArray) -> "Ragged":
        """The same rows with the items kept only, bool [items]."""
        return Ragged.of_sizes(self.counts(items))

    def select(self, rows: BoolArray) -> tuple["Ragged", IntArray]:
        """The rows chosen, bool [rows], and the numbers of their items, int64 [items of those rows]."""
        chosen = Ragged.of_sizes(self.sizes[rows])
        return chosen, chosen.positions + np.repeat(self.offsets[:-1][rows] - 1, chosen.sizes)

    def chunks(self) -> Iterator[tuple["Ragged", slice]]:
        """Neighbouring rows in chunks that fit a processor's cache, and their items, in order; all rows are there."""
        ends = np.searchsorted(self.offsets, np.arange(_BLOCK_ITEMS, self.offsets[-1], _BLOCK_ITEMS), side="right") - 1
        bounds = np.unique(np.concatenate([[0], ends, [len(self)]])).tolist()
        for start, end in pairwise(bounds):
            offsets = self.offsets[start : end + 1]
            yield Ragged(offsets - offsets[0]), slice(int(offsets[0]), int(offsets[-1]))

    def descending(self, values: FloatArray) -> IntArray:
        """Item numbers, row by row, by falling value inside each row; equal values come in any order.

        Args:
            values: float64 [items], finite.

        Returns:
            int64 [items]; entries `offsets[i]` to `offsets[i + 1] - 1` are the item numbers of row `i`.
        """
        order = np.empty(len(values), dtype=np.int64)
        for _, items, real, keys in self.padded(-values, np.inf):
            order[items[real]] = (np.argsort(keys, axis=1) + items[:, :1])[real]
        return order

    def descending_texts(self, texts: NDArray[np.str_]) -> IntArray:
        """`descending` for texts by code point, the order of their UTF-8 bytes, str [items] to int64 [items]."""
        order = np.empty(len(texts), dtype=np.int64)
        for rows, items, real, names in self.padded(texts, _LAST_TEXT):
            rising = np.argsort(names, axis=1, kind="stable") + items[:, :1]
            backwards = items[:, :1] + self.sizes[rows, None] - 1 - np.arange(items.shape[1])
            order[backwards[real]] = rising[real]
        return order

    def falling(self, values: FloatArray) -> FloatArray:
        """The values of each row in falling order, float64 [items] to float64 [items]."""
        falling = np.empty_like(values)
        for _, items, real, keys in self.padded(-values, np.inf):
            falling[items[real]] = -np.sort(keys, axis=1)[real]
        return falling

    def padded(self, values: NDArray[Any], fill: Any) -> Iterator[tuple[IntArray, IntArray, Any, NDArray[Any]]]:
        """Rows of like size as the rows of matrices, padded at the end; rows without items are left out.

        At most twice the items, in blocks that fit a processor's cache: a tenth of the time of `np.lexsort`.

        Yields:
            Per block: row numbers, int64 [rows]; item numbers, int64 [rows, columns]; which of them are real (a bool
            mask, or all: ...); the values, [rows, columns], `fill` where there is no item.
        """
        for rows in self._blocks:
            sizes, starts = self.sizes[rows, None], self.offsets[rows, None]
            columns = np.arange(sizes[-1, 0])
            items = starts + columns
            if sizes[0, 0] == sizes[-1, 0]:
                yield rows, items, ..., values[items]
            else:
                real = columns < sizes
                matrix = np.full(real.shape, fill, dtype=values.dtype)
                matrix[real] = values[items[real]]
                yield rows, items, real, matrix

    @cached_property
    def _blocks(self) -> list[IntArray]:
        """Row numbers by rising size, cut where the size passes a power of two or a block has its items."""
        by_size = np.argsort(self.sizes, kind="stable")
        by_size = by_size[self.sizes[by_size] > 0]
        sizes = self.sizes[by_size]
        size_class, filled = np.frexp(sizes - 0.5)[1], np.cumsum(sizes) // _BLOCK_ITEMS
        cuts = np.flatnonzero((np.diff(size_class) > 0) | (np.diff(filled) > 0)) + 1
        return np.split(by_size, cuts) if by_size.size else []
