"""From the spec's section to a loss of batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from ranker.models.losses.judged_lists import JudgedLists, ListLoss, judged_lists
from ranker.models.losses.pairwise import lambda_loss, pairwise_hinge, pairwise_logistic
from ranker.models.losses.pointwise import mean_squared, sigmoid_cross_entropy
from ranker.models.losses.smooth_ranks import approx_mrr, approx_ndcg, gumbel_approx_ndcg
from ranker.models.losses.softmax import list_mle, softmax, unique_softmax
from ranker.spec.losses import Loss, OneLoss

__all__ = ["LOSSES", "LossFunction", "make_loss"]


class LossFunction(Protocol):
    """The loss of a batch of padded lists, `total / weight`; of several batches, sum of totals / sum of weights.

    What stands in padding, and how much of it there is, does not matter (but for which random numbers are drawn).
    """

    def __call__(
        self, labels: Any, scores: Any, mask: Any, weights: Any = None, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss.

        Args:
            labels: numbers `[batch, list]`, >= 0.
            scores: numbers `[batch, list]`, float16 and bfloat16 too; computed in float32.
            mask: bool `[batch, list]`, True for documents.
            weights: numbers `[batch, list]`, of documents, or `[batch, 1]`, of lists; >= 0. Default: 1.
            seed: int32 `[2]`, for losses with noise; replicas of one step need different ones.

        Returns:
            total and weight, float32 scalars; both 0 if nothing can be learnt from the batch. A list of weight 0 is
            as if it were not there.

        Raises:
            ValueError: a tensor has another shape or dtype, or a loss with noise has no seed.
            tf.errors.InvalidArgumentError: when the graph runs, a tensor has another shape.
        """


LOSSES: Mapping[str, Callable[[Any, float], ListLoss]] = {
    "approx_mrr": approx_mrr,
    "approx_ndcg": approx_ndcg,
    "gumbel_approx_ndcg": gumbel_approx_ndcg,
    "lambda_loss": lambda_loss,
    "list_mle": list_mle,
    "mean_squared": mean_squared,
    "pairwise_hinge": pairwise_hinge,
    "pairwise_logistic": pairwise_logistic,
    "sigmoid_cross_entropy": sigmoid_cross_entropy,
    "softmax": softmax,
    "unique_softmax": unique_softmax,
}


def make_loss(spec: Loss, largest_label: float) -> LossFunction:
    """The loss that a spec names.

    Args:
        spec: its section, or those of a sum.
        largest_label: of the training data; a gain that the spec leaves open is 2^label - 1 up to 10, else the label.
    """
    parts = list(spec) if isinstance(spec, list) else [spec]
    of_lists = _weighted_sum(parts, [LOSSES[part.kind](part, largest_label) for part in parts])

    def loss(
        labels: Any, scores: Any, mask: Any, weights: Any = None, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        totals, list_weights = of_lists(judged_lists(labels, scores, mask, weights), seed)
        return tf.reduce_sum(totals), tf.reduce_sum(list_weights)

    return loss


def _weighted_sum(parts: Sequence[OneLoss], losses: Sequence[ListLoss]) -> ListLoss:
    """The parts' losses times their weights, added list by list; a list counts the mean of what it counts in the parts.

    Where a list counts in all parts, as one with relevant and other documents does, that is the sum of the losses.
    """
    if len(losses) == 1:
        return losses[0]

    def loss(lists: JudgedLists, seed: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        totals = list_weights = tf.zeros(tf.shape(lists.scores)[:1])
        for number, (part, of_lists) in enumerate(zip(parts, losses, strict=True)):
            own_seed = None if seed is None else tf.random.fold_in(seed, number)
            more, weights = of_lists(lists, own_seed)
            totals, list_weights = totals + part.weight * more, list_weights + part.weight * weights
        return totals, list_weights / sum(part.weight for part in parts)

    return loss
