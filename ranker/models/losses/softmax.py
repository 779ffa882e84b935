"""Cross-entropies of softmaxes over the list, or those parts of it that a document competes with."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ranker.models.losses.dcg import gain_function
from ranker.models.losses.judged_lists import JudgedLists, ListLoss
from ranker.spec.losses import ListMle, Softmax, UniqueSoftmax

__all__ = ["list_mle", "softmax", "unique_softmax"]

_LOWEST = tf.float32.min


def softmax(spec: Softmax, largest_label: float) -> ListLoss:
    """- sum_i p_i log q_i, with p_i = gain_i / sum_j gain_j and q = softmax(scores / temperature).

    The top-one cross-entropy of ListNet (Cao et al., ICML 2007) with shares of gain for probabilities (Bruch et al.,
    ICTIR 2019 and WWW 2021). A document's weight multiplies its term, so a list counts the mean of its weights by gain,
    and one without a gain nothing. TensorFlow Ranking takes labels for gains and lets a list count the sum of its
    weighted labels: with gain linear ours is its loss of each list, which then count alike.

    exp2 is the default because it is better where lists count alike: NDCG@10 on LightGBM's example data, by 5-fold
    cross-validation, is 0.022 [0.012, 0.031] above that of linear for a linear scorer, 0.017 [0.004, 0.031] for a small
    network, and as good as where lists count the sum of their labels.
    """
    gains = gain_function(spec.gain, largest_label)

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        gain = gains(lists.labels)
        terms = -lists.weights * gain * tf.nn.log_softmax(_below_the_best(lists, spec.temperature))
        of_lists = tf.reduce_sum(terms, axis=-1)
        return tf.math.divide_no_nan(of_lists, tf.reduce_sum(gain, axis=-1)), lists.mean_weights(gain)

    return loss


def unique_softmax(spec: UniqueSoftmax, largest_label: float) -> ListLoss:
    """- sum_i p_i log q_i, with p_i = gain_i / sum_j gain_j, q_i the softmax over i and the documents of lower labels.

    Zhu and Klabjan (WSDM 2020); q_i is of scores / temperature. Weights are those of `softmax`, also next to TensorFlow
    Ranking's, where a list counts the sum of its gains.
    """
    gains = gain_function(spec.gain, largest_label)

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        del seed
        gain, scores = gains(lists.labels), _below_the_best(lists, spec.temperature)
        lower = lists.labels[:, :, tf.newaxis] > tf.where(lists.mask, lists.labels, np.inf)[:, tf.newaxis, :]
        ahead = tf.where(lower, scores[:, tf.newaxis, :] - scores[:, :, tf.newaxis], _LOWEST)
        terms = lists.weights * gain * tf.nn.softplus(tf.reduce_logsumexp(ahead, axis=-1))
        of_lists = tf.reduce_sum(terms, axis=-1)
        return tf.math.divide_no_nan(of_lists, tf.reduce_sum(gain, axis=-1)), lists.mean_weights(gain)

    return loss


def list_mle(spec: ListMle, largest_label: float) -> ListLoss:
    """- log of the probability of the order of the labels by the Plackett-Luce model of scores / temperature.

    ListMLE (Xia et al., ICML 2008): sum_r log sum_{t >= r} exp(s_t) - s_r over the ranks r by label. Ties are in a
    random order, another in each step, drawn as the noise of `gumbel_approx_ndcg`. A list counts the mean weight of its
    documents by label, and nothing if all its labels are equal; TensorFlow Ranking counts such lists too.
    """
    del largest_label

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        if seed is None:
            raise ValueError("list_mle draws the order of ties and needs a seed: expected int32 [2], got None")
        scores = _in_order_of_labels(lists, _below_the_best(lists, spec.temperature), seed)
        rest = tf.math.cumulative_logsumexp(scores, axis=-1, reverse=True)
        losses = tf.reduce_sum(tf.where(scores > _LOWEST, rest - scores, 0.0), axis=-1)
        lowest = tf.reduce_min(tf.where(lists.mask, lists.labels, np.inf), axis=-1)
        differ = tf.reduce_max(lists.labels, axis=-1) > lowest
        weights = tf.where(differ, lists.mean_weights(lists.labels), 0.0)
        return weights * losses, weights

    return loss


def _below_the_best(lists: JudgedLists, temperature: float) -> tf.Tensor:
    """Scores / temperature less the list's highest, float32 `[batch, list]`; the lowest float where no document is."""
    best = tf.reduce_max(tf.where(lists.mask, lists.scores, _LOWEST), axis=-1, keepdims=True)
    return tf.where(lists.mask, (lists.scores - tf.stop_gradient(best)) / temperature, _LOWEST)


def _in_order_of_labels(lists: JudgedLists, scores: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Highest label first, ties in a random order, padding last."""
    shuffled = tf.argsort(tf.random.stateless_uniform(tf.shape(scores), seed))
    labels = tf.gather(tf.where(lists.mask, lists.labels, -np.inf), shuffled, batch_dims=1)
    order = tf.argsort(labels, direction="DESCENDING", stable=True)
    return tf.gather(scores, tf.gather(shuffled, order, batch_dims=1), batch_dims=1)
