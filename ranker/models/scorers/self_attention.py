"""Multi-item scorer: the score of a document depends on the whole list, through masked self-attention."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tf_keras

from ranker.data.layout import Layout
from ranker.spec import SelfAttention

__all__ = ["SelfAttentionScorer"]


class SelfAttentionScorer(tf_keras.Model):
    """Self-attention blocks over the list (Pang et al., SetRank, SIGIR 2020), pre-normalised.

    A document enters as its dense features (signed log1p), the mean embeddings of its ids and of the query's, and the
    products of query and document embeddings that share a table. No position is encoded: permuting the documents
    permutes the scores.
    """

    def __init__(self, spec: SelfAttention, layout: Layout) -> None:
        super().__init__(name=spec.name)
        self._layout = layout
        self._tables = {
            feature.table: tf_keras.layers.Embedding(feature.size, feature.embed, name=_layer_name(feature.table))
            for feature in layout.ids
        }
        self._enter = tf_keras.layers.Dense(spec.width, name="enter")
        self._blocks = [_Block(spec, name=f"block_{at}") for at in range(spec.blocks)]
        self._norm = tf_keras.layers.LayerNormalization(name="norm")
        self._leave = tf_keras.layers.Dense(1, name="leave")

    def call(self, features: Mapping[str, tf.Tensor], mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Scores.

        Args:
            features: padded tensors of the layout.
            mask: bool `[batch, list]`, True for documents.
            training: whether dropout is on.

        Returns:
            float32 `[batch, list]`; meaningless where the mask is False.
        """
        x = self._enter(self._inputs(features))
        for block in self._blocks:
            x = block(x, mask, training=training)
        return tf.squeeze(self._leave(self._norm(x)), -1)

    def _inputs(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        dense = features["dense"]
        parts = [tf.sign(dense) * tf.math.log1p(tf.abs(dense))]
        shape = tf.shape(dense)[:2]
        embedded = {f.name: _mean_embedding(self._tables[f.table], features[f.name]) for f in self._layout.ids}
        for feature in self._layout.ids:
            vector = embedded[feature.name]
            if feature.scope == "query":
                vector = tf.broadcast_to(vector[:, tf.newaxis], tf.concat([shape, [feature.embed]], 0))
            parts.append(vector)
        parts += [
            embedded[query.name][:, tf.newaxis] * embedded[document.name]
            for query in self._layout.ids
            for document in self._layout.ids
            if (query.scope, document.scope) == ("query", "document") and query.table == document.table
        ]
        return tf.concat(parts, axis=-1)


class _Block(tf_keras.layers.Layer):
    """Attention over the list, then a two-layer network per document; each with its residual."""

    def __init__(self, spec: SelfAttention, name: str) -> None:
        super().__init__(name=name)
        self._attention_norm = tf_keras.layers.LayerNormalization()
        self._attention = tf_keras.layers.MultiHeadAttention(spec.heads, spec.width // spec.heads, dropout=spec.dropout)
        self._forward_norm = tf_keras.layers.LayerNormalization()
        self._widen = tf_keras.layers.Dense(2 * spec.width, activation="relu")
        self._narrow = tf_keras.layers.Dense(spec.width)
        self._dropout = tf_keras.layers.Dropout(spec.dropout)

    def call(self, x: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        normed = self._attention_norm(x)
        attended = self._attention(normed, normed, attention_mask=mask[:, tf.newaxis], training=training)
        x += self._dropout(attended, training=training)
        forward = self._narrow(self._widen(self._forward_norm(x)))
        return x + self._dropout(forward, training=training)


def _layer_name(table: str) -> str:
    """Of an embedding table. Keras takes no #; names of features have no dot, so that no two tables share a layer's."""
    return f"embed_{table.replace('#', '.')}"


def _mean_embedding(table: tf_keras.layers.Embedding, ids: tf.Tensor) -> tf.Tensor:
    """Mean over the last axis of the embeddings of ids other than 0; zero where there is none."""
    present = tf.cast(ids > 0, tf.float32)[..., tf.newaxis]
    total = tf.reduce_sum(table(ids) * present, axis=-2)
    return tf.math.divide_no_nan(total, tf.reduce_sum(present, axis=-2))
