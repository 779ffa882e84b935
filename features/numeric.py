"""Numeric features: all columns stacked, so that one analyzer serves all."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from ranker.spec import Numeric

__all__ = ["transform_numeric"]

_NO_SPREAD = 1e-12  # variance / mean^2 up to this is the rounding error of two sums that ought to be equal


def transform_numeric(specs: Sequence[Numeric], values: tf.Tensor) -> tf.Tensor:
    """Signed log1p and z-scores over the training documents, in float64.

    Args:
        specs: one per column.
        values: float32 `[documents, columns]`; NaN is missing and becomes the column's mean.

    Returns:
        float32 `[documents, columns]`, finite. A column without spread has z-score 0.
    """
    x = tf.cast(values, tf.float64)
    x = tf.where([("log1p" in s.transform) for s in specs], tf.sign(x) * tf.math.log1p(tf.abs(x)), x)
    present = tf.logical_not(tf.math.is_nan(x))
    known = tf.where(present, x, 0)
    sums = tft.sum(tf.concat([tf.cast(present, tf.float64), known, known**2], axis=1), reduce_instance_dims=False)
    count, total, squares = tf.split(sums, 3)
    mean = tf.math.divide_no_nan(total, count)
    variance = tf.math.divide_no_nan(squares, count) - mean**2
    spread = tf.sqrt(tf.where(variance > _NO_SPREAD * mean**2, variance, 0))
    x = tf.where(present, x, mean)
    zscore = tf.math.divide_no_nan(x - mean, spread)
    x = tf.where([("zscore" in s.transform) for s in specs], zscore, x)
    return tf.cast(tf.clip_by_value(x, tf.float32.min, tf.float32.max), tf.float32)
