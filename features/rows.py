"""From the starts of rows to the row of each value, and back, with a fraction of the operations of ragged tensors."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["ragged_of", "rows_of"]


def rows_of(ragged: tf.RaggedTensor) -> tf.Tensor:
    """int64 `[values]`: the outermost row of each of its values, rising; as `value_rowids`."""
    starts = ragged.row_splits
    places = tf.range(starts[-1])
    found = tf.raw_ops.UpperBound(sorted_inputs=[starts], values=[places], out_type=tf.int64)
    return tf.squeeze(found, 0) - 1


def ragged_of(values: tf.Tensor, rows: tf.Tensor, count: tf.Tensor) -> tf.RaggedTensor:
    """`[count, (values)]`: the values of each row.

    Args:
        values: `[values]` of any type, row by row.
        rows: int64 `[values]`, the row of each; rising.
        count: int64 scalar, how many rows there are.
    """
    lengths = tf.math.unsorted_segment_sum(tf.ones_like(rows), rows, count)
    return tf.RaggedTensor.from_row_splits(values, tf.concat([[0], tf.cumsum(lengths)], 0), validate=False)
