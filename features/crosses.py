"""Crosses: pairs of a value of the query and a value of the document, as hashed ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import tensorflow as tf

from features.bag import bag_of_ids
from features.categorical import distinct_values
from features.lists import Lists
from features.occurrences import word_keys
from ranker.spec import Cross

__all__ = ["cross_columns", "cross_ids", "pair_ids"]

# Of SplitMix64 (Steele, Lea and Flood 2014), as int64: odd multipliers, and right shifts that bring in zeros.
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_ROUNDS = ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64))
_LAST_SHIFT = 31


def pair_ids(query: tf.Tensor, document: tf.Tensor, buckets: int) -> tf.Tensor:
    """Ids from 1 to `buckets` of pairs, the same in every process.

    With a and b the two hashes: the output function of SplitMix64 of a * 0x9E3779B97F4A7C15 + b, modulo `buckets`.

    Args:
        query: int64 `[pairs]`, hash of the query's value.
        document: int64 `[pairs]`, hash of the document's.
        buckets: number of ids.

    Returns:
        int64 `[pairs]`.
    """
    x = query * _GOLDEN + document
    for shift, multiplier in _ROUNDS:
        x = _xor_shifted(x, shift) * multiplier
    return tf.bitwise.bitwise_and(_xor_shifted(x, _LAST_SHIFT), 2**63 - 1) % buckets + 1


def cross_ids(spec: Cross, lists: Lists) -> tf.RaggedTensor:
    """int64 `[documents, (ids)]`: one for each pair; where there is one pair at most, one id, 0 without a pair."""
    query, document = (_values(name, spec.max_values, lists) for name in (spec.query, spec.document))
    if query.many or document.many:
        pairs = _Pairs.of(query, document)
        starts = tf.concat([[0], pairs.ends], 0)
        ids = pair_ids(pairs.query, pairs.document, spec.buckets)
        return tf.RaggedTensor.from_row_splits(ids, starts, validate=False)
    ids = pair_ids(query.first, document.first, spec.buckets)
    ids = ids * query.count * document.count
    return tf.RaggedTensor.from_row_splits(ids, tf.range(tf.size(ids, tf.int64) + 1), validate=False)


def cross_columns(specs: Sequence[Cross], lists: Lists) -> tf.Tensor:
    """float32 `[documents, columns]`: a column for each id from 1, 1 where a document has it; cross by cross."""

    def columns(spec: Cross) -> tf.Tensor:
        query, document = (_values(name, spec.max_values, lists) for name in (spec.query, spec.document))
        pairs = _Pairs.of(query, document)
        ids = pair_ids(pairs.query, pairs.document, spec.buckets)
        of_document = tf.RaggedTensor.from_value_rowids(ids, pairs.row, tf.size(pairs.ends, tf.int64), validate=False)
        return tf.minimum(bag_of_ids(of_document, spec.buckets), 1)

    return tf.concat([columns(spec) for spec in specs], axis=1)


@dataclass(frozen=True)
class _Values:
    """Hashed values of one side.

    Attributes:
        hashes: int64 `[values]`.
        start: int64 `[documents]`, the first of the values of each document (or its query).
        count: int64 `[documents]`, how many of them count.
        many: whether there may be several.
    """

    hashes: tf.Tensor
    start: tf.Tensor
    count: tf.Tensor
    many: bool

    @property
    def first(self) -> tf.Tensor:
        """int64 `[documents]`: the only value, or whatever is there where none counts."""
        return tf.gather(self.hashes, self.start)


@dataclass(frozen=True)
class _Pairs:
    """All pairs, document by document, query value by query value.

    Attributes:
        query: int64 `[pairs]`, hash of the query's value.
        document: int64 `[pairs]`, hash of the document's value.
        row: int64 `[pairs]`, the document of each.
        ends: int64 `[documents]`, behind the last pair of each.
    """

    query: tf.Tensor
    document: tf.Tensor
    row: tf.Tensor
    ends: tf.Tensor

    @classmethod
    def of(cls, query: _Values, document: _Values) -> Self:
        count = query.count * document.count
        ends = tf.cumsum(count)
        place = tf.range(tf.reduce_sum(count))
        row = tf.searchsorted(ends, place, side="right", out_type=tf.int64)
        place -= tf.gather(ends - count, row)
        across = tf.gather(document.count, row)
        return cls(
            tf.gather(query.hashes, tf.gather(query.start, row) + place // across),
            tf.gather(document.hashes, tf.gather(document.start, row) + place % across),
            row,
            ends,
        )


def _values(name: str, most: int, lists: Lists) -> _Values:
    if lists.kinds[name] in ("numeric", "date"):
        bucket = lists.columns[f"{name}_bucket"]
        return lists.once(("values", name), lambda: _of_documents(tf.cast(bucket, tf.int64), bucket > 0))
    hashes, starts, lengths = lists.once(("values", name), lambda: _hashed(name, lists))
    start, count = lists.per_document(name, starts), lists.per_document(name, tf.minimum(lengths, most))
    return _Values(hashes, start, count, lists.kinds[name] == "text" or isinstance(lists.raw(name), tf.RaggedTensor))


def _of_documents(hashes: tf.Tensor, given: tf.Tensor) -> _Values:
    return _Values(hashes, tf.range(tf.size(hashes, tf.int64)), tf.cast(given, tf.int64), False)


def _hashed(name: str, lists: Lists) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Hashes int64 `[values]`, first value int64 `[lists or documents]`, and how many there are; each value once."""
    values = lists.raw(name)
    if lists.kinds[name] == "text":
        words = lists.words(name)
        keys, which = tf.unique(word_keys(words.text, words.hashes), tf.int64)
        places = tf.range(tf.size(which, tf.int64))
        first = tf.math.unsorted_segment_min(places, which, tf.size(keys))
        text = tf.gather(words.text, first)
        lengths = tf.math.unsorted_segment_sum(tf.ones_like(text), text, tf.size(words.lengths))
        return tf.gather(words.hashes, first), tf.cumsum(lengths, exclusive=True), lengths
    if isinstance(values, tf.RaggedTensor):
        values = lists.once(("distinct values", name), lambda: distinct_values(values))
        starts = values.row_splits
        return _fingerprints(values.values), starts[:-1], starts[1:] - starts[:-1]
    given = tf.cast(tf.not_equal(values, ""), tf.int64)
    return _fingerprints(values), tf.range(tf.size(values, tf.int64)), given


def _fingerprints(values: tf.Tensor) -> tf.Tensor:
    """int64, 63 bits, the same in every process."""
    return tf.strings.to_hash_bucket_fast(values, 2**63 - 1)


def _xor_shifted(x: tf.Tensor, shift: int) -> tf.Tensor:
    """x ^ (x >> shift), the bits of x as those of an unsigned integer."""
    shifted = tf.bitwise.bitwise_and(tf.bitwise.right_shift(x, shift), 2 ** (64 - shift) - 1)
    return tf.bitwise.bitwise_xor(x, shifted)
