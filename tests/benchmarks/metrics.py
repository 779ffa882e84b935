"""Metrics."""

from __future__ import annotations

import numpy as np

from eval.lists import Lists
from eval.metrics import parse_metric
from tests.benchmarks.timing import ratio

__all__ = ["ndcg_against_numpy"]


def ndcg_against_numpy() -> float:
    """NDCG@10 of 10,000 lists x 100 documents, ties averaged, against a loop-free numpy version that ignores ties."""
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 5, (10_000, 100)), rng.normal(size=(10_000, 100))
    discounts = 1 / np.log2(np.arange(2, 12))
    offsets = np.arange(0, labels.size + 1, 100)
    metric, ids = parse_metric("ndcg@10"), np.arange(len(labels))

    def plain() -> float:
        gains = 2.0**labels - 1
        found = np.take_along_axis(gains, np.argsort(-scores, axis=1)[:, :10], axis=1) @ discounts
        return float(np.mean(found / (-np.sort(-gains, axis=1)[:, :10] @ discounts)))

    def ours() -> float:
        lists = Lists(ids, offsets, labels.ravel().astype(np.float64))
        return float(np.nanmean(metric.per_list(lists, scores.ravel())))

    assert abs(plain() - ours()) < 1e-12
    return ratio(ours, plain)
