"""Texts as columns, one for each hashed id: how often it is there, or its share of what the text is about."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from features.bag import bag_of_ids
from features.idf import idf_of_text
from features.lists import Lists
from features.text import text_ids
from ranker.spec import Text

__all__ = ["text_columns", "tfidf_columns"]


def text_columns(specs: Sequence[Text], lists: Lists) -> tf.Tensor:
    """float32 `[documents, columns]`: as each text's `encode` says, text by text."""

    def columns(spec: Text) -> tf.Tensor:
        if spec.encode == "tfidf":
            return tfidf_columns(spec, lists)
        return lists.per_document(spec.name, bag_of_ids(text_ids(spec, lists), spec.buckets))

    return tf.concat([columns(spec) for spec in specs], axis=1)


def tfidf_columns(spec: Text, lists: Lists) -> tf.Tensor:
    """The vector tf(t) * idf(t), summed where words share an id, divided by its Euclidean length.

    tf(t) is how often the first `max_words` words hold t, idf(t) that of `features.idf` (Salton and Buckley,
    Term-weighting approaches in automatic text retrieval, 1988: weights `tfc`).

    Returns:
        float32 `[documents, buckets]`, computed in float64; 0 for a text without words.
    """
    words = lists.words(spec.name)
    weights = tf.where(words.place < spec.max_words, idf_of_text(spec.name, lists), 0)
    sums = bag_of_ids(words.ids(spec.buckets), spec.buckets, weights)
    # Not reduce_sum: in which order it adds depends on the number of documents.
    document = tf.range(tf.size(sums, tf.int64)) // spec.buckets
    length = tf.sqrt(lists.sum_by_document(tf.reshape(sums, [-1]) ** 2, document))
    return tf.cast(tf.math.divide_no_nan(sums, length[:, tf.newaxis]), tf.float32)
