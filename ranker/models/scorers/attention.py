"""Multi-head attention of each document to the documents of its list."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from ranker.models.scorers.dropout import dropout
from ranker.models.scorers.initialisation import glorot

__all__ = ["MaskedSelfAttention"]

_NEVER = -1e9  # exp of it is exactly 0; finite, so that a list without documents gives no NaN


class MaskedSelfAttention(tf_keras.layers.Layer):
    """Scaled dot-product attention (Vaswani et al., NeurIPS 2017) without positions, to documents only.

    Keras' own layer has dropout with a state, which a resumed run cannot repeat.
    """

    def __init__(self, width: int, heads: int, rate: float, seed: int, policy: str | None = None) -> None:
        """Make the layers.

        Args:
            width: of documents, a multiple of `heads`.
            heads: how many attentions there are, on `width / heads` numbers each.
            rate: share of attention weights that are dropped in training.
            seed: of the initial weights.
            policy: Keras' name of the precision; default: the global one.
        """
        super().__init__(dtype=policy)
        self._heads, self._depth, self._rate = heads, width // heads, rate
        # A key's bias would add the same to all logits of a document.
        self._enter = tf_keras.layers.Dense(
            3 * width, use_bias=False, kernel_initializer=glorot(seed, "enter"), dtype=policy
        )
        self._leave = tf_keras.layers.Dense(width, kernel_initializer=glorot(seed, "leave"), dtype=policy)

    def call(self, x: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """What each document takes from its list.

        Args:
            x: floats `[batch, list, width]`.
            mask: bool `[batch, list]`, True for documents; no other is attended to.
            seed: int32 `[2]` of the dropout; None: no dropout.

        Returns:
            `[batch, list, width]`, finite everywhere, meaningless where the mask is False.
        """
        batch, length = tf.unstack(tf.shape(x)[:2])
        heads = tf.reshape(self._enter(x), [batch, length, 3, self._heads, self._depth])
        queries, keys, values = tf.unstack(heads, axis=2)
        logits = tf.einsum("bihd,bjhd->bhij", queries * self._depth**-0.5, keys)
        logits = tf.where(mask[:, tf.newaxis, tf.newaxis], tf.cast(logits, tf.float32), _NEVER)
        weights = dropout(tf.cast(tf.nn.softmax(logits), x.dtype), self._rate, seed)
        attended = tf.einsum("bhij,bjhd->bihd", weights, values)
        return self._leave(tf.reshape(attended, [batch, length, self._heads * self._depth]))
