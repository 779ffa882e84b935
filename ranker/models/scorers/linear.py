"""A weighted sum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.data.layout import Layout
from ranker.models.scorers.mean_embedding import mean_embedding
from ranker.models.scorers.network_scorer import NetworkScorer
from ranker.models.scorers.numbers import Numbers
from ranker.models.scorers.overlap import overlaps
from ranker.spec import Linear

__all__ = ["LinearScorer"]


class LinearScorer(NetworkScorer):
    """The weighted sum of a document's numbers (normalised), of the share of the query's ids that it has, and of ids.

    Each id has one weight; where a feature has several ids, their mean counts.

    Ids of the query are left out: they would add the same to all scores of a list. All weights start at 0; with a
    convex loss there is one best solution, and no seed matters.
    """

    def __init__(self, spec: Linear, layout: Layout, seed: int = 0, policy: str | None = None) -> None:  # noqa: ARG002 - a scorer
        """Make the weights; see `ranker.models.scorers.networks.make_network`."""
        super().__init__(spec, policy, random=False)
        self._layout = layout
        self._numbers = Numbers(len(layout.dense))
        self._sum = tf_keras.layers.Dense(1, kernel_initializer="zeros", dtype="float32", name="sum")
        self._ids = {
            feature.name: tf_keras.layers.Embedding(
                feature.size, 1, embeddings_initializer="zeros", dtype="float32", name=f"weights_{feature.name}"
            )
            for feature in layout.ids
            if feature.scope == "document"
        }

    def adapt(self, rows: np.ndarray) -> None:
        """Take the scale of the numbers from a sample: float32 `[n, dense]` without NaN."""
        self._numbers.adapt(rows)

    def score(
        self,
        features: Mapping[str, tf.Tensor],
        mask: tf.Tensor,
        training: bool,  # noqa: ARG002 - a scorer
        seed: tf.Tensor | None,  # noqa: ARG002 - a scorer
    ) -> tf.Tensor:
        """float32 `[batch, list]`."""
        numbers = tf.concat([self._numbers(features["dense"]), overlaps(features, mask, self._layout)], axis=-1)
        numbers = tf.where(mask[..., tf.newaxis], numbers, 0.0)
        parts = [mean_embedding(weights, features[name]) for name, weights in self._ids.items()]
        return tf.squeeze(tf.add_n([self._sum(numbers), *parts]), -1)
