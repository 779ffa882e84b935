"""Multi-item scorer: the score of a document depends on the whole list, through masked self-attention."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.data.layout import Layout
from ranker.models.scorers.attention import MaskedSelfAttention
from ranker.models.scorers.dropout import dropout, fold
from ranker.models.scorers.initialisation import derived_seed, glorot
from ranker.models.scorers.inputs import Inputs
from ranker.models.scorers.network_scorer import NetworkScorer
from ranker.models.scorers.normalisation import LayerNormalisation
from ranker.models.scorers.tower import Tower
from ranker.spec import SelfAttention

__all__ = ["SelfAttentionScorer"]


class SelfAttentionScorer(NetworkScorer):
    """Self-attention blocks over the list (Pang et al., SetRank, SIGIR 2020), pre-normalised.

    With the latent cross of DASALC (Qin et al., ICLR 2021, section 5) the outcome c of the blocks does not make the
    score by itself: a tower over each document alone gives h, and the score is a weighted sum of (1 + c) h.
    """

    def __init__(self, spec: SelfAttention, layout: Layout, seed: int = 0, policy: str | None = None) -> None:
        """Make the layers; see `ranker.models.scorers.networks.make_network`."""
        inputs = Inputs(layout, spec.input_dropout, derived_seed(seed, "inputs"), policy)
        super().__init__(spec, policy, random=inputs.random or spec.dropout > 0)
        self._inputs = inputs
        self._enter = tf_keras.layers.Dense(
            spec.width, kernel_initializer=glorot(seed, "enter"), dtype=policy, name="enter"
        )
        self._blocks = [_Block(spec, derived_seed(seed, f"block_{at}"), policy) for at in range(spec.blocks)]
        self._norm = LayerNormalisation(dtype=policy)
        self._tower = (
            Tower([2 * spec.width, spec.width], "layer", spec.dropout, derived_seed(seed, "tower"), policy)
            if spec.latent_cross
            else None
        )
        self._leave = tf_keras.layers.Dense(1, kernel_initializer=glorot(seed, "leave"), dtype="float32", name="leave")

    def adapt(self, rows: np.ndarray) -> None:
        """Take the scale of the numbers from a sample: float32 `[n, dense]` without NaN."""
        self._inputs.adapt(rows)

    def score(
        self, features: Mapping[str, tf.Tensor], mask: tf.Tensor, training: bool, seed: tf.Tensor | None
    ) -> tf.Tensor:
        """float32 `[batch, list]`."""
        entered = self._inputs(features, mask, seed=fold(seed, 0))
        x = self._enter(entered)
        for at, block in enumerate(self._blocks):
            x = block(x, mask, seed=fold(seed, 2 + at))
        x = self._norm(x)
        if self._tower is not None:
            x = (1 + x) * self._tower(entered, mask, training=training, seed=fold(seed, 1))
        return tf.squeeze(self._leave(x), -1)


class _Block(tf_keras.layers.Layer):
    """Attention over the list, then a two-layer network per document; each with its residual."""

    def __init__(self, spec: SelfAttention, seed: int, policy: str | None) -> None:
        super().__init__(dtype=policy)
        self._rate = spec.dropout
        self._attention_norm = LayerNormalisation(dtype=policy)
        self._attention = MaskedSelfAttention(spec.width, spec.heads, spec.dropout, seed, policy)
        self._forward_norm = LayerNormalisation(dtype=policy)
        self._widen = tf_keras.layers.Dense(
            2 * spec.width, activation="relu", kernel_initializer=glorot(seed, "widen"), dtype=policy
        )
        self._narrow = tf_keras.layers.Dense(spec.width, kernel_initializer=glorot(seed, "narrow"), dtype=policy)

    def call(self, x: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        attended = self._attention(self._attention_norm(x), mask, seed=fold(seed, 0))
        x += dropout(attended, self._rate, fold(seed, 1))
        forward = self._narrow(self._widen(self._forward_norm(x)))
        return x + dropout(forward, self._rate, fold(seed, 2))
