"""One dense feature as the score: the reference that every model has to beat."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from ranker.data.layout import Layout
from ranker.spec import SingleFeature

__all__ = ["SingleFeatureScorer"]


class SingleFeatureScorer(tf.Module):
    """The feature as it leaves the transform graph."""

    def __init__(self, spec: SingleFeature, layout: Layout) -> None:
        super().__init__()
        self._at = layout.dense.index(spec.feature)

    def __call__(self, features: Mapping[str, tf.Tensor], mask: tf.Tensor) -> tf.Tensor:  # noqa: ARG002 - a scorer
        """float32 `[batch, list]`."""
        return features["dense"][..., self._at]
