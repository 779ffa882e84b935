"""Dropout whose noise follows from a seed that is given, so that a step of training can be done again exactly."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["dropout", "fold"]

_GENERATOR = "philox"  # the same bits with and without XLA, on every kind of device
_LEVELS = 2**16


def fold(seed: tf.Tensor | None, stream: int) -> tf.Tensor | None:
    """Another seed, for one of several uses of this one.

    Args:
        seed: int32 `[2]`; None: no noise.
        stream: which use.

    Returns:
        int32 `[2]`, or None.
    """
    return None if seed is None else tf.random.fold_in(seed, stream, alg=_GENERATOR)


def dropout(x: tf.Tensor, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """`x` with a share `rate` of its numbers set to 0 and the others divided by `1 - rate`; `x` itself without a seed.

    Args:
        x: floats of any shape and precision.
        rate: from 0 to below 1; 1/65536 is the least step.
        seed: int32 `[2]`; equal seeds and shapes give equal noise.

    Source: Srivastava et al., JMLR 2014.
    """
    if seed is None or not rate:
        return x
    kept = _noise(tf.shape(x), seed) >= tf.constant(round(rate * _LEVELS), tf.uint16)
    return tf.where(kept, x / (1 - rate), tf.zeros_like(x))


def _noise(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Random uint16 of a shape, two of each draw.

    Integers, since XLA makes other floats than TensorFlow of the same random bits.
    """
    size = tf.reduce_prod(shape)
    bits = tf.random.stateless_uniform([(size + 1) // 2], seed, None, None, tf.uint32, alg=_GENERATOR)
    return tf.reshape(tf.reshape(tf.bitcast(bits, tf.uint16), [-1])[:size], shape)
