"""Losses of pairs of documents of a list, the first with the higher label; a list counts alike, however many it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ranker.models.losses.dcg import discounts, gain_function, ideal_dcg
from ranker.models.losses.judged_lists import JudgedLists, ListLoss
from ranker.spec.losses import LambdaLoss, PairwiseHinge, PairwiseLogistic

__all__ = ["lambda_loss", "pairwise_hinge", "pairwise_logistic"]


def pairwise_hinge(spec: PairwiseHinge, largest_label: float) -> ListLoss:
    """The mean over the pairs of a list with label_i > label_j of max(0, 1 - (s_i - s_j) / temperature).

    The ranking SVM's (Joachims, KDD 2002). Weights of pairs and lists are those of `pairwise_logistic`.
    """
    del largest_label

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        preferred, scores = _preferred(lists), lists.scores / spec.temperature
        hinges = preferred * tf.nn.relu(1 + (scores[:, tf.newaxis, :] - scores[:, :, tf.newaxis]))
        of_lists = tf.reduce_sum(lists.weights * tf.reduce_sum(hinges, axis=-1), axis=-1)
        pairs = tf.reduce_sum(preferred, axis=-1)
        return tf.math.divide_no_nan(of_lists, tf.reduce_sum(pairs, axis=-1)), lists.mean_weights(pairs)

    return loss


def pairwise_logistic(spec: PairwiseLogistic, largest_label: float) -> ListLoss:
    """The mean over the pairs of a list with label_i > label_j of log(1 + exp(-(s_i - s_j) / temperature)).

    RankNet (Burges et al., ICML 2005). A pair has the weight of document i, as in TensorFlow Ranking; a list counts the
    mean weight of its pairs, whatever their number, and nothing if it has none. TensorFlow Ranking divides the sum
    over a list's pairs by the padded list size instead, so that long lists count more and padding makes all count less.
    """
    del largest_label

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        preferred = _preferred(lists)
        pairs = tf.reduce_sum(preferred, axis=-1)
        of_lists = _logistic(lists.scores / spec.temperature, preferred * lists.weights[:, :, tf.newaxis])
        return tf.math.divide_no_nan(of_lists, tf.reduce_sum(pairs, axis=-1)), lists.mean_weights(pairs)

    return loss


def lambda_loss(spec: LambdaLoss, largest_label: float) -> ListLoss:
    """The sum over the pairs of a list with label_i > label_j of w_ij log(1 + exp(-(s_i - s_j) / temperature)).

    LambdaLoss (Wang et al., CIKM 2018): w_ij = |gain_i - gain_j| / ideal DCG@k * d_ij, with ranks r of the sorted
    scores (ties in the order of the list), D(r) = 1 / log2(1 + r), and no gradient through w_ij.

    - `ndcg`: d_ij = smooth_fraction * |D(r_i) - D(r_j)| + (1 - smooth_fraction) * u(|r_i - r_j|), where
      u(n) = D(n) - D(n + 1); D(r) = 0 for r > k, and u = 0 where both are. The first is how much NDCG the pair's swap
      changes, as in LambdaMART; the second NDCG-Loss2 of the paper.
    - `ndcg_v2`: d_ij = u(|r_i - r_j|), times 1 / (1 - D(max(r_i, r_j))) where that rank is above k (Jagerman et al.,
      SIGIR 2022).

    A pair has the weight of document i; a list counts the mean weight of its pairs with w_ij = 1, and nothing if it has
    none. These are TensorFlow Ranking's `NDCGLambdaWeight(k, smooth_fraction=...)` and `NDCGLambdaWeightV2(k)`
    with its Keras `PairwiseLogisticLoss`: it multiplies by the list size and divides by it, and a list counts 1.
    """
    gains = gain_function(spec.gain, largest_label)

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        lists = _sorted_by_score(lists)
        gain = gains(lists.labels)
        gain = tf.math.divide_no_nan(gain, ideal_dcg(gain, spec.k)[:, tf.newaxis])
        gained = tf.nn.relu(gain[:, :, tf.newaxis] - tf.where(lists.mask, gain, np.inf)[:, tf.newaxis, :])
        pair_weights = gained * _discount_changes(spec, tf.shape(gain)[1]) * lists.weights[:, :, tf.newaxis]
        of_lists = _logistic(lists.scores / spec.temperature, pair_weights)
        return of_lists, lists.mean_weights(tf.reduce_sum(_preferred(lists), axis=-1))

    return loss


def _preferred(lists: JudgedLists) -> tf.Tensor:
    """1 where document i has a higher label than document j, else 0; float32 `[batch, i, j]`."""
    better = tf.where(lists.mask, lists.labels, -np.inf)[:, :, tf.newaxis]
    return tf.cast(better > tf.where(lists.mask, lists.labels, np.inf)[:, tf.newaxis, :], tf.float32)


@tf.custom_gradient
def _logistic(scores: tf.Tensor, pair_weights: tf.Tensor) -> Any:
    """sum_ij w_ij log(1 + exp(-(s_i - s_j))), float32 `[batch]`; no gradient through the weights `[batch, i, j]`.

    The gradient is taken on the way, from the same sigmoids: half the time of automatic differentiation, and no
    `[batch, list, list]` tensor waits for the way back.
    """
    behind = scores[:, tf.newaxis, :] - scores[:, :, tf.newaxis]
    wrong = tf.sigmoid(behind)
    losses = tf.nn.relu(behind) - tf.math.log(tf.maximum(wrong, 1 - wrong))
    pushes = pair_weights * wrong
    slope = tf.reduce_sum(pushes, axis=1) - tf.reduce_sum(pushes, axis=2)
    return tf.reduce_sum(pair_weights * losses, axis=[1, 2]), lambda upstream: (upstream[:, tf.newaxis] * slope, None)


def _sorted_by_score(lists: JudgedLists) -> JudgedLists:
    """Highest score first, ties as they stand, padding last: a document's rank is its place, the same in all lists."""
    order = tf.argsort(tf.where(lists.mask, lists.scores, -np.inf), direction="DESCENDING", stable=True)
    fields = (lists.labels, lists.scores, lists.mask, lists.weights)
    return JudgedLists(*(tf.gather(field, order, batch_dims=1) for field in fields))


def _discount_changes(spec: LambdaLoss, length: tf.Tensor) -> tf.Tensor:
    """d_ij of `lambda_loss` for the ranks 1 to length, float32 `[length, length]`."""
    ranks = tf.range(1, length + 1)
    deeper = tf.maximum(ranks[:, tf.newaxis], ranks)
    distances = tf.cast(tf.abs(ranks[:, tf.newaxis] - ranks), tf.float32)
    near = tf.maximum(distances, 1)
    by_distance = tf.where(distances > 0, discounts(near) - discounts(near + 1), 0.0)
    k = length if spec.k is None else spec.k
    if spec.lambda_weight == "ndcg_v2":
        beyond = 1 / (1 - discounts(tf.cast(tf.maximum(deeper, 2), tf.float32)))
        return by_distance * tf.where(deeper > k, beyond, 1.0)
    discount = tf.where(ranks > k, 0.0, discounts(tf.cast(ranks, tf.float32)))
    by_swap = tf.abs(discount[:, tf.newaxis] - discount)
    share = 1.0 if spec.smooth_fraction is None else spec.smooth_fraction
    either = tf.minimum(ranks[:, tf.newaxis], ranks) <= k
    return share * by_swap + (1 - share) * tf.where(either, by_distance, 0.0)
