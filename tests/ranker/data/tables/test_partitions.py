"""How rows are cut into pieces."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ranker.data.tables import partitions
from ranker.data.tables.partitions import joined_up, parts_for, row_sizes, slices, stretches, ways_for


def test_partitions_grow_with_the_rows_up_to_a_limit():
    assert [ways_for(size) for size in (0, (16 << 20) - 1, 16 << 20, 100 << 20, 1 << 50)] == [1, 1, 2, 7, 256]
    assert [parts_for(size, 8) for size in (0, 100 << 20, 200 << 20)] == [8, 8, 16]


@pytest.mark.parametrize("most", [1, 7, 100, 10**6])
def test_stretches_cover_all_rows_in_order(most):
    sizes = np.random.default_rng(1).integers(0, 50, 200)
    found = list(stretches(sizes, most))
    assert [0, *(end for _, end in found)] == [*(start for start, _ in found), 200]
    assert all(sizes[start:end].sum() <= most + sizes.max() for start, end in found)
    assert list(stretches(sizes[:0], most)) == []


def test_sizes_of_rows_are_those_of_their_texts():
    rows = pa.RecordBatch.from_pydict(
        {
            "text": ["", "é", "abcdef"],
            "number": pa.array([1, 2, 3], pa.float32()),
            "vector": pa.array([[1, 2]] * 3, pa.list_(pa.float32(), 2)),
        }
    )
    assert row_sizes(rows).tolist() == [8 + 4 + 8, 8 + 2 + 4 + 8, 8 + 6 + 4 + 8]
    assert row_sizes(rows.slice(0, 0)).tolist() == []


def test_slices_and_joined_up_keep_the_rows(monkeypatch):
    monkeypatch.setattr(partitions, "BATCH", 100)
    rows = pa.RecordBatch.from_pydict({"n": list(range(100))})
    pieces = list(slices(rows, 64))
    assert [piece.num_rows for piece in pieces] == [8] * 12 + [4]
    again = list(joined_up(pieces))
    assert [batch.num_rows for batch in again] == [32, 32, 32, 4]
    assert [n for batch in again for n in batch["n"].to_pylist()] == list(range(100))
