"""How rows are cut so that what is in memory at once stays small: numbers of partitions, stretches of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.spill import Spill
from ranker.data.tables.files import text_size
from ranker.data.tables.id_groups import Ints
from ranker.data.tables.roles import TableFiles

__all__ = ["BATCH", "joined_up", "mean_size", "parts_for", "row_sizes", "size_of", "slices", "stretches", "ways_for"]

BATCH = 4 << 20  # bytes of rows that are handed on at once
_PARTITION = 16 << 20  # bytes of rows that are worked on at once
_MOST = 256  # partitions; as many files are open at once


def size_of(*tables: TableFiles) -> int:
    """About how many bytes the rows of tables take in memory."""
    return sum(text_size(path) for files in tables for path in files.paths)


def ways_for(size: float) -> int:
    """Number of partitions for rows of so many bytes."""
    return min(_MOST, 1 + int(size) // _PARTITION)


def parts_for(size: float, shards: int) -> int:
    """The same as a multiple of the number of shards."""
    return shards * max(1, -(-ways_for(size) // shards))


def mean_size(spill: Spill) -> float:
    """Bytes of a row, on average."""
    return spill.nbytes / max(spill.rows, 1)


def row_sizes(rows: pa.RecordBatch) -> Ints:
    """Bytes of each row, about: of texts those of the row, of other values the average."""
    sizes = np.full(rows.num_rows, 8, np.int64)
    for column in rows.columns:
        if column.type == pa.string():
            sizes += pc.binary_length(column).to_numpy()
        else:
            sizes += column.nbytes // max(rows.num_rows, 1)
    return sizes


def stretches(sizes: Ints, most: int) -> Iterator[tuple[int, int]]:
    """Consecutive rows of about `most` bytes: (first, behind the last)."""
    if len(sizes):
        cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // most)) + 1
        yield from pairwise([0, *cuts.tolist(), len(sizes)])


def slices(rows: pa.RecordBatch, most: int) -> Iterator[pa.RecordBatch]:
    """The rows in batches of about `most` bytes."""
    size = max(1, most * rows.num_rows // max(rows.nbytes, 1))
    for start in range(0, rows.num_rows, size):
        yield rows.slice(start, size)


def joined_up(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in larger batches, because each costs its reader much."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(one.nbytes for one in held) >= BATCH * 2:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)
