"""Batch and layer normalisation of documents in padded lists."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

__all__ = ["BatchNormalisation", "LayerNormalisation"]

_EPSILON = 1e-3
_MOMENTUM = 0.99


class LayerNormalisation(tf_keras.layers.Layer):
    """Each document by its own mean and variance (Ba, Kiros and Hinton, 2016); padding cannot matter.

    Computed in float32 whatever the precision.
    """

    def build(self, shape: Any) -> None:
        """Make the weights."""
        self._scale = _weight(self, "gamma", shape[-1], "ones")
        self._shift = _weight(self, "beta", shape[-1], "zeros")
        super().build(shape)

    def call(self, x: tf.Tensor, mask: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:  # noqa: ARG002 - as BatchNormalisation
        """Floats `[batch, list, width]` to the same shape and precision."""
        exact = tf.cast(x, tf.float32)
        centred = exact - tf.reduce_mean(exact, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        return tf.cast(centred * tf.math.rsqrt(variance + _EPSILON) * self._scale + self._shift, x.dtype)


class BatchNormalisation(tf_keras.layers.Layer):
    """Each unit by its mean and variance over the documents of the batch (Ioffe and Szegedy, ICML 2015).

    Only documents count, those of all replicas together; a batch without any changes nothing. At prediction the moving
    averages serve. Keras' own layer divides by zero where all is masked. Computed in float32 whatever the precision.
    """

    def build(self, shape: Any) -> None:
        """Make the weights, and the moving averages."""
        self._scale = _weight(self, "gamma", shape[-1], "ones")
        self._shift = _weight(self, "beta", shape[-1], "zeros")
        self._mean = _moving(self, "moving_mean", shape[-1], "zeros")
        self._variance = _moving(self, "moving_variance", shape[-1], "ones")
        super().build(shape)

    def call(self, x: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalise.

        Args:
            x: floats `[batch, list, width]`.
            mask: bool `[batch, list]`, True for documents.
            training: by the batch's moments, which enter the moving averages; else by these.

        Returns:
            the shape and precision of `x`.
        """
        exact = tf.cast(x, tf.float32)
        mean, variance = self._of_batch(exact, mask) if training else (self._mean, self._variance)
        factor = tf.math.rsqrt(variance + _EPSILON) * self._scale
        return tf.cast((exact - mean) * factor + self._shift, x.dtype)

    def _of_batch(self, x: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """In two passes, since the difference of mean square and squared mean loses digits."""
        real = tf.cast(mask, tf.float32)[..., tf.newaxis]
        count = _sum_of_replicas(tf.reduce_sum(real))
        mean = tf.math.divide_no_nan(_sum_of_replicas(tf.reduce_sum(x * real, axis=[0, 1])), count)
        squares = tf.square(x - mean) * real
        variance = tf.math.divide_no_nan(_sum_of_replicas(tf.reduce_sum(squares, axis=[0, 1])), count)
        share = tf.where(count > 0, 1 - _MOMENTUM, 0.0)
        for moving, value in ((self._mean, mean), (self._variance, variance)):
            moving.assign_add(share * (tf.stop_gradient(value) - moving))
        return mean, variance


def _weight(layer: tf_keras.layers.Layer, name: str, width: int, initializer: str) -> tf.Variable:
    return layer.add_weight(name, [width], tf.float32, initializer, experimental_autocast=False)


def _moving(layer: tf_keras.layers.Layer, name: str, width: int, initializer: str) -> tf.Variable:
    """Each replica assigns its own copy; they are equal."""
    return layer.add_weight(
        name,
        [width],
        tf.float32,
        initializer,
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        experimental_autocast=False,
    )


def _sum_of_replicas(x: tf.Tensor) -> tf.Tensor:
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return x
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, x)
