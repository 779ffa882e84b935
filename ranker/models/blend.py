"""The blend of members into one score."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

__all__ = ["Blend"]


class Blend(tf.Module):
    """Weighted sum of member scores.

    Args:
        weights: factor per member name; members not named do not count.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self._names = list(weights)
        self._weights = [tf.constant(weights[name], tf.float32) for name in self._names]

    def __call__(self, scores: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """float32 `[batch, list]` from one such tensor per member."""
        return tf.add_n([weight * scores[name] for name, weight in zip(self._names, self._weights, strict=True)])
