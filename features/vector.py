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
    """float32 `[documents, columns]`: the numbers of each vector, then their z-scores in the list where wanted.

    All vectors stand side by side, so that one analyzer serves all.
    """
    widths = [spec.width or 0 for spec in specs]
    raw = [lists.per_document(spec.name) for spec in specs]
    values = tf.concat([tf.ensure_shape(of, [None, width]) for of, width in zip(raw, widths, strict=True)], axis=1)
    steps = [Numeric(name=spec.name, kind="numeric", transform=list(spec.transform)) for spec in specs]
    repeated = [step for step, width in zip(steps, widths, strict=True) for _ in range(width)]
    parts = [[part] for part in tf.split(transform_numeric(repeated, values), widths, axis=1)]
    for spec, vector, columns in zip(specs, raw, parts, strict=True):
        if spec.zscore_in_list:
            columns.append(tf.cast(zscores_in_list(vector, lists), tf.float32))
    return tf.concat([column for columns in parts for column in columns], axis=1)
