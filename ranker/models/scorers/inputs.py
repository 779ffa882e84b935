"""What a document enters a network as."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.data.layout import Layout
from ranker.models.scorers.dropout import dropout
from ranker.models.scorers.initialisation import embedding
from ranker.models.scorers.mean_embedding import mean_embedding
from ranker.models.scorers.overlap import overlaps, shared_pairs
from ranker.models.scorers.pieces import PIECES, Pieces

__all__ = ["Inputs"]

_MANY = 30  # numbers


class Inputs(tf_keras.layers.Layer):
    """The features of the layout, next to each other as one vector per document.

    These are its dense numbers (in pieces) and the mean embeddings of its ids and of the query's. Features of query and
    documents whose ids mean the same (text and text) enter together: by the products of their mean embeddings, since a
    network of few layers learns products badly (Rendle et al., RecSys 2020), and by their overlap. Where these have
    several ids each, their means do not enter alone: so many weights say little by themselves, and are learnt by heart.

    The names of all places are those of `ranker.models.scorers.input_names`.
    """

    def __init__(self, layout: Layout, rate: float | None, seed: int, policy: str | None = None) -> None:
        """Make the tables.

        Args:
            layout: names and sizes of the features.
            rate: share of the pieces of numbers that are dropped in training; None: up to a third, the more numbers
                there are. Few numbers say nothing twice.
            seed: of the initial embeddings.
            policy: Keras' name of the precision; default: the global one.
        """
        super().__init__(name="inputs", dtype=policy, autocast=False)
        columns = len(layout.dense)
        self._layout = layout
        self._pairs = shared_pairs(layout)
        together = {feature.name for pair in self._pairs for feature in pair if feature.multivalued}
        self._alone = [feature for feature in layout.ids if feature.name not in together]
        self._pieces = Pieces(columns)
        self._rate = columns / (columns + _MANY) / 3 if rate is None else rate
        self._tables = {
            feature.table: tf_keras.layers.Embedding(
                feature.size,
                feature.embed,
                name=_layer_name(feature.table),
                embeddings_initializer=embedding(seed, feature.table),
                dtype=policy,
            )
            for feature in layout.ids
        }

    @property
    def random(self) -> bool:
        """Whether anything is dropped in training."""
        return self._rate > 0

    def adapt(self, rows: np.ndarray) -> None:
        """Take the pieces of the numbers from a sample: float `[n, dense]`, without NaN."""
        self._pieces.adapt(rows)

    def call(self, features: Mapping[str, tf.Tensor], mask: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """One vector per document.

        Args:
            features: padded tensors of the layout.
            mask: bool `[batch, list]`, True for documents.
            seed: int32 `[2]` of the dropout; None: no dropout.

        Returns:
            floats `[batch, list, width]`; 0 where the mask is False, whatever lies there.
        """
        parts = [self._numbers(features["dense"], seed), overlaps(features, mask, self._layout)]
        embedded = {f.name: mean_embedding(self._tables[f.table], features[f.name]) for f in self._layout.ids}
        for feature in self._alone:
            vector = embedded[feature.name]
            if feature.scope == "query":
                vector = tf.broadcast_to(vector[:, tf.newaxis], tf.concat([tf.shape(mask), [feature.embed]], 0))
            parts.append(vector)
        parts += [embedded[query.name][:, tf.newaxis] * embedded[document.name] for query, document in self._pairs]
        x = tf.concat([tf.cast(part, self.compute_dtype) for part in parts], axis=-1)
        return tf.where(mask[..., tf.newaxis], x, tf.zeros_like(x))

    def _numbers(self, dense: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        shape = tf.concat([tf.shape(dense)[:-1], [PIECES * len(self._layout.dense)]], 0)
        return dropout(tf.reshape(self._pieces(dense), shape), self._rate, seed)


def _layer_name(table: str) -> str:
    """Of an embedding table. Keras takes no #; names of features have no dot, so that no two tables share a layer's."""
    return f"embed_{table.replace('#', '.')}"
