"""Repeated rows and values against loops."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.data.tables.id_groups import coded, distinct_values, repeated, take


@settings(deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 2)), max_size=30))
def test_a_row_is_repeated_if_an_earlier_one_has_its_keys(rows):
    keys = np.array(rows, np.int64).reshape(-1, 2).T
    assert repeated(*keys).tolist() == [row in rows[:place] for place, row in enumerate(rows)]


@settings(deadline=None)
@given(lists=st.lists(st.lists(st.sampled_from(["a", "b", "c", "é" * 9]), max_size=6), max_size=9))
def test_values_are_kept_once_in_their_order(lists):
    array = pa.array([["z", "z"], *lists], pa.list_(pa.string()))[1:]
    found = distinct_values(array)
    found.validate(full=True)
    assert found.to_pylist() == [list(dict.fromkeys(one)) for one in lists]


def test_ids_are_numbered_by_their_first_row():
    codes, first, row = coded(pa.array(["b", "a", "b", "c", "a"]))
    assert (codes.tolist(), first.tolist(), row.tolist()) == ([0, 1, 0, 2, 1], [0, 1, 3], [0, 1, 0, 2, 1])


def test_taking_all_rows_copies_nothing():
    rows = pa.RecordBatch.from_pydict({"n": [1, 2, 3]})
    assert take(rows, np.ones(3, bool)) is rows
    assert take(rows, np.array([True, False, True]))["n"].to_pylist() == [1, 3]
