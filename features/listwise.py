"""How a number of a document compares with those of its list. Missing numbers (NaN) stand in the middle."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from features.lists import Lists
from ranker.spec import Listwise

__all__ = ["percentile_in_list", "rank_in_list", "zscore_in_list", "zscores_in_list"]


def rank_in_list(spec: Listwise, lists: Lists) -> tf.Tensor:
    """float64 `[documents]`: 1 for the highest number; equal numbers share the mean of their ranks."""
    standing = _standing(spec, lists)
    return standing.known - standing.below + 0.5


def percentile_in_list(spec: Listwise, lists: Lists) -> tf.Tensor:
    """float64 `[documents]`: share of the list's numbers that are lower, plus half the share of those that are equal.

    The document's own is among them, so that a list of one has 0.5.
    """
    standing = _standing(spec, lists)
    return tf.where(standing.known > 0, tf.math.divide_no_nan(standing.below, standing.known), 0.5)


def zscore_in_list(spec: Listwise, lists: Lists) -> tf.Tensor:
    """float64 `[documents]`: (number - mean) / standard deviation of its list; 0 in a list without spread."""
    return zscores_in_list(lists.numbers[spec.of], lists)


def zscores_in_list(numbers: tf.Tensor, lists: Lists) -> tf.Tensor:
    """float64: z-scores in their lists of float32 numbers `[documents]` or `[documents, columns]`, by column."""
    numbers = tf.cast(numbers, tf.float64)
    present = tf.logical_not(tf.math.is_nan(numbers))
    # From the highest, so that equal numbers have exactly no spread.
    highest = tf.math.unsorted_segment_max(tf.where(present, numbers, tf.float64.min), lists.row, lists.count)
    x = tf.where(present, numbers - tf.gather(highest, lists.row), 0)
    known = lists.sum_by_list(tf.cast(present, tf.float64))
    mean = tf.math.divide_no_nan(lists.sum_by_list(x), known)
    x = tf.where(present, x - tf.gather(mean, lists.row), 0)
    spread = tf.sqrt(tf.math.divide_no_nan(lists.sum_by_list(x**2), known))
    return tf.math.divide_no_nan(x, tf.gather(spread, lists.row))


@dataclass(frozen=True)
class _Standing:
    """Of each document, float64 `[documents]`.

    Attributes:
        below: numbers of its list that are lower, and half of those that are equal (its own is one of them).
        known: how many numbers its list has.
    """

    below: tf.Tensor
    known: tf.Tensor


def _standing(spec: Listwise, lists: Lists) -> _Standing:
    """One sort of (list, number) as integers serves all lists."""

    def make() -> _Standing:
        numbers = lists.numbers[spec.of]
        present = tf.logical_not(tf.math.is_nan(numbers))
        keys = lists.row * 2**32 + tf.cast(_sortable(numbers, present), tf.int64)
        ordered = -tf.math.top_k(-keys, tf.size(keys)).values
        lower, not_higher = (tf.searchsorted(ordered, keys, side, tf.int64) for side in ("left", "right"))
        before = tf.gather(lists.starts, lists.row)
        known = tf.gather(lists.sum_by_list(tf.cast(present, tf.float64)), lists.row)
        below = tf.cast(lower - before + not_higher - before, tf.float64) / 2
        return _Standing(tf.where(present, below, known / 2), known)

    return lists.once(("standing", spec.of), make)


def _sortable(numbers: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """int32 in the order of float32 `numbers`, those that are missing last.

    The bits of a number are its size, and the lowest integer more if it is negative. No arithmetic on the numbers:
    TensorFlow takes the smallest ones for 0.
    """
    bits = tf.bitcast(numbers, tf.int32)
    rising = tf.where(bits < 0, tf.int32.min - bits, bits)
    return tf.where(present, rising, tf.int32.max)
