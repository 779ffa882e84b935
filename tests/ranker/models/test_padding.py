"""Padding, and the lengths of the canonical call."""

import numpy as np
import pytest
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.padding import canonical_length, pad_lists

LAYOUT = Layout(
    ("a", "b"),
    (
        IdFeature("words", "query", 9, 2, multivalued=True, table="t"),
        IdFeature("segment", "query", 9, 2, multivalued=False, table="s"),
        IdFeature("title", "document", 9, 2, multivalued=True, table="t"),
        IdFeature("brand", "document", 9, 2, multivalued=False, table="b"),
    ),
)


def ragged(sizes: list[int]):
    """Lists of the given sizes, numbers and ids counted up."""
    total = sum(sizes)
    titles = tf.RaggedTensor.from_row_lengths(range(1, 2 * total + 1), tf.constant([2] * total, tf.int64))
    brands = tf.RaggedTensor.from_row_lengths(range(1, total + 1), tf.constant([1] * total, tf.int64))
    segments = tf.RaggedTensor.from_row_lengths(range(1, len(sizes) + 1), tf.constant([1] * len(sizes), tf.int64))
    dense = np.arange(1, 2 * total + 1, dtype=np.float32).reshape(total, 2)
    rows = tf.constant(sizes, tf.int64)
    return {
        "dense": tf.RaggedTensor.from_row_lengths(dense, rows),
        "words": tf.RaggedTensor.from_row_lengths(range(sum(sizes)), rows),
        "segment": segments,
        "title": tf.RaggedTensor.from_row_lengths(titles, rows),
        "brand": tf.RaggedTensor.from_row_lengths(brands, rows),
    }


@pytest.mark.parametrize(
    ("longest", "length"),
    [
        (0, 16),
        (1, 16),
        (15, 16),
        (16, 16),
        (17, 32),
        (32, 32),
        (33, 64),
        (1000, 1024),
        (1024, 1024),
        (1025, 2048),
        (2**20, 2**20),
    ],
)
def test_canonical_length(longest, length):
    assert canonical_length(tf.constant(longest, tf.int64)).numpy() == length


@pytest.mark.parametrize("length", [None, 3, 16])
def test_lists_are_padded_with_zeros(length):
    features, mask = pad_lists(ragged([2, 3]), LAYOUT, None if length is None else tf.constant(length, tf.int64))
    length = length or 3
    gap = [[0, 0]] * (length - 3)
    assert mask.numpy().tolist() == [[True] * n + [False] * (length - n) for n in (2, 3)]
    assert features["dense"].numpy().tolist() == [[[1, 2], [3, 4], [0, 0], *gap], [[5, 6], [7, 8], [9, 10], *gap]]
    assert features["title"].numpy().tolist() == features["dense"].numpy().tolist()
    assert features["brand"].numpy()[..., 0].tolist() == [
        [1, 2, 0] + [0] * (length - 3),
        [3, 4, 5] + [0] * (length - 3),
    ]
    assert features["words"].numpy().tolist() == [[0, 1, 0], [2, 3, 4]]
    assert features["segment"].numpy().tolist() == [[1], [2]]


@pytest.mark.parametrize("sizes", [[0], [0, 0], [], [0, 2]])
def test_lists_without_documents_keep_their_widths(sizes):
    features, mask = pad_lists(ragged(sizes), LAYOUT, tf.constant(16, tf.int64))
    assert mask.shape == (len(sizes), 16)
    assert features["dense"].shape == (len(sizes), 16, 2)
    assert features["brand"].shape == (len(sizes), 16, 1)
    assert features["segment"].shape == (len(sizes), 1)


def test_widths_are_known_when_the_graph_is_built():
    """Keras layers need them."""

    @tf.function(input_signature=[tf.type_spec_from_value(ragged([2])[name]) for name in ("dense", "brand", "segment")])
    def shapes(dense, brand, segment):
        layout = Layout(LAYOUT.dense, tuple(f for f in LAYOUT.ids if not f.multivalued))
        features, _ = pad_lists({"dense": dense, "brand": brand, "segment": segment}, layout)
        assert [features[name].shape[-1] for name in ("dense", "brand", "segment")] == [2, 1, 1]
        return features

    shapes.get_concrete_function()
