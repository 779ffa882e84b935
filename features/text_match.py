"""How well a text of the document matches a text of the query."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from features.collection import CollectionStatistics
from ranker.spec import Bm25

__all__ = ["bm25"]

_TOKEN_BITS = 40  # of a 63-bit key; the other 23 number the documents of a batch (8 million)


def bm25(
    spec: Bm25, statistics: CollectionStatistics, query: tf.RaggedTensor, document: tf.RaggedTensor, row: tf.Tensor
) -> tf.Tensor:
    """BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, eq. 3.15) with Lucene's idf.

    sum over the words t of the query: idf(t) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)),
    idf(t) = ln(1 + (N - df(t) + 0.5) / (df(t) + 0.5)).

    Args:
        spec: k1 and b.
        statistics: N, df and mean length of the collection.
        query: string `[queries, (words)]`.
        document: string `[documents, (words)]`.
        row: int64 `[documents]`, the query of each document.

    Returns:
        float64 `[documents]`.
    """
    idf = _idf(statistics, query.flat_values)
    of_document = tf.gather(query.with_flat_values(tf.range(tf.size(idf))), row)  # [documents, (query words)]
    word, at = of_document.flat_values, of_document.value_rowids()
    frequency = tf.cast(_occurrences(tf.gather(query.flat_values, word), at, document), tf.float64)
    length = tf.cast(document.row_lengths(), tf.float64)
    norm = spec.k1 * (1 - spec.b + spec.b * length / max(statistics.mean_length, 1e-9))
    # No NaN: for b = 1 the divisor is 0 if the document is empty.
    saturation = tf.math.divide_no_nan(frequency * (spec.k1 + 1), frequency + tf.gather(norm, at))
    return tf.math.unsorted_segment_sum(tf.gather(idf, word) * saturation, at, tf.size(row))


def _idf(statistics: CollectionStatistics, words: tf.Tensor) -> tf.Tensor:
    """float64 `[words]`; a word that the collection lacks has frequency 0."""
    if not statistics.mean_length:
        return tf.zeros_like(words, tf.float64)  # no document has a word; an empty file makes no table
    table = tft.make_and_track_object(
        lambda: tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(statistics.path, tf.string, 0, tf.int64, 1, delimiter="\t"), default_value=0
        ),
        name=f"document_frequency_{statistics.feature}",
    )
    frequency = tf.cast(table.lookup(words), tf.float64)
    return tf.math.log1p((statistics.documents - frequency + 0.5) / (frequency + 0.5))


def _occurrences(words: tf.Tensor, at: tf.Tensor, document: tf.RaggedTensor) -> tf.Tensor:
    """How often each word occurs in its document: binary search among sorted (document, word) keys.

    Args:
        words: string `[pairs]`.
        at: int64 `[pairs]`, the document of each.
        document: string `[documents, (words)]`.

    Returns:
        int32 `[pairs]`.
    """

    def keys(document_number: tf.Tensor, word: tf.Tensor) -> tf.Tensor:
        return document_number * 2**_TOKEN_BITS + tf.strings.to_hash_bucket_fast(word, 2**_TOKEN_BITS)

    present = tf.sort(keys(document.value_rowids(), document.flat_values))
    wanted = keys(at, words)
    return tf.searchsorted(present, wanted, side="right") - tf.searchsorted(present, wanted, side="left")
