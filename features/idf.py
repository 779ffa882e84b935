"""How much a word says: inverse document frequencies of the collection.

With N documents in the collection and df(t) of them with the word t,
idf(t) = ln(1 + (N - df(t) + 0.5) / (df(t) + 0.5)), that of Lucene's BM25Similarity: the weight of Robertson and Sparck
Jones (Relevance weighting of search terms, 1976) without relevance information, kept above 0. df of a word that the
collection lacks is 0.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from features.collection import CollectionStatistics
from features.lists import Lists

__all__ = ["idf", "idf_of_text"]


def idf(statistics: CollectionStatistics, words: tf.Tensor) -> tf.Tensor:
    """float64 `[words]`: of string `[words]`; 0 if no document of the collection has a word."""
    if not statistics.mean_length:
        return tf.zeros_like(words, tf.float64)  # an empty file makes no table
    table = tft.make_and_track_object(
        lambda: tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(statistics.path, tf.string, 0, tf.int64, 1, delimiter="\t"), default_value=0
        ),
        name=f"document_frequency_{statistics.feature}",
    )
    frequency = tf.cast(table.lookup(words), tf.float64)
    return tf.math.log1p((statistics.documents - frequency + 0.5) / (frequency + 0.5))


def idf_of_text(name: str, lists: Lists) -> tf.Tensor:
    """float64 `[words]`: of each word of a text of documents."""
    return lists.once(("idf", name), lambda: idf(lists.statistics[name], lists.words(name).values))
