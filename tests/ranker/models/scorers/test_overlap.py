"""The share of the query that a document has."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.overlap import overlaps, shared_pairs

LAYOUT = Layout(
    (),
    (
        IdFeature("query", "query", 9, 2, multivalued=True, table="#text"),
        IdFeature("title", "document", 9, 2, multivalued=True, table="#text"),
        IdFeature("body", "document", 9, 2, multivalued=True, table="#text"),
        IdFeature("user", "query", 5, 2, multivalued=False, table="user"),
        IdFeature("brand", "document", 9, 2, multivalued=False, table="brand"),
    ),
)


def test_pairs_share_a_table():
    pairs = [(query.name, document.name) for query, document in shared_pairs(LAYOUT)]
    assert pairs == [("query", "title"), ("query", "body")]


def test_against_sets():
    rng = np.random.default_rng(1)
    query, title, body = rng.integers(0, 9, (3, 4)), rng.integers(0, 9, (3, 5, 3)), rng.integers(0, 9, (3, 5, 8))
    query[2] = 0
    mask = tf.ones([3, 5], tf.bool)
    given = overlaps(
        {"query": tf.constant(query), "title": tf.constant(title), "body": tf.constant(body)}, mask, LAYOUT
    )
    assert given.shape == (3, 5, 2)
    for row, place, pair in np.ndindex(3, 5, 2):
        words = [word for word in query[row] if word]
        document = set((title, body)[pair][row, place])
        share = sum(word in document for word in words) / len(words) if words else 0
        assert given[row, place, pair].numpy() == pytest.approx(2 * share - 1)


def test_nothing_to_compare():
    mask = tf.ones([2, 3], tf.bool)
    assert overlaps({}, mask, Layout(("price",), LAYOUT.ids[3:])).shape == (2, 3, 0)
    empty = {"query": tf.zeros([2, 0], tf.int64), "title": tf.zeros([2, 3, 0], tf.int64)}
    assert (overlaps(empty, mask, Layout((), LAYOUT.ids[:2])).numpy() == -1).all()
