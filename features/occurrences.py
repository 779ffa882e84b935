"""Which words (or pairs of words) of a query its documents hold, and how often: integers only, no ragged tensors.

A key is the number of a list and 40 bits of a word's hash. The distinct keys of the queries, few, are sorted; each
word of the documents is searched among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import tensorflow as tf

from features.text import Words

__all__ = ["Occurrences", "QueryWords", "bigrams", "word_keys"]

_HASH_BITS = 40  # of a 63-bit key; the other 23 number the lists of a batch (8 million)
_MULTIPLIER = 0x5851F42D4C957F2D  # odd, of Knuth's MMIX generator


@dataclass(frozen=True)
class QueryWords:
    """The distinct words of each query, by list and hash.

    Attributes:
        keys: int64 `[distinct]`, rising.
        row: int64 `[distinct]`, the list of each.
        first: int64 `[distinct]`, where it is first among all words of the queries.
        count: float64 `[distinct]`, how often its query holds it.
    """

    keys: tf.Tensor
    row: tf.Tensor
    first: tf.Tensor
    count: tf.Tensor

    @classmethod
    def of(cls, hashes: tf.Tensor, row: tf.Tensor) -> Self:
        """Of the words of queries: their hashes int64 `[words]` and lists int64 `[words]`."""
        keys, which, count = tf.unique_with_counts(word_keys(row, hashes), tf.int64)
        size = tf.size(keys)
        first = tf.math.unsorted_segment_min(tf.range(tf.size(which, tf.int64)), which, size)
        negated, order = tf.math.top_k(-keys, size)
        keys, first, count = -negated, tf.gather(first, order), tf.gather(count, order)
        return cls(keys, tf.bitwise.right_shift(keys, _HASH_BITS), first, tf.cast(count, tf.float64))


@dataclass(frozen=True)
class Occurrences:
    """The query words that documents hold, one entry for each document and distinct word.

    Attributes:
        word: int64 `[entries]`, place in `QueryWords`.
        document: int64 `[entries]`.
        count: float64 `[entries]`, how often, at least once.
    """

    word: tf.Tensor
    document: tf.Tensor
    count: tf.Tensor

    @classmethod
    def of(cls, wanted: QueryWords, hashes: tf.Tensor, document: tf.Tensor, row: tf.Tensor) -> Self:
        """Find words.

        Args:
            wanted: words of the queries.
            hashes: int64 `[words]`, of the documents.
            document: int64 `[words]`, the document of each.
            row: int64 `[documents]`, the list of each.
        """
        keys = word_keys(tf.gather(row, document), hashes)
        sought = tf.concat([wanted.keys, [tf.int64.max]], 0)  # so that every key has a place
        place = tf.searchsorted(sought, keys, out_type=tf.int64)
        found = tf.where(tf.equal(tf.gather(sought, place), keys))[:, 0]
        words = tf.size(sought, tf.int64)
        entry = tf.gather(document, found) * words + tf.gather(place, found)
        entries, _, count = tf.unique_with_counts(entry, tf.int64)
        return cls(entries % words, entries // words, tf.cast(count, tf.float64))


def bigrams(words: Words) -> tuple[tf.Tensor, tf.Tensor]:
    """Hashes int64 `[bigrams]` of the pairs of neighbours in each text, and the text int64 `[bigrams]` of each."""
    together = tf.where(tf.equal(words.text[1:], words.text[:-1]))[:, 0]
    first, second = tf.gather(words.hashes, together), tf.gather(words.hashes, together + 1)
    return first * _MULTIPLIER + second, tf.gather(words.text, together)


def word_keys(row: tf.Tensor, hashes: tf.Tensor) -> tf.Tensor:
    """int64 `[words]`, from 0: the number of a list or text, and some bits of a word's hash."""
    return row * 2**_HASH_BITS + tf.bitwise.bitwise_and(tf.bitwise.right_shift(hashes, 20), 2**_HASH_BITS - 1)
