"""Categorical features, of one value or many: ids from a vocabulary of the training lists or a hash, or columns."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from features.bag import bag_of_ids
from features.lists import Lists
from features.rows import ragged_of, rows_of
from ranker.spec import Categorical

__all__ = ["category_ids", "distinct_values", "one_hot_columns", "transform_categorical", "vocabulary_name"]


def vocabulary_name(spec: Categorical) -> str:
    """Name of the vocabulary's file among the transform graph's assets."""
    return f"vocabulary_{spec.name}"


def transform_categorical(spec: Categorical, values: tf.Tensor) -> tf.Tensor:
    """Ids by falling frequency, then `oov` hashed buckets for other values; or hashed buckets for all.

    Args:
        spec: sizes.
        values: string `[values]`; "" is missing.

    Returns:
        int64 `[values]`, from 1; 0 is missing.
    """
    if spec.hash is not None:
        ids = tf.strings.to_hash_bucket_fast(values, spec.hash)
    else:
        ids = tft.compute_and_apply_vocabulary(
            values,
            top_k=spec.vocabulary.top_k,
            frequency_threshold=spec.vocabulary.min_count if spec.vocabulary.min_count > 1 else None,
            num_oov_buckets=spec.vocabulary.oov,
            vocab_filename=vocabulary_name(spec),
        )
    return tf.where(tf.equal(values, ""), tf.zeros_like(ids), ids + 1)


def distinct_values(values: tf.RaggedTensor) -> tf.RaggedTensor:
    """Each value of a row once, where it comes first; string `[rows, (values)]`."""
    known, which = tf.unique(values.values, tf.int64)
    many = tf.maximum(tf.size(known, tf.int64), 1)
    keys, _ = tf.unique(rows_of(values) * many + which)
    return ragged_of(tf.gather(known, keys % many), keys // many, values.nrows())


def category_ids(spec: Categorical, lists: Lists) -> tf.RaggedTensor:
    """int64 `[lists or documents, (ids)]`: one id each (0 is missing), or if `multivalued` one per distinct value."""
    values = lists.raw(spec.name)
    if spec.multivalued:
        distinct = lists.once(("distinct values", spec.name), lambda: distinct_values(values))
        return distinct.with_values(transform_categorical(spec, distinct.values))
    ids = transform_categorical(spec, values)
    # Not from_uniform_row_length: TensorFlow Transform cannot prune a graph with its shape tensors.
    return tf.RaggedTensor.from_row_splits(ids, tf.range(tf.size(ids, tf.int64) + 1), validate=False)


def one_hot_columns(specs: Sequence[Categorical], lists: Lists) -> tf.Tensor:
    """float32 `[documents, columns]`: a column for each id from 1, 1 where a document has it; feature by feature."""

    def columns(spec: Categorical) -> tf.Tensor:
        if spec.multivalued:  # two values may share an id
            return tf.minimum(bag_of_ids(category_ids(spec, lists), spec.most_ids), 1)
        return tf.one_hot(transform_categorical(spec, lists.raw(spec.name)) - 1, spec.most_ids)

    return tf.concat([lists.per_document(spec.name, columns(spec)) for spec in specs], axis=1)
