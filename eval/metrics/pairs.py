"""How many pairs of documents stand in the right order: counted in n log(labels) steps, not in n^2."""

import numpy as np

from eval.ragged import FloatArray, IntArray, Ragged
from eval.ranking import Ranking

__all__ = ["different_pairs", "pairs_in_order", "right_pairs"]


def right_pairs(ranking: Ranking, codes: IntArray) -> FloatArray:
    """Pairs of documents with different codes of which the higher stands above the lower, ties averaged.

    A tied pair is right in half of the orders of its group: the mean is that of the best and the worst order.

    Args:
        ranking: the lists in order.
        codes: int64 [documents], >= 0, by document: higher for more relevant documents, and rising with the label.

    Returns:
        float64 [lists].
    """
    best, worst = ranking.by("optimistic"), ranking.by("pessimistic")
    right = pairs_in_order(ranking.lists.ragged, codes[best.order])
    if best is worst:
        return right.astype(np.float64)
    return (right + pairs_in_order(ranking.lists.ragged, codes[worst.order])) / 2


def pairs_in_order(ragged: Ragged, codes: IntArray) -> IntArray:
    """Pairs of items of a row of which the first has the higher code.

    Codes are compared bit by bit from the highest. Items whose higher bits are equal stand together, in their order:
    the pairs that this bit decides are those with a 1 before a 0. Then each such bin is parted in two, 0 before 1.

    Args:
        ragged: the rows.
        codes: int64 [items], >= 0.

    Returns:
        int64 [rows].
    """
    parts = [_pairs_of_block(rows, codes[items]) for rows, items in ragged.chunks()]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _pairs_of_block(ragged: Ragged, codes: IntArray) -> IntArray:
    pairs = np.zeros(len(ragged), dtype=np.int64)
    items = np.arange(len(codes))
    starts, ends = (np.repeat(bounds, ragged.sizes) for bounds in (ragged.offsets[:-1], ragged.offsets[1:]))
    for bit in reversed(range(int(codes.max(initial=0)).bit_length())):
        ones = (codes >> bit) & 1
        running = np.concatenate([[0], np.cumsum(ones)])
        before = running[:-1] - running[starts]
        pairs += _sums(ragged, before * (1 - ones))
        if bit == 0:
            break
        middles = ends - (running[ends] - running[starts])
        places = np.where(ones == 1, middles + before, items - before)
        starts, ends = _moved(places, np.where(ones == 1, middles, starts), np.where(ones == 1, ends, middles))
        (codes,) = _moved(places, codes)
    return pairs


def different_pairs(ragged: Ragged, falling: FloatArray) -> IntArray:
    """Pairs of items of a row with different values: all pairs less those inside runs of equal values.

    Args:
        ragged: the rows.
        falling: float64 [items], falling in each row.

    Returns:
        int64 [rows].
    """
    begins = np.ones(len(falling), dtype=np.bool_)
    begins[1:] = falling[1:] != falling[:-1]
    begins[ragged.offsets[:-1][ragged.sizes > 0]] = True
    runs = np.diff(np.append(np.flatnonzero(begins), len(falling)))
    squares = np.zeros(len(falling), dtype=np.int64)
    squares[begins] = runs * runs
    return (ragged.sizes * ragged.sizes - _sums(ragged, squares)) // 2


def _sums(ragged: Ragged, counts: IntArray) -> IntArray:
    running = np.concatenate([[0], np.cumsum(counts)])
    return running[ragged.offsets[1:]] - running[ragged.offsets[:-1]]


def _moved(places: IntArray, *columns: IntArray) -> list[IntArray]:
    moved = [np.empty_like(column) for column in columns]
    for column, target in zip(columns, moved, strict=True):
        target[places] = column
    return moved
