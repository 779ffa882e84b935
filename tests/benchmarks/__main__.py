"""`make bench`: ratios, each measured side by side in one run, with the bar it is held against."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import lightgbm
import numpy as np
import tensorflow as tf

from eval.lists import Lists
from eval.metrics import parse_metric
from ranker.models.trees import BoosterGraph

_ROUNDS = 15


def ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """Median over rounds of our time divided by theirs, the two taken in turn."""
    ours()
    theirs()
    return float(np.median([_seconds(ours) / _seconds(theirs) for _ in range(_ROUNDS)]))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def trees_against_lightgbm(rows: int) -> float:
    """500 trees of 31 leaves on 136 features: the graph on one thread against `Booster.predict` on one thread."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 136)).astype(np.float32)
    y = x[:, :8].sum(axis=1) + np.sin(x[:, 8] * 3) + rng.normal(size=len(x))
    parameters = {"num_leaves": 31, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y), num_boost_round=500)
    graph = BoosterGraph(booster.model_to_string())
    call = tf.function(graph, input_signature=[tf.TensorSpec([None, 136], tf.float32)])
    given, some = tf.constant(x[:rows]), x[:rows]
    return ratio(lambda: call(given).numpy(), lambda: booster.predict(some, num_threads=1))


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


def main() -> None:
    """Print every ratio."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for name, bar, measure in (
        ("trees in the graph / LightGBM, 100 rows", 1.0, lambda: trees_against_lightgbm(100)),
        ("trees in the graph / LightGBM, 7,680 rows", 1.0, lambda: trees_against_lightgbm(7_680)),
        ("NDCG@10 with ties / plain numpy", 2.5, ndcg_against_numpy),
    ):
        print(f"{name:<45} {measure():5.2f}   (bar {bar})", flush=True)


main()
