"""LambdaMART as a scorer: the trees as graph operations, on the same transformed tensors as the networks."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from ranker.data.layout import Layout
from ranker.models.trees import BoosterGraph

__all__ = ["LambdaMartScorer", "tree_columns", "tree_matrix"]


def tree_columns(layout: Layout) -> list[str]:
    """Names of the columns that trees see."""
    return [*layout.dense, *(feature.name for feature in layout.single_ids)]


def tree_matrix(features: Mapping[str, tf.Tensor], mask: tf.Tensor, layout: Layout) -> tf.Tensor:
    """The rows that trees see: dense features and single ids, those of the query repeated for its documents.

    Args:
        features: padded tensors of the layout.
        mask: bool `[batch, list]`.
        layout: names of the tensors.

    Returns:
        float32 `[documents, columns]`: the documents where the mask is True, row by row.
    """
    columns = [features["dense"]]
    for feature in layout.single_ids:
        ids = tf.cast(features[feature.name], tf.float32)
        if feature.scope == "query":
            ids = tf.broadcast_to(ids[:, tf.newaxis], tf.concat([tf.shape(mask), [1]], 0))
        columns.append(ids)
    return tf.boolean_mask(tf.concat(columns, axis=-1), mask)


class LambdaMartScorer(tf.Module):
    """A LightGBM booster in the graph."""

    def __init__(self, booster: BoosterGraph, layout: Layout) -> None:
        super().__init__()
        self._booster, self._layout = booster, layout

    def __call__(self, features: Mapping[str, tf.Tensor], mask: tf.Tensor) -> tf.Tensor:
        """Raw scores of the booster, float32 `[batch, list]`; 0 where the mask is False."""
        scores = tf.cast(self._booster(tree_matrix(features, mask, self._layout)), tf.float32)
        return tf.scatter_nd(tf.where(mask), scores, tf.shape(mask, tf.int64))
