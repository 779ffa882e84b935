"""From ids, any number of them in a row, to a column for each id."""

from __future__ import annotations

import tensorflow as tf

from features.rows import rows_of

__all__ = ["bag_of_ids"]


def bag_of_ids(ids: tf.RaggedTensor, size: int, weights: tf.Tensor | None = None) -> tf.Tensor:
    """How often each id is in a row, or the sum of its weights there.

    Args:
        ids: int64 `[rows, (ids)]`, from 1 to `size`.
        size: how many ids there are.
        weights: `[ids]` of any type, one for each of the flat values; default: float32 ones.

    Returns:
        `[rows, size]`, of the type of the weights; column i is for id i + 1. Weights are added in their order.
    """
    weights = tf.ones_like(ids.values, tf.float32) if weights is None else weights
    cell = rows_of(ids) * size + ids.values - 1
    return tf.reshape(tf.math.unsorted_segment_sum(weights, cell, ids.nrows() * size), [-1, size])
