"""Generalised additive model: the score is a sum of one sub-score per feature, which can be looked at by itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.data.layout import Layout
from ranker.models.scorers.mean_embedding import mean_embedding
from ranker.models.scorers.network_scorer import NetworkScorer
from ranker.models.scorers.overlap import overlaps, shared_pairs
from ranker.models.scorers.pieces import PIECES, Pieces
from ranker.spec.scorers import Gam

__all__ = ["GamScorer"]


class GamScorer(NetworkScorer):
    """Sum of a piecewise linear function of each number (Zhuang et al., WSDM 2021, with networks in their place).

    The share of the query's ids that a document has counts as a number, and each id has a weight (their mean counts
    where a feature has several). Ids of the query alone are left out: they would add the same to all scores of a list.
    All weights start at 0; with a convex loss there is one best solution, and no seed matters.

    Attributes:
        features: names of what has a sub-score, in order; "query & title" is an overlap.
    """

    def __init__(self, spec: Gam, layout: Layout, seed: int = 0, policy: str | None = None) -> None:  # noqa: ARG002 - a scorer
        """Make the weights; see `ranker.models.scorers.networks.make_network`."""
        super().__init__(spec, policy, random=False)
        of_documents = [feature for feature in layout.ids if feature.scope == "document"]
        pairs = [f"{query.name} & {document.name}" for query, document in shared_pairs(layout)]
        self.features = (*layout.dense, *pairs, *(feature.name for feature in of_documents))
        self._layout = layout
        self._pieces = Pieces(len(layout.dense))
        self._weights = self.add_weight(
            "weights",
            [len(layout.dense) + len(pairs), PIECES],  # of an overlap's the first is used
            initializer="zeros",
            dtype="float32",
            experimental_autocast=False,
        )
        self._bias = self.add_weight("bias", [], initializer="zeros", dtype="float32", experimental_autocast=False)
        self._ids = {
            feature.name: tf_keras.layers.Embedding(
                feature.size, 1, embeddings_initializer="zeros", dtype="float32", name=f"embed_{feature.name}"
            )
            for feature in of_documents
        }

    def adapt(self, rows: np.ndarray) -> None:
        """Take the pieces of the numbers from a sample: float32 `[n, dense]` without NaN."""
        self._pieces.adapt(rows)

    def score(
        self,
        features: Mapping[str, tf.Tensor],
        mask: tf.Tensor,
        training: bool,  # noqa: ARG002 - a scorer
        seed: tf.Tensor | None,  # noqa: ARG002 - a scorer
    ) -> tf.Tensor:
        """float32 `[batch, list]`."""
        return tf.reduce_sum(self.sub_scores(features, mask), axis=-1) + self._bias

    def sub_scores(self, features: Mapping[str, tf.Tensor], mask: tf.Tensor) -> tf.Tensor:
        """What each feature adds to the score.

        Args:
            features: padded tensors of the layout.
            mask: bool `[batch, list]`, True for documents.

        Returns:
            float32 `[batch, list, features]`, 0 where the mask is False; the score is their sum and a constant.
        """
        whole = overlaps(features, mask, self._layout)[..., tf.newaxis]
        whole = tf.pad(whole, [[0, 0], [0, 0], [0, 0], [0, PIECES - 1]])
        pieces = tf.concat([self._pieces(features["dense"]), whole], axis=2)
        pieces = tf.where(mask[..., tf.newaxis, tf.newaxis], pieces, tf.zeros_like(pieces))
        parts = [tf.einsum("blfp,fp->blf", pieces, self._weights)]
        parts += [mean_embedding(weights, features[name]) for name, weights in self._ids.items()]
        sub_scores = tf.concat(parts, axis=-1)
        return tf.where(mask[..., tf.newaxis], sub_scores, tf.zeros_like(sub_scores))
