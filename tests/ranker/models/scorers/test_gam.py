"""The generalised additive model."""

import numpy as np
import tensorflow as tf

from ranker.spec.scorers import Gam
from tests.ranker.models.scorers.conformance import LAYOUT, ScorerConformance, documents, lists


class TestGam(ScorerConformance):
    spec = Gam(name="sum", kind="gam")
    random_start = False

    def test_sub_scores_add_up(self, network):
        features, mask = lists(20, [9, 4])
        parts = network.sub_scores(features, mask).numpy()
        assert network.features == ("price", "bm25", "query & title", "title", "brand")
        assert parts.shape == (2, 9, 5)
        assert (parts[~mask.numpy()] == 0).all()
        constant = (network(features, mask) - parts.sum(axis=-1)).numpy()[mask.numpy()]
        np.testing.assert_allclose(constant, constant[0], rtol=1e-4, atol=1e-5)

    def test_a_sub_score_is_of_its_feature_alone(self, network):
        features, mask = lists(21, [9])
        before = network.sub_scores(features, mask).numpy()
        for at, name in enumerate(LAYOUT.dense):
            changed = features | {"dense": features["dense"] + tf.one_hot(at, 2)}
            moved = (network.sub_scores(changed, mask).numpy() != before).any(axis=(0, 1))
            assert [feature for feature, move in zip(network.features, moved, strict=True) if move] == [name]
        turned = documents(features, lambda x: x) | {"brand": tf.reverse(features["brand"], [1])}
        moved = (network.sub_scores(turned, mask).numpy() != before).any(axis=(0, 1))
        assert [feature for feature, move in zip(network.features, moved, strict=True) if move] == ["brand"]
