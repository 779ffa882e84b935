"""Metrics of ranks that are smooth in the scores, with and without noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ranker.models.losses.dcg import Gains, discounts, gain_function, ideal_dcg
from ranker.models.losses.judged_lists import JudgedLists, ListLoss
from ranker.spec.losses import ApproxMrr, ApproxNdcg, GumbelApproxNdcg

__all__ = ["approx_mrr", "approx_ndcg", "gumbel_approx_ndcg", "smooth_ranks"]


def approx_mrr(spec: ApproxMrr, largest_label: float) -> ListLoss:
    """1 - the mean of 1 / rank by label, with the ranks of `smooth_ranks`.

    Qin, Liu and Li, A general approximation framework, Information Retrieval 2010. With one relevant document it is
    1 - its reciprocal rank. A list counts as in `approx_ndcg`.
    """
    del largest_label

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        reciprocal = tf.reduce_sum(lists.labels / smooth_ranks(lists, spec.temperature), axis=-1)
        mean = tf.math.divide_no_nan(reciprocal, tf.reduce_sum(lists.labels, axis=-1))
        weights = lists.mean_weights(lists.labels)
        return weights * (1 - mean), weights

    return loss


def approx_ndcg(spec: ApproxNdcg, largest_label: float) -> ListLoss:
    """1 - ApproxNDCG (Qin, Liu and Li, A general approximation framework, Information Retrieval 2010).

    NDCG with the ranks of `smooth_ranks` for those of the sorted scores: 1 - sum_i gain_i / log2(1 + rank_i) / ideal.
    A list counts the mean weight of its documents by label, as in TensorFlow Ranking, whose loss is this one less 1;
    one without a relevant document counts nothing.
    """
    gains = gain_function(spec.gain, largest_label)

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        weights = lists.mean_weights(lists.labels)
        return weights * _one_minus_ndcg(lists, gains, spec.temperature), weights

    return loss


def gumbel_approx_ndcg(spec: GumbelApproxNdcg, largest_label: float) -> ListLoss:
    """The mean of 1 - ApproxNDCG over samples of scores + noise * Gumbel(0, 1) (Bruch et al., WSDM 2020).

    Each sample is an order drawn from the Plackett-Luce model of scores / noise. The samples are taken one after the
    other, value and gradient together, so that memory is that of one. TensorFlow Ranking divides scores and
    noise by its `gumbel_temperature`; with 1, and `noise` 1 here, both are the same.

    The noise is that of `tf.random.stateless_uniform`, by seed and shape of the batch; XLA draws other numbers than
    TensorFlow does without it.
    """
    gains = gain_function(spec.gain, largest_label)

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        if seed is None:
            raise ValueError("gumbel_approx_ndcg draws noise and needs a seed: expected int32 [2], got None")

        def sample(number: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
            noise = spec.noise * _gumbel(tf.shape(scores), tf.random.fold_in(seed, number))
            return _one_minus_ndcg(lists.with_scores(scores + noise), gains, spec.temperature)

        weights = lists.mean_weights(lists.labels)
        return weights * _mean_over_samples(sample, spec.samples, lists.scores), weights

    return loss


def smooth_ranks(lists: JudgedLists, temperature: float) -> tf.Tensor:
    """1 + sum over j != i of sigmoid((s_j - s_i) / temperature), float32 `[batch, list]`; any where no document is.

    The columns of padding stand infinitely far below. One `[batch, list, list]` tensor is kept for the gradient.
    """
    scores = lists.scores / temperature
    beats = tf.sigmoid(tf.where(lists.mask, scores, -np.inf)[:, tf.newaxis, :] - scores[:, :, tf.newaxis])
    return 0.5 + tf.reduce_sum(beats, axis=-1)  # j = i adds sigmoid(0) = 0.5


def _one_minus_ndcg(lists: JudgedLists, gains: Gains, temperature: float) -> tf.Tensor:
    gain = gains(lists.labels)
    dcg = tf.reduce_sum(gain * discounts(smooth_ranks(lists, temperature)), axis=-1)
    return 1 - tf.math.divide_no_nan(dcg, ideal_dcg(gain))


def _mean_over_samples(sample: Any, samples: int, scores: tf.Tensor) -> tf.Tensor:
    """The mean of `sample(number, scores)`, `[batch]`, each of whose elements depends on its own list alone."""

    @tf.custom_gradient
    def mean(scores: tf.Tensor) -> Any:
        def add(number: tf.Tensor, total: tf.Tensor, slope: tf.Tensor) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(scores)
                value = sample(number, scores)
            return number + 1, total + value, slope + tape.gradient(value, scores)

        start = (tf.constant(0), tf.zeros(tf.shape(scores)[:1]), tf.zeros_like(scores))
        limit = {"maximum_iterations": samples, "parallel_iterations": 1}
        _, total, slope = tf.while_loop(lambda *_: True, add, start, **limit)
        return total / samples, lambda upstream: upstream[:, tf.newaxis] * slope / samples

    return mean(scores)


def _gumbel(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    uniform = tf.random.stateless_uniform(shape, seed, minval=np.finfo(np.float32).tiny)
    return -tf.math.log(-tf.math.log(uniform))
