"""Texts as Unicode words, and words as hashed ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import tensorflow as tf

from ranker.spec import Text

if TYPE_CHECKING:
    from features.lists import Lists

__all__ = ["Words", "hash_ids", "text_ids", "tokenize"]

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


@dataclass(frozen=True)
class Words:
    """Words of texts, flat.

    Attributes:
        values: string `[words]`.
        text: int64 `[words]`, the text of each; rising.
        starts: int64 `[texts + 1]`, the first word of each text, and the number of words.
    """

    values: tf.Tensor
    text: tf.Tensor
    starts: tf.Tensor

    @classmethod
    def of(cls, texts: tf.Tensor) -> Self:
        """Of string `[texts]`."""
        tokens = tokenize(texts)
        return cls(tokens.flat_values, tokens.value_rowids(), tokens.row_splits)

    @cached_property
    def lengths(self) -> tf.Tensor:
        """int64 `[texts]`."""
        return self.starts[1:] - self.starts[:-1]

    @cached_property
    def place(self) -> tf.Tensor:
        """int64 `[words]`: 0 for the first word of its text, 1 for the second, ..."""
        return tf.range(tf.size(self.values, tf.int64)) - tf.gather(self.starts, self.text)

    def ids(self, buckets: int) -> tf.RaggedTensor:
        """int64 `[texts, (words)]`, from 1 to `buckets`, by a hash that is the same in every process."""
        ids = tf.strings.to_hash_bucket_fast(self.values, buckets) + 1
        return tf.RaggedTensor.from_row_splits(ids, self.starts, validate=False)

    @cached_property
    def hashes(self) -> tf.Tensor:
        """int64 `[words]`, 63 bits, the same in every process."""
        return tf.strings.to_hash_bucket_fast(self.values, 2**63 - 1)


def hash_ids(words: Words, buckets: int, most: int, ngrams: int = 1) -> tf.RaggedTensor:
    """Ids from 1 to `buckets`, by a hash that is the same in every process.

    Args:
        words: of the texts.
        buckets: number of ids.
        most: words of a text that count; later ones are left out.
        ngrams: runs of up to so many words have an id each, that of the words with a space between.

    Returns:
        int64 `[texts, (ids)]`, words first, then runs of two, ...
    """
    kept = tf.where(words.place < most)[:, 0]
    starts = tf.concat([[0], tf.cumsum(tf.minimum(words.lengths, most))], 0)
    # Given by splits alone: the row ids of n-grams are others.
    tokens = tf.RaggedTensor.from_row_splits(tf.gather(words.values, kept), starts, validate=False)
    if ngrams > 1:
        tokens = tf.strings.ngrams(tokens, tuple(range(1, ngrams + 1)))
    return tokens.with_flat_values(tf.strings.to_hash_bucket_fast(tokens.flat_values, buckets) + 1)


def text_ids(spec: Text, lists: Lists) -> tf.RaggedTensor:
    """int64 `[lists or documents, (ids)]`: ids of an embedded text."""
    return hash_ids(lists.words(spec.name), spec.buckets, spec.max_words, spec.ngrams)
