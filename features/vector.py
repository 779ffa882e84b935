"""Vectors of numbers in one column."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from features.lists import Lists
from features.listwise import zscores_in_list
from features.numeric import transform_numeric
from ranker.spec import Numeric, Vector

__all__ = ["vector_columns"]


def vector_columns(specs: Sequence[Vector], lists: Lists) -> tf.Tensor:
    """float32 `[documents, columns]`: the numbers of each vector, then their z-scores in the list where wanted."""
    parts = []
    for spec in specs:
        values = tf.ensure_shape(lists.document[spec.name], [None, spec.width])
        number = Numeric(name=spec.name, kind="numeric", transform=list(spec.transform))
        parts.append(transform_numeric([number] * values.shape[1], values))
        if spec.zscore_in_list:
            parts.append(tf.cast(zscores_in_list(values, lists), tf.float32))
    return tf.concat(parts, axis=1)
