"""Losses of single documents; a list counts alike whatever their number."""

from __future__ import annotations

import tensorflow as tf

from ranker.models.losses.judged_lists import JudgedLists, ListLoss
from ranker.spec.losses import MeanSquared, SigmoidCrossEntropy

__all__ = ["mean_squared", "sigmoid_cross_entropy"]


def sigmoid_cross_entropy(spec: SigmoidCrossEntropy, largest_label: float) -> ListLoss:
    """The mean over the documents of a list of -log sigmoid(s / temperature) if relevant, else -log sigmoid(-s / ...).

    A document with a label above 0 is relevant. TensorFlow Ranking takes the label itself for a probability, which is
    the same for labels 0 and 1 only.
    """
    del largest_label

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        relevant = tf.cast(lists.labels > 0, tf.float32)
        return _means(lists, tf.nn.sigmoid_cross_entropy_with_logits(relevant, lists.scores / spec.temperature))

    return loss


def mean_squared(spec: MeanSquared, largest_label: float) -> ListLoss:
    """The mean over the documents of a list of (score - label)^2."""
    del spec, largest_label

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        return _means(lists, tf.math.squared_difference(lists.scores, lists.labels))

    return loss


def _means(lists: JudgedLists, losses: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A document has its weight, a list the mean of these; TensorFlow Ranking divides by the padded list size."""
    documents = tf.cast(lists.mask, tf.float32)
    weighted = tf.reduce_sum(lists.weights * losses, axis=-1)
    return tf.math.divide_no_nan(weighted, tf.reduce_sum(documents, axis=-1)), lists.mean_weights(documents)
