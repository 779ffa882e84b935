"""Univariate scorer: the score of a document depends on itself and the query alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.data.layout import Layout
from ranker.models.scorers.dropout import fold
from ranker.models.scorers.initialisation import derived_seed, glorot
from ranker.models.scorers.inputs import Inputs
from ranker.models.scorers.network_scorer import NetworkScorer
from ranker.models.scorers.tower import Tower
from ranker.spec import Dnn

__all__ = ["DnnScorer"]


class DnnScorer(NetworkScorer):
    """A tower over each document."""

    def __init__(self, spec: Dnn, layout: Layout, seed: int = 0, policy: str | None = None) -> None:
        """Make the layers; see `ranker.models.scorers.networks.make_network`."""
        inputs = Inputs(layout, spec.input_dropout, derived_seed(seed, "inputs"), policy)
        super().__init__(spec, policy, random=inputs.random or spec.dropout > 0)
        self._inputs = inputs
        self._tower = Tower(spec.layers, spec.normalisation, spec.dropout, derived_seed(seed, "tower"), policy)
        self._leave = tf_keras.layers.Dense(1, kernel_initializer=glorot(seed, "leave"), dtype="float32", name="leave")

    def adapt(self, rows: np.ndarray) -> None:
        """Take the scale of the numbers from a sample: float32 `[n, dense]` without NaN."""
        self._inputs.adapt(rows)

    def score(
        self, features: Mapping[str, tf.Tensor], mask: tf.Tensor, training: bool, seed: tf.Tensor | None
    ) -> tf.Tensor:
        """float32 `[batch, list]`."""
        entered = self._inputs(features, mask, seed=fold(seed, 0))
        x = self._tower(entered, mask, training=training, seed=fold(seed, 1))
        return tf.squeeze(self._leave(x), -1)
