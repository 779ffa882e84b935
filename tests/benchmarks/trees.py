"""Trees in the graph."""

from __future__ import annotations

import lightgbm
import numpy as np
import tensorflow as tf

from ranker.models.trees import BoosterGraph
from tests.benchmarks.timing import ratio

__all__ = ["trees_against_lightgbm"]


def trees_against_lightgbm(rows: int) -> float:
    """500 trees of 31 leaves on 136 features: the graph in a Session of one thread against `Booster.predict` on one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 136)).astype(np.float32)
    y = x[:, :8].sum(axis=1) + np.sin(x[:, 8] * 3) + rng.normal(size=len(x))
    parameters = {"num_leaves": 31, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y), num_boost_round=500)
    some = x[:rows]
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    with tf.Graph().as_default(), tf.compat.v1.Session(config=one_thread) as session:
        given = tf.compat.v1.placeholder(tf.float32, [None, 136])
        graph = BoosterGraph(booster.model_to_string())
        call = session.make_callable(graph(given), [given])
        return ratio(lambda: call(some), lambda: booster.predict(some, num_threads=1))
