"""Categorical features: ids from a vocabulary of the training lists."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from ranker.spec import Categorical

__all__ = ["transform_categorical", "vocabulary_name"]


def vocabulary_name(spec: Categorical) -> str:
    """Name of the vocabulary's file among the transform graph's assets."""
    return f"vocabulary_{spec.name}"


def transform_categorical(spec: Categorical, values: tf.Tensor) -> tf.Tensor:
    """Ids by falling frequency, then `oov` hashed buckets for other values.

    Args:
        spec: size of the vocabulary.
        values: string `[values]`; "" is missing.

    Returns:
        int64 `[values]`, from 1; 0 is missing.
    """
    ids = tft.compute_and_apply_vocabulary(
        values,
        top_k=spec.vocabulary.top_k,
        num_oov_buckets=spec.vocabulary.oov,
        vocab_filename=vocabulary_name(spec),
    )
    return tf.where(tf.equal(values, ""), tf.zeros_like(ids), ids + 1)
