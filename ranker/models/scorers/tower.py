"""Layers that see one document at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import tensorflow as tf
import tf_keras

from ranker.models.scorers.dropout import dropout, fold
from ranker.models.scorers.initialisation import glorot
from ranker.models.scorers.normalisation import BatchNormalisation, LayerNormalisation

__all__ = ["Tower"]


class Tower(tf_keras.layers.Layer):
    """Per layer: dense, normalisation, rectifier, dropout."""

    def __init__(
        self,
        widths: Sequence[int],
        normalisation: Literal["batch", "layer"],
        rate: float,
        seed: int,
        policy: str | None = None,
    ) -> None:
        """Make the layers.

        Args:
            widths: outputs of each layer.
            normalisation: over the documents of a batch, or over the units of each document.
            rate: share of outputs that are dropped in training.
            seed: of the initial weights.
            policy: Keras' name of the precision; default: the global one.
        """
        super().__init__(name="tower", dtype=policy)
        self._rate = rate
        self._dense = [
            tf_keras.layers.Dense(
                width,
                use_bias=normalisation != "batch",  # whose mean takes any bias away
                kernel_initializer=glorot(seed, f"dense_{at}"),
                dtype=policy,
            )
            for at, width in enumerate(widths)
        ]
        kind = BatchNormalisation if normalisation == "batch" else LayerNormalisation
        self._norms = [kind(dtype=policy) for _ in widths]

    def call(self, x: tf.Tensor, mask: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Transform each document.

        Args:
            x: floats `[batch, list, inputs]`.
            mask: bool `[batch, list]`, True for documents.
            training: whether batch normalisation takes the moments of this batch.
            seed: int32 `[2]` of the dropout; None: no dropout.

        Returns:
            `[batch, list, last width]`; meaningless where the mask is False.
        """
        for at, (dense, norm) in enumerate(zip(self._dense, self._norms, strict=True)):
            x = tf.nn.relu(norm(dense(x), mask, training=training))
            x = dropout(x, self._rate, fold(seed, at))
        return x
