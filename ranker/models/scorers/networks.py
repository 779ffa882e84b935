"""From the spec's section of a network to the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ranker.data.layout import Layout
from ranker.models.scorers.dnn import DnnScorer
from ranker.models.scorers.gam import GamScorer
from ranker.models.scorers.linear import LinearScorer
from ranker.models.scorers.network_scorer import NetworkScorer
from ranker.models.scorers.self_attention import SelfAttentionScorer
from ranker.spec import Network

__all__ = ["SCORERS", "make_network"]

SCORERS: dict[str, Any] = {
    "linear": LinearScorer,
    "gam": GamScorer,
    "dnn": DnnScorer,
    "self_attention": SelfAttentionScorer,
}


def make_network(spec: Network, layout: Layout, seed: int, policy: str | None = None) -> NetworkScorer:
    """A network with all its weights.

    Args:
        spec: the network's section.
        layout: names and sizes of the tensors that it takes.
        seed: of the initial weights; equal seeds give equal weights, whatever else was drawn in the process.
        policy: Keras' name of the precision, such as "mixed_bfloat16"; weights and scores are float32 in any.
            Default: Keras' global policy.
    """
    network: NetworkScorer = SCORERS[spec.kind](spec, layout, seed, policy)
    network(*_one_document(layout))
    return network


def _one_document(layout: Layout) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """A list of one document and its mask: Keras makes weights at the first call."""
    features = {"dense": tf.zeros([1, 1, len(layout.dense)])}
    for feature in layout.ids:
        features[feature.name] = tf.constant(np.zeros([1, 1] if feature.scope == "query" else [1, 1, 1], np.int64))
    return features, tf.ones([1, 1], tf.bool)
