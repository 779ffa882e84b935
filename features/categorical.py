"""Categorical features: ids from a vocabulary of the training lists or from a hash, and ids as columns."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from features.lists import Lists
from ranker.spec import Categorical

__all__ = ["category_ids", "one_hot_columns", "transform_categorical", "vocabulary_name"]


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


def category_ids(spec: Categorical, lists: Lists) -> tf.RaggedTensor:
    """int64 `[lists or documents, (ids)]`, one id each."""
    ids = transform_categorical(spec, lists.raw(spec.name))
    # Not from_uniform_row_length: TensorFlow Transform cannot prune a graph with its shape tensors.
    return tf.RaggedTensor.from_row_splits(ids, tf.range(tf.size(ids, tf.int64) + 1), validate=False)


def one_hot_columns(specs: Sequence[Categorical], lists: Lists) -> tf.Tensor:
    """float32 `[documents, columns]`: a column for each id from 1, 1 where a document has it; feature by feature."""
    ids = [lists.per_document(spec.name, transform_categorical(spec, lists.raw(spec.name))) for spec in specs]
    columns = [tf.one_hot(of - 1, spec.most_ids) for spec, of in zip(specs, ids, strict=True)]
    return tf.concat(columns, axis=1)
