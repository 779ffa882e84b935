"""The rows that trees see, and their scores put back into lists."""

import lightgbm
import numpy as np
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.lambdamart import LambdaMartScorer, tree_columns, tree_matrix
from ranker.models.trees import BoosterGraph

LAYOUT = Layout(
    ("price", "bm25"),
    (
        IdFeature("query", "query", 9, 2, multivalued=True, table="text"),
        IdFeature("segment", "query", 9, 2, multivalued=False, table="segment"),
        IdFeature("title", "document", 9, 2, multivalued=True, table="text"),
        IdFeature("brand", "document", 9, 2, multivalued=False, table="brand"),
    ),
)
FEATURES = {
    "dense": tf.constant([[[1.0, 2], [3, 4], [0, 0]], [[5, 6], [0, 0], [0, 0]]]),
    "query": tf.constant([[1, 2], [3, 0]], tf.int64),
    "segment": tf.constant([[7], [8]], tf.int64),
    "title": tf.zeros([2, 3, 1], tf.int64),
    "brand": tf.constant([[[4], [5], [0]], [[6], [0], [0]]], tf.int64),
}
MASK = tf.constant([[True, True, False], [True, False, False]])


def test_columns():
    assert tree_columns(LAYOUT) == ["price", "bm25", "segment", "brand"]


def test_rows_are_the_real_documents_with_the_codes_of_their_query():
    matrix = tree_matrix(FEATURES, MASK, LAYOUT)
    assert matrix.dtype == tf.float32
    assert matrix.numpy().tolist() == [[1, 2, 7, 4], [3, 4, 7, 5], [5, 6, 8, 6]]


def test_columns_are_in_the_order_of_their_names():
    """One feature at a time differs from 0: it has to show in the column of its name."""
    for name in tree_columns(LAYOUT):
        changed = {key: tf.zeros_like(x) for key, x in FEATURES.items()}
        if name in LAYOUT.dense:
            changed["dense"] += tf.one_hot(LAYOUT.dense.index(name), 2)
        else:
            changed[name] += 1
        columns = tree_matrix(changed, MASK, LAYOUT).numpy().any(axis=0)
        assert [column for column, used in zip(tree_columns(LAYOUT), columns, strict=True) if used] == [name]


def test_dense_features_alone():
    layout = Layout(("price", "bm25"), ())
    assert tree_columns(layout) == ["price", "bm25"]
    assert tree_matrix(FEATURES, MASK, layout).numpy().tolist() == [[1, 2], [3, 4], [5, 6]]


def test_scores_are_those_of_the_booster_in_their_places():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 9, (300, 4)).astype(np.float64)
    data = lightgbm.Dataset(rows, rows @ [1, 2, 3, 4], feature_name=tree_columns(LAYOUT))
    booster = lightgbm.train({"verbose": -1, "num_threads": 1, "min_data_in_leaf": 1}, data, 5)
    scores = LambdaMartScorer(BoosterGraph(booster.model_to_string()), LAYOUT)(FEATURES, MASK)
    expected = booster.predict([[1, 2, 7, 4], [3, 4, 7, 5], [5, 6, 8, 6]])
    np.testing.assert_allclose(scores, [[*expected[:2], 0], [expected[2], 0, 0]], rtol=1e-6)
    assert len(set(expected)) == 3
    assert scores.dtype == tf.float32
