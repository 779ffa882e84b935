"""The mean of the embeddings of a feature's ids."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

__all__ = ["mean_embedding"]


def mean_embedding(table: tf_keras.layers.Embedding, ids: tf.Tensor) -> tf.Tensor:
    """Mean over the last axis of the embeddings of ids other than 0; zero where there is none.

    Args:
        table: embeddings by id.
        ids: int64 `[..., n]`; 0 is padding.

    Returns:
        floats `[..., width of the table]`.
    """
    embedded = table(ids)
    present = tf.cast(ids > 0, embedded.dtype)[..., tf.newaxis]
    return tf.math.divide_no_nan(tf.reduce_sum(embedded * present, axis=-2), tf.reduce_sum(present, axis=-2))
