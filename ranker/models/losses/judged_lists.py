"""What every loss computes on: padded lists, checked once and cleaned once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

__all__ = ["JudgedLists", "ListLoss", "judged_lists"]


@dataclass(frozen=True)
class JudgedLists:
    """Padded lists, ready for arithmetic: whatever stood where no document is, NaN too, is 0 now.

    Attributes:
        labels: float32 `[batch, list]`.
        scores: float32 `[batch, list]`.
        mask: bool `[batch, list]`, True for documents.
        weights: float32 `[batch, list]`, of documents; 1 where none were given.
    """

    labels: tf.Tensor
    scores: tf.Tensor
    mask: tf.Tensor
    weights: tf.Tensor

    def with_scores(self, scores: tf.Tensor) -> JudgedLists:
        """The same lists with other scores, float32 `[batch, list]`."""
        return replace(self, scores=tf.where(self.mask, scores, 0.0))

    def mean_weights(self, importance: tf.Tensor) -> tf.Tensor:
        """The mean of a list's weights, float32 `[batch]`, by an importance of documents float32 `[batch, list]`, >= 0.

        0 where no document has importance, so that a list of which nothing can be learnt is not there.
        """
        weighted = tf.reduce_sum(importance * self.weights, axis=-1)
        return tf.math.divide_no_nan(weighted, tf.reduce_sum(importance, axis=-1))


ListLoss = Callable[[JudgedLists, tf.Tensor | None], tuple[tf.Tensor, tf.Tensor]]
"""`(lists, seed) -> (totals, weights)`, both float32 `[batch]`: what each list adds to `ranker.models.losses.Loss`."""


def judged_lists(labels: Any, scores: Any, mask: Any, weights: Any = None) -> JudgedLists:
    """Check shapes, and cast to float32.

    What is known of the shapes is checked now; the rest by assertions in the graph, which XLA leaves out.

    Args:
        labels: numbers `[batch, list]`, >= 0.
        scores: numbers `[batch, list]`, float16 and bfloat16 too.
        mask: bool `[batch, list]`, True for documents.
        weights: numbers `[batch, list]`, of documents, or `[batch, 1]`, of lists; >= 0. Default: 1.

    Raises:
        ValueError: a tensor has another shape, or the mask is not bool.
        tf.errors.InvalidArgumentError: when the graph runs, a tensor has another shape.
    """
    labels, scores, mask = (tf.convert_to_tensor(tensor) for tensor in (labels, scores, mask))
    if mask.dtype != tf.bool:
        raise ValueError(f"mask: expected bool, True for documents, got {mask.dtype.name}")
    _refuse("scores", scores.shape, "[batch, list]", [tf.TensorShape([None, None])])
    scores = tf.ensure_shape(scores, [None, None])
    labels = _checked("labels", labels, scores)
    mask = _checked("mask", mask, scores)
    weights = tf.ones_like(scores) if weights is None else _checked_weights(tf.convert_to_tensor(weights), scores)
    labels, scores, weights = (tf.where(mask, tf.cast(tensor, tf.float32), 0.0) for tensor in (labels, scores, weights))
    return JudgedLists(labels, scores, mask, weights)


def _checked(name: str, tensor: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    expected = "the shape of the scores, [batch, list]"
    _refuse(name, tensor.shape, expected, [scores.shape])
    tensor = tf.ensure_shape(tensor, [None, None])
    right = tf.debugging.assert_equal(tf.shape(tensor), tf.shape(scores), f"{name}: expected {expected}")
    with tf.control_dependencies([right]):
        return tf.identity(tensor)


def _checked_weights(weights: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    expected = "[batch, list], of documents, or [batch, 1], of lists"
    _refuse("weights", weights.shape, expected, [scores.shape, tf.TensorShape([scores.shape[0], 1])])
    weights = tf.ensure_shape(weights, [None, None])
    shape, whole = tf.shape(weights), tf.shape(scores)
    right = tf.reduce_all((shape == whole) | (shape == [whole[0], 1]))
    message = f"weights: expected {expected}; theirs and the scores' shape:"
    with tf.control_dependencies([tf.debugging.Assert(right, [message, shape, whole])]):
        return tf.identity(weights)


def _refuse(name: str, shape: tf.TensorShape, expected: str, fit: list[tf.TensorShape]) -> None:
    if not any(shape.is_compatible_with(one) for one in fit):
        shapes = " or ".join(str(one.as_list()) for one in fit)
        raise ValueError(f"{name}: expected {expected}, here {shapes}; got {shape.as_list()}")
