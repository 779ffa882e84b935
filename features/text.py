"""Text features: Unicode words, and their hashed ids."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["hash_ids", "tokenize"]

# TensorFlow lower-cases by the language of the process (LC_ALL, LANG): in Turkish, Azeri and Lithuanian I and these
# letters would become others. A to Z and these come first, so that a bundle gives the same words everywhere.
_LOWER = {"İ": "i\u0307", "Ì": "ì", "Í": "í", "Ĩ": "ĩ", "Į": "į"}


def tokenize(texts: tf.Tensor) -> tf.RaggedTensor:
    """Lower-cased words: runs of letters, marks and digits of any script.

    Args:
        texts: string `[texts]`, UTF-8.

    Returns:
        string `[texts, (words)]`.

    >>> tokenize(tf.constant(["Oak-Table, 3m", ""])).to_list()
    [[b'oak', b'table', b'3m'], []]
    """
    lower = tf.strings.lower(texts)
    for letter, small in _LOWER.items():
        lower = tf.strings.regex_replace(lower, letter, small)
    lower = tf.strings.lower(lower, encoding="utf-8")
    spaced = tf.strings.regex_replace(lower, r"[^\p{L}\p{M}\p{N}]+", " ")
    return tf.strings.split(spaced)


def hash_ids(tokens: tf.RaggedTensor, buckets: int, most: int) -> tf.RaggedTensor:
    """Ids from 1 to `buckets`, by a hash that is the same in every process.

    Args:
        tokens: string `[texts, (words)]`.
        buckets: number of ids.
        most: words of a text that count; later ones are left out.

    Returns:
        int64 `[texts, (words)]`.
    """
    tokens = tokens[:, :most]
    return tokens.with_flat_values(tf.strings.to_hash_bucket_fast(tokens.flat_values, buckets) + 1)
