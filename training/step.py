"""One step of training: loss, gradients, new weights; on one device or many, plain or compiled."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from training.batches import PaddedLists
from training.inputs import Batch

__all__ = ["Step"]

_TIMED = 3  # calls whose fastest counts


class Step:
    """Trains a scorer batch by batch.

    The loss of a batch is its total over its weight, both over all replicas, so that replicas with a part of the batch
    each do what one device does with all of it.

    Args:
        scorer: `(features, mask, training, seed) -> scores`, built.
        loss: `(labels, scores, mask, weights, seed) -> (total, weight)`.
        optimizer: built, in the scope of the strategy.
        strategy: the devices.
        seed: of dropout and noise.
    """

    def __init__(
        self, scorer: Any, loss: Callable[..., Any], optimizer: Any, strategy: tf.distribute.Strategy, seed: int
    ) -> None:
        self._scorer, self._loss, self._optimizer, self._strategy = scorer, loss, optimizer, strategy
        self._seed = tf.constant([seed, 0], tf.int32)
        self._plain = tf.function(self._of_all, reduce_retracing=True)
        self._compute: Callable[..., Any] = self._gradients
        self._compiled = tf.function(self._gradients, jit_compile=True)

    def __call__(self, batch: PaddedLists, number: int) -> float:
        """Do one step.

        Args:
            batch: lists; a multiple of the replicas.
            number: of the step, from 0 over all epochs: keys what is random.

        Returns:
            the loss of the batch before the step.
        """
        return float(self._plain(self._divided(batch), tf.constant(number, tf.int32)))

    def compile(self) -> None:
        """From now on compile what a replica computes by XLA."""
        self._compute = self._compiled
        self._plain = tf.function(self._of_all, reduce_retracing=True)

    def seconds(self, batch: PaddedLists) -> tuple[float, float, float]:
        """Time to compute gradients plainly, compiled, and to compile; only averages of batch normalisation change."""
        given, seed = _tensors(batch), self._seed
        plain = tf.function(self._gradients)
        started = time.perf_counter()
        self._compiled(*given, seed)
        to_compile = time.perf_counter() - started
        plain(*given, seed)
        return _fastest(lambda: plain(*given, seed)), _fastest(lambda: self._compiled(*given, seed)), to_compile

    def _divided(self, batch: PaddedLists) -> Any:
        """The part of each replica of this process."""
        replicas = self._strategy.num_replicas_in_sync
        if replicas == 1:
            return _tensors(batch)
        rows = len(batch.mask)

        def part(context: tf.distribute.ValueContext) -> Batch:
            at = context.replica_id_in_sync_group
            return _tensors(batch, slice(rows * at // replicas, rows * (at + 1) // replicas))

        return self._strategy.experimental_distribute_values_from_function(part)

    def _of_all(self, batch: Any, number: tf.Tensor) -> tf.Tensor:
        losses = self._strategy.run(self._of_replica, args=(batch, number))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _of_replica(self, batch: Batch, number: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        place = tf.cast(context.replica_id_in_sync_group, tf.int32)
        replicas = context.num_replicas_in_sync
        seed = tf.random.experimental.stateless_fold_in(self._seed, number * replicas + place)
        total, weight, gradients = self._compute(*batch, seed)
        weight = context.all_reduce(tf.distribute.ReduceOp.SUM, weight) if replicas > 1 else weight
        scale = tf.math.divide_no_nan(1.0, weight)
        self._optimizer.apply_gradients(
            (_scaled(gradient, scale), variable)
            for gradient, variable in zip(gradients, self._scorer.trainable_variables, strict=True)
        )
        return total * scale

    def _gradients(
        self, features: dict[str, tf.Tensor], mask: tf.Tensor, labels: tf.Tensor, judged: Any, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, list[Any]]:
        """The loss's total and weight, and the gradients of the total."""
        dropout, noise = (tf.random.experimental.stateless_fold_in(seed, part) for part in (0, 1))
        variables = self._scorer.trainable_variables
        with tf.GradientTape() as tape:
            scores = self._scorer(features, mask, training=True, seed=dropout)
            total, weight = self._loss(labels, scores, mask, judged.get("weight"), noise)
        gradients = tape.gradient(total, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return total, weight, gradients


def _tensors(batch: PaddedLists, rows: slice | None = None) -> Batch:
    def part(values: NDArray[Any]) -> tf.Tensor:
        return tf.constant(values if rows is None else values[rows])

    features = {name: part(values) for name, values in batch.features.items()}
    judged = {name: part(values) for name, values in batch.judged.items()}
    return Batch(features, part(batch.mask), part(batch.labels), judged)


def _scaled(gradient: Any, scale: tf.Tensor) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * scale, gradient.indices, gradient.dense_shape)
    return gradient * scale


def _fastest(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(_TIMED):
        started = time.perf_counter()
        call()[0].numpy()
        times.append(time.perf_counter() - started)
    return min(times)
