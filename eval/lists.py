"""Ragged lists of labelled documents: the form in which every metric reads queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "IntArray", "Lists"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_BLOCK_DOCUMENTS = 1 << 14


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of documents, laid end to end: list `i` holds documents `offsets[i]` to `offsets[i + 1] - 1`.

    Arrays are not copied and must not be changed afterwards: what is derived from them is computed once and kept.

    Args:
        query_ids: str [lists], one per list.
        offsets: int64 [lists + 1], from 0 to the number of documents, never falling. A list may be empty.
        labels: float64 [documents], finite and >= 0.
    """

    query_ids: NDArray[Any]
    offsets: IntArray
    labels: FloatArray

    def __post_init__(self) -> None:
        offsets, labels = self.offsets, self.labels
        if offsets.dtype != np.int64 or labels.dtype != np.float64:
            raise TypeError(f"lists: offsets must be int64 and labels float64, got {offsets.dtype} and {labels.dtype}")
        if offsets.shape != (len(self.query_ids) + 1,) or labels.ndim != 1:
            raise ValueError(
                f"lists: expected {len(self.query_ids) + 1} offsets for {len(self.query_ids)} query ids and flat"
                f" labels, got shapes {offsets.shape} and {labels.shape}"
            )
        if offsets[0] != 0 or offsets[-1] != len(labels) or np.any(np.diff(offsets) < 0):
            raise ValueError(f"lists: offsets must rise from 0 to the number of documents, {len(labels)}")
        wrong = np.flatnonzero(~(np.isfinite(labels) & (labels >= 0)))
        if wrong.size:
            raise ValueError(f"label {labels[wrong[0]]} of {self.place(int(wrong[0]))}: expected finite and >= 0")

    def __len__(self) -> int:
        return len(self.query_ids)

    @cached_property
    def sizes(self) -> IntArray:
        """Documents per list, int64 [lists]."""
        return np.diff(self.offsets)

    @cached_property
    def empty(self) -> NDArray[np.bool_]:
        """Lists without a relevant document (no label above 0), bool [lists]."""
        return np.bincount(self.lists_of(np.flatnonzero(self.labels > 0)), minlength=len(self)) == 0

    @cached_property
    def ideal_labels(self) -> FloatArray:
        """The labels of each list in falling order, float64 [documents]."""
        falling = np.empty_like(self.labels)
        for _, slots, real, keys in self._padded(self.labels):
            falling[slots[real]] = -np.sort(keys, axis=1)[real]
        return falling

    def place(self, document: int) -> str:
        """Where document number `document` of all is, in words for an error."""
        index = int(self.lists_of(np.array([document]))[0])
        return f"document {document - int(self.offsets[index])} (from 0) of query {str(self.query_ids[index])!r}"

    def lists_of(self, slots: IntArray) -> IntArray:
        """The list that holds each document slot: int64 [n] to int64 [n]."""
        return np.searchsorted(self.offsets, slots, side="right").astype(np.int64) - 1

    def descending(self, values: FloatArray) -> IntArray:
        """Document numbers, list by list, by falling value inside each list; equal values come in any order.

        Args:
            values: float64 [documents], finite.

        Returns:
            int64 [documents]; entries `offsets[i]` to `offsets[i + 1] - 1` are the document numbers of list `i`.
        """
        order = np.empty(len(values), dtype=np.int64)
        for starts, slots, real, keys in self._padded(values):
            order[slots[real]] = (np.argsort(keys, axis=1) + starts)[real]
        return order

    def discounted_sums(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """Sum over each list of `values[slot] * weights[slot's position in its list]`.

        Args:
            values: float64 [documents], in the order of the positions.
            weights: float64 [k]; positions from k on weigh nothing.

        Returns:
            float64 [lists].
        """
        depth = np.minimum(self.sizes, len(weights))
        lists = np.repeat(np.arange(len(self)), depth)
        positions = np.arange(len(lists)) - np.repeat(np.cumsum(depth) - depth, depth)
        products = values[self.offsets[lists] + positions] * weights[positions]
        return np.bincount(lists, weights=products, minlength=len(self)).astype(np.float64)  # int64 for no products

    def _padded(self, values: FloatArray) -> Iterator[tuple[IntArray, IntArray, Any, FloatArray]]:
        """Lists of like size as the rows of a matrix, negated and padded with infinity for a rising sort.

        At most twice the documents, in blocks that fit a processor's cache: a tenth of the time of `np.lexsort`.

        Yields:
            Per block: first document of each list, int64 [rows, 1]; document numbers, int64 [rows, columns]; which of
            them are real (a bool mask, or all: ...); the negated values, float64 [rows, columns]. The first entries
            of a sorted row are the real ones, so that the mask serves the sorted rows too.
        """
        for rows in self._blocks:
            sizes, starts = self.sizes[rows, None], self.offsets[rows, None]
            columns = np.arange(sizes[-1, 0])
            slots = starts + columns
            if sizes[0, 0] == sizes[-1, 0]:
                yield starts, slots, ..., -values[slots]
            else:
                real = columns < sizes
                keys = np.full(real.shape, np.inf)
                keys[real] = -values[slots[real]]
                yield starts, slots, real, keys

    @cached_property
    def _blocks(self) -> list[IntArray]:
        """List numbers by rising size, cut where the size passes a power of two or a block has its documents."""
        by_size = np.argsort(self.sizes, kind="stable")
        by_size = by_size[self.sizes[by_size] > 0]
        sizes = self.sizes[by_size]
        size_class, filled = np.frexp(sizes - 0.5)[1], np.cumsum(sizes) // _BLOCK_DOCUMENTS
        cuts = np.flatnonzero((np.diff(size_class) > 0) | (np.diff(filled) > 0)) + 1
        return np.split(by_size, cuts) if by_size.size else []
