"""The sample of rows: even, and the same whatever is done to the data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from features.statistics.row_sample import RowSample, priorities_of_documents, rows_kept
from ranker.data.id_hash import hash_ids


def rows_of(lists: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Priorities and values of the documents of some lists."""
    hashes = hash_ids(pa.array([f"q{at}" for at in range(lists)]))
    priorities = priorities_of_documents(hashes, np.full(lists, length))
    return priorities, np.arange(lists * length, dtype=np.float64)[:, np.newaxis]


def test_all_rows_are_kept_while_there_are_few():
    priorities, values = rows_of(100, 5)
    sample = RowSample([1])
    sample.add(priorities, [values])
    assert sorted(sample.blocks()[0].ravel()) == values.ravel().tolist()


def test_beyond_that_an_even_sample_that_no_cut_and_no_order_changes():
    priorities, values = rows_of(2000, 40)
    samples = []
    for order, parts in ((np.arange(80_000), 1), (np.random.default_rng(1).permutation(80_000), 7)):
        total = RowSample([1])
        for some in np.array_split(order, parts):
            part = RowSample([1])
            for batch in np.array_split(some, 5):
                part.add(priorities[batch], [values[batch]])
            total.merge(RowSample.from_arrays(part.to_arrays()))
        samples.append(total.blocks()[0])
    assert np.array_equal(samples[0], samples[1])
    assert len(samples[0]) == rows_kept(1) == 8192
    assert len(np.unique(samples[0])) == 8192
    assert stats.kstest(samples[0].ravel() / 80_000, "uniform").pvalue > 0.01
    assert stats.kstest(samples[0].ravel() % 40, np.arange(40)).pvalue > 0.01, "no place in a list is preferred"


@pytest.mark.parametrize(("width", "rows"), [(1, 8192), (136, 8192), (1000, 2097), (100_000, 512)])
def test_wide_rows_are_fewer(width, rows):
    assert rows_kept(width) == rows


def test_an_empty_sample_changes_nothing():
    sample = RowSample([2, 1])
    sample.merge(RowSample([2, 1]))
    assert [block.shape for block in sample.blocks()] == [(0, 2), (0, 1)]
    sample.add(np.array([3], np.uint64), [np.ones((1, 2), np.float32), np.ones((1, 1))])
    sample.merge(RowSample([2, 1]))
    assert [block.dtype for block in sample.blocks()] == [np.float32, np.float64]
    assert [block.shape for block in RowSample.from_arrays(sample.to_arrays()).blocks()] == [(1, 2), (1, 1)]


def test_documents_of_a_list_have_priorities_of_their_own():
    priorities, _ = rows_of(3000, 30)
    assert len(np.unique(priorities)) == 90_000
    assert stats.kstest(priorities.astype(np.float64) / 2.0**64, "uniform").pvalue > 0.01
