"""Text features: Unicode words, and their hashed ids."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["hash_ids", "tokenize"]


def tokenize(texts: tf.Tensor) -> tf.RaggedTensor:
    """Lower-cased words: runs of letters, marks and digits of any script.

    Args:
        texts: string `[texts]`, UTF-8.

    Returns:
        string `[texts, (words)]`.

    >>> tokenize(tf.constant(["Oak-Table, 3m", ""])).to_list()
    [[b'oak', b'table', b'3m'], []]
    """
    lower = tf.strings.lower(texts, encoding="utf-8")
    spaced = tf.strings.regex_replace(lower, r"[^\p{L}\p{M}\p{N}]+", " ")
    return tf.strings.split(spaced)


def hash_ids(tokens: tf.RaggedTensor, buckets: int) -> tf.RaggedTensor:
    """Ids from 1 to `buckets`, by a hash that is the same in every process.

    Args:
        tokens: string `[texts, (words)]`.
        buckets: number of ids.

    Returns:
        int64 `[texts, (words)]`.
    """
    return tokens.with_flat_values(tf.strings.to_hash_bucket_fast(tokens.flat_values, buckets) + 1)
