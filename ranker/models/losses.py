"""Losses over lists, all taking a mask; lists without a relevant document count for nothing."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["approx_ndcg"]


def approx_ndcg(
    labels: tf.Tensor, scores: tf.Tensor, mask: tf.Tensor, temperature: float, weights: tf.Tensor | None = None
) -> tf.Tensor:
    """1 - ApproxNDCG (Qin, Liu and Li, A general approximation framework, 2010), mean over lists with relevance.

    The rank of document i is smoothed to 1 + sum over j != i of sigmoid((s_j - s_i) / temperature); gain is 2^label - 1
    and discount 1 / log2(1 + rank).

    Args:
        labels: float32 `[batch, list]`, >= 0 where the mask is True.
        scores: float32 `[batch, list]`.
        mask: bool `[batch, list]`.
        temperature: of the sigmoid; small is closer to NDCG and harder to descend.
        weights: float32 `[batch, list]`, >= 0, of documents. A list has the mean weight of its documents by label, as
            in TF-Ranking (`normalize_weights` of its listwise losses), and the mean over lists is by these.

    Returns:
        float32 scalar in [0, 1]; 0 if no list has a relevant document, or all that do have weight 0.
    """
    labels = tf.where(mask, labels, 0)
    largest = tf.reduce_max(labels, axis=-1, keepdims=True)
    gains = 2.0 ** (labels - largest) - 2.0**-largest  # times 2^-largest: the ratio is the same, and nothing overflows
    difference = (scores[:, tf.newaxis, :] - scores[:, :, tf.newaxis]) / temperature  # [batch, i, j]
    beats = tf.where(mask[:, tf.newaxis, :], tf.sigmoid(difference), 0)
    ranks = 0.5 + tf.reduce_sum(beats, axis=-1)  # j = i adds sigmoid(0) = 0.5
    ranks = tf.where(mask, ranks, 1)
    dcg = tf.reduce_sum(gains / _log2(1 + ranks), axis=-1)
    places = tf.range(1, tf.shape(labels)[1] + 1, dtype=tf.float32)
    ideal = tf.reduce_sum(tf.sort(gains, direction="DESCENDING") / _log2(1 + places), axis=-1)
    relevant = tf.cast(ideal > 0, tf.float32)
    losses = relevant - tf.math.divide_no_nan(dcg, ideal)
    if weights is not None:
        by_label = tf.reduce_sum(tf.where(mask, weights, 0) * labels, axis=-1)
        of_list = tf.math.divide_no_nan(by_label, tf.reduce_sum(labels, axis=-1))
        losses, relevant = losses * of_list, relevant * of_list
    return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.reduce_sum(relevant))


def _log2(x: tf.Tensor) -> tf.Tensor:
    return tf.math.log(x) / tf.math.log(2.0)
