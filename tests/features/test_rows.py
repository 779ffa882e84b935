"""Rows of values against ragged tensors' own."""

import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.rows import ragged_of, rows_of


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6))
@example([])
@example([[], [], [1], [], []])
def test_there_and_back(lists):
    ragged = tf.ragged.constant(lists, tf.int64, 1, row_splits_dtype=tf.int64)
    rows = rows_of(ragged)
    assert rows.dtype == tf.int64
    assert rows.numpy().tolist() == ragged.value_rowids().numpy().tolist()
    assert ragged_of(ragged.values, rows, ragged.nrows()).to_list() == lists
