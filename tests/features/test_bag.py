"""Columns of ids against a count in Python."""

from collections import Counter

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from features.bag import bag_of_ids

SIZE = 5
ROWS = st.lists(st.lists(st.integers(1, SIZE), max_size=6), min_size=1, max_size=4)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(ROWS)
def test_ids_are_counted(rows):
    got = bag_of_ids(tf.ragged.constant(rows, tf.int64, 1, row_splits_dtype=tf.int64), SIZE)
    assert got.dtype == tf.float32
    assert got.numpy().tolist() == [[Counter(row)[i] for i in range(1, SIZE + 1)] for row in rows]


def test_weights_are_added_in_the_order_of_the_ids():
    """In another order float64 would give 1e16 + 2."""
    ids = tf.ragged.constant([[2, 2, 2], [], [1, 2]], tf.int64, row_splits_dtype=tf.int64)
    weights = tf.constant([1e16, 1.0, 1.0, 0.5, -3.0], tf.float64)
    got = bag_of_ids(ids, 2, weights)
    np.testing.assert_array_equal(got, [[0, 1e16], [0, 0], [0.5, -3]])
