"""The multi-item network."""

import numpy as np
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.networks import make_network
from ranker.spec import SelfAttention
from tests.ranker.models.scorers.conformance import ScorerConformance


class TestSelfAttention(ScorerConformance):
    spec = SelfAttention(name="net", kind="self_attention", width=16, heads=2, blocks=2)
    multi_item = True


class TestSelfAttentionWithLatentCross(ScorerConformance):
    spec = SelfAttention(name="net", kind="self_attention", width=16, heads=2, blocks=1, latent_cross=True)
    multi_item = True


def test_a_feature_may_be_named_like_the_table_of_words():
    """Words of the query and a category each have their own table, of their own size and name."""
    ids = (
        IdFeature("query", "query", 50, 4, multivalued=True, table="#text_49_4"),
        IdFeature("text_49_4", "document", 9, 3, multivalued=False, table="text_49_4"),
    )
    model = make_network(SelfAttention(name="net", kind="self_attention"), Layout(("price",), ids), seed=0)
    features = {"dense": np.ones((1, 2, 1), np.float32), "query": np.array([[49]]), "text_49_4": np.array([[[8], [1]]])}
    call = tf.function(model, autograph=False)  # names of layers become names of operations, which have no #
    assert np.isfinite(call(features, tf.ones([1, 2], tf.bool)).numpy()).all()
    tables = {variable.name: tuple(variable.shape) for variable in model.variables if "embed" in variable.name}
    assert sorted(tables.values()) == [(9, 3), (50, 4)]
