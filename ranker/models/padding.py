"""From ragged lists to the padded tensors of `ranker.data.layout`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from ranker.data.layout import Layout

__all__ = ["canonical_length", "pad_lists"]

_SMALLEST_LENGTH = 16
_LENGTHS = [_SMALLEST_LENGTH << step for step in range(17)]  # up to a million documents


def canonical_length(longest: tf.Tensor) -> tf.Tensor:
    """The padded length of the canonical call: the first of 16, 32, 64, ... that holds `longest` documents.

    Args:
        longest: int64 scalar.
    """
    lengths = tf.constant(_LENGTHS, tf.int64)
    return tf.reduce_min(tf.boolean_mask(lengths, lengths >= longest))


def pad_lists(ragged: Mapping[str, Any], layout: Layout, length: tf.Tensor | None = None) -> tuple[dict[str, Any], Any]:
    """Pad lists with zeros.

    Args:
        ragged: `dense` float32 `[batch, (list), F]`, ids int64 `[batch, (list), (ids)]` (documents) and
            `[batch, (ids)]` (queries).
        layout: names of the tensors.
        length: int64 scalar, at least the longest list; default: the longest list.

    Returns:
        the padded tensors, and the mask bool `[batch, list]`.
    """
    lengths = ragged["dense"].row_lengths()
    length = tf.reduce_max(lengths) if length is None else length
    features = {"dense": _pad(ragged["dense"], length, len(layout.dense))}
    for feature in layout.ids:
        values = ragged[feature.name]
        width = None if feature.multivalued else 1
        if feature.scope == "query":
            features[feature.name] = values.to_tensor(shape=[None, width])
        else:
            features[feature.name] = _pad(values, length, width)
    return features, tf.sequence_mask(lengths, length)


def _pad(values: tf.RaggedTensor, length: tf.Tensor, width: int | None) -> tf.Tensor:
    """`[batch, (list), width]` to `[batch, length, width]`; width None: the longest."""
    padded = values.to_tensor(shape=[None, None, width])
    lacking = length - tf.shape(padded, tf.int64)[1]
    return tf.pad(padded, [[0, 0], [0, lacking], [0, 0]])
