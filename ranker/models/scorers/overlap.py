"""How much of the query is found in the document, id by id."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from ranker.data.layout import IdFeature, Layout

__all__ = ["overlaps", "shared_pairs"]


def shared_pairs(layout: Layout) -> list[tuple[IdFeature, IdFeature]]:
    """The pairs of a feature of the query and one of documents whose ids mean the same: they share a table."""
    of_query = [feature for feature in layout.ids if feature.scope == "query"]
    of_documents = [feature for feature in layout.ids if feature.scope == "document"]
    return [(query, document) for query in of_query for document in of_documents if query.table == document.table]


def overlaps(features: Mapping[str, tf.Tensor], mask: tf.Tensor, layout: Layout) -> tf.Tensor:
    """The share of the query's ids that the document has, per pair of features: from -1 (none) to 1 (all).

    Embeddings learn from many lists only that equal ids match; this says so from the start.

    Args:
        features: padded tensors of the layout.
        mask: bool `[batch, list]`.
        layout: names of the tensors.

    Returns:
        float32 `[batch, list, pairs]`; -1 where the query has no id.
    """
    shares = [_share(features[query.name], features[document.name]) for query, document in shared_pairs(layout)]
    none = tf.zeros(tf.concat([tf.shape(mask), [0]], 0))
    return 2 * tf.stack(shares, axis=-1) - 1 if shares else none


def _share(query: tf.Tensor, document: tf.Tensor) -> tf.Tensor:
    """Of ids of the query, int64 `[batch, m]`, among those of documents, `[batch, list, n]`; 0 is padding."""
    present = tf.cast(query > 0, tf.float32)[:, tf.newaxis]
    found = tf.reduce_any(query[:, tf.newaxis, :, tf.newaxis] == document[:, :, tf.newaxis], axis=-1)
    return tf.math.divide_no_nan(
        tf.reduce_sum(tf.cast(found, tf.float32) * present, axis=-1), tf.reduce_sum(present, axis=-1)
    )
