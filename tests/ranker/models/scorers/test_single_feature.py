"""One dense feature as the score."""

import numpy as np
import pytest
import tensorflow as tf

from ranker.data.layout import Layout
from ranker.models.scorers.single_feature import SingleFeatureScorer
from ranker.spec import SingleFeature

DENSE = np.arange(12, dtype=np.float32).reshape(2, 2, 3)


@pytest.mark.parametrize(("feature", "at"), [("price", 0), ("stock", 1), ("bm25", 2)])
def test_the_score_is_the_feature(feature, at):
    spec = SingleFeature(name="one", kind="single_feature", feature=feature)
    scorer = SingleFeatureScorer(spec, Layout(("price", "stock", "bm25"), ()))
    scores = scorer({"dense": tf.constant(DENSE)}, tf.constant([[True, True], [True, False]]))
    assert scores.numpy().tolist() == DENSE[:, :, at].tolist()
