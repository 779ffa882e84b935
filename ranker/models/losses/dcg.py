"""Gains, discounts and the ideal of DCG (Jarvelin and Kekalainen, TOIS 2002), as tensors."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import tensorflow as tf

from ranker.spec.losses import Gain

__all__ = ["Gains", "discounts", "gain_function", "ideal_dcg"]

Gains = Callable[[tf.Tensor], tf.Tensor]
_LARGEST_FOR_EXP2 = 10


def gain_function(gain: Gain | None, largest_label: float) -> Gains:
    """`labels -> gains`, both float32 `[batch, list]`, for what is a ratio of gains of one list.

    `exp2` is (2^label - 1) * 2^-(the list's largest label), which does not overflow; `linear` is the label.

    Args:
        gain: default: `exp2` unless a label is above 10.
        largest_label: of the training data.
    """
    if gain is None:
        gain = "linear" if largest_label > _LARGEST_FOR_EXP2 else "exp2"
    return _exp2_gains if gain == "exp2" else tf.identity


def discounts(ranks: tf.Tensor) -> tf.Tensor:
    """1 / log2(1 + rank), of float32 ranks >= 1 of any shape."""
    return log(2.0) / tf.math.log1p(ranks)


def ideal_dcg(gains: tf.Tensor, k: int | None = None) -> tf.Tensor:
    """The largest DCG@k of any order, float32 `[batch]`.

    Args:
        gains: float32 `[batch, list]`, 0 where no document is.
        k: ranks that count; default: all.
    """
    best = tf.sort(gains, direction="DESCENDING")[:, :k]
    ranks = tf.range(1, tf.shape(best)[1] + 1)
    return tf.reduce_sum(best * discounts(tf.cast(ranks, tf.float32)), axis=-1)


def _exp2_gains(labels: tf.Tensor) -> tf.Tensor:
    largest = tf.reduce_max(labels, axis=-1, keepdims=True)
    return 2.0 ** (labels - largest) - 2.0**-largest
