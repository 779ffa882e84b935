"""What documents enter as."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.inputs import Inputs
from ranker.models.scorers.pieces import Pieces

LAYOUT = Layout(
    ("price",),
    (
        IdFeature("query", "query", 4, 2, multivalued=True, table="#text"),
        IdFeature("segment", "query", 3, 1, multivalued=False, table="segment"),
        IdFeature("title", "document", 4, 2, multivalued=True, table="#text"),
        IdFeature("brand", "document", 3, 3, multivalued=False, table="brand"),
    ),
)


def test_all_features_side_by_side():
    inputs = Inputs(LAYOUT, rate=0, seed=1)
    rows = np.array([[-1], [0], [1]], np.float32)
    inputs.adapt(rows)
    pieces = Pieces(1)
    pieces.adapt(rows)
    features = {
        "dense": tf.constant([[[0.0], [1], [7]]]),
        "query": tf.constant([[1, 3]], tf.int64),
        "segment": tf.constant([[2]], tf.int64),
        "title": tf.constant([[[1, 2], [3, 0], [1, 1]]], tf.int64),
        "brand": tf.constant([[[1], [0], [2]]], tf.int64),
    }
    entered = inputs(features, tf.constant([[True, True, False]])).numpy()
    weights = {weight.name: weight.numpy() for weight in inputs.weights}
    text, segment, brand = (
        next(value for name, value in weights.items() if part in name) for part in ("text", "segment", "brand")
    )
    assert (text.shape, segment.shape, brand.shape) == ((4, 2), (3, 1), (3, 3))
    query = (text[1] + text[3]) / 2
    first, second = (text[1] + text[2]) / 2, text[3]
    zero, one = pieces(np.array([[0], [1]], np.float32)).numpy()[:, 0]
    half = 0  # one of the query's two words: half, which from -1 to 1 is 0
    expected = [
        [*zero, half, *segment[2], *brand[1], *(query * first)],
        [*one, half, *segment[2], *np.zeros(3), *(query * second)],
        np.zeros(15),
    ]
    np.testing.assert_allclose(entered, [expected], rtol=1e-5, atol=1e-7)
    assert len([name for name in weights if "embed" in name]) == 3, "query and title share their table"


def test_ids_of_one_side_enter_alone():
    """Several ids too, where nothing of the query has the same meaning."""
    layout = Layout((), (IdFeature("tags", "document", 4, 2, multivalued=True, table="tags"),))
    inputs = Inputs(layout, rate=0, seed=1)
    features = {"dense": tf.zeros([1, 2, 0]), "tags": tf.constant([[[1, 3], [0, 2]]], tf.int64)}
    entered = inputs(features, tf.ones([1, 2], tf.bool)).numpy()
    (table,) = (weight.numpy() for weight in inputs.trainable_weights)
    np.testing.assert_allclose(entered, [[(table[1] + table[3]) / 2, table[2]]], rtol=1e-6)


@pytest.mark.parametrize(
    ("columns", "rate", "share"), [(30, None, 1 / 6), (270, None, 0.3), (0, None, 0), (30, 0.5, 0.5)]
)
def test_numbers_alone_are_dropped(columns, rate, share):
    layout = Layout(tuple(f"n{at}" for at in range(columns)), LAYOUT.ids[3:])
    inputs = Inputs(layout, rate, seed=1)
    assert inputs.random == (share > 0)
    features = {"dense": tf.fill([8, 50, columns], 0.5), "brand": tf.ones([8, 50, 1], tf.int64)}
    mask = tf.ones([8, 50], tf.bool)
    plain, dropped = inputs(features, mask).numpy(), inputs(features, mask, seed=tf.constant([1, 2])).numpy()
    np.testing.assert_array_equal(plain[..., -3:], dropped[..., -3:])
    first = dropped[..., : 8 * columns : 8]
    if columns:
        assert abs((first == 0).mean() - share) < 0.02
        np.testing.assert_allclose(first[first != 0], 0.5 / (1 - share), rtol=1e-5)
