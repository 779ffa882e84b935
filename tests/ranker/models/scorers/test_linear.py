"""The weighted sum."""

import numpy as np
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.networks import make_network
from ranker.models.scorers.numbers import Numbers
from ranker.spec import Linear
from tests.ranker.models.scorers.conformance import ScorerConformance

SPEC = Linear(name="sum", kind="linear")


class TestLinear(ScorerConformance):
    spec = SPEC
    random_start = False


def test_the_score_is_the_weighted_sum():
    ids = (
        IdFeature("query", "query", 9, 4, multivalued=True, table="text"),
        IdFeature("title", "document", 9, 4, multivalued=True, table="text"),
    )
    network = make_network(SPEC, Layout(("price", "bm25"), ids), seed=0)
    rows = np.array([[0, 1], [1, 2], [3, 3], [8, 4], [-1, 9]], np.float32)
    network.adapt(rows)
    start = network.get_weights()
    assert [weight.shape for weight in start[-3:]] == [(3, 1), (1,), (9, 1)]
    assert not any(weight.any() for weight in start[-3:])
    weights, bias, of_ids = np.array([[2.0], [-3.0], [0.25]]), np.array([0.5]), np.arange(9.0)[:, np.newaxis]
    network.set_weights([*start[:-3], weights, bias, of_ids])
    features = {
        "dense": tf.constant(rows[np.newaxis]),
        "query": tf.constant([[1]], tf.int64),
        "title": tf.constant([[[1, 2], [4, 0], [0, 0], [0, 8], [3, 3]]], tf.int64),
    }
    numbers = Numbers(2)
    numbers.adapt(rows)
    z = numbers(rows).numpy()
    expected = 2 * z[:, 0] - 3 * z[:, 1] + 0.25 * np.array([1, -1, -1, -1, -1]) + 0.5 + [1.5, 4, 0, 8, 3]
    np.testing.assert_allclose(network(features, tf.ones([1, 5], tf.bool))[0], expected, rtol=1e-5)
