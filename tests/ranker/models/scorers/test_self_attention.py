"""What a multi-item scorer has to keep: order, padding and batches tell it nothing."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.losses import approx_ndcg
from ranker.models.scorers.self_attention import SelfAttentionScorer
from ranker.spec import SelfAttention

LAYOUT = Layout(
    ("price", "bm25"),
    (
        IdFeature("query", "query", 50, 4, multivalued=True, table="text"),
        IdFeature("segment", "query", 5, 3, multivalued=False, table="segment"),
        IdFeature("title", "document", 50, 4, multivalued=True, table="text"),
        IdFeature("brand", "document", 9, 3, multivalued=False, table="brand"),
    ),
)
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def scorer():
    tf.keras.utils.set_random_seed(5)
    model = SelfAttentionScorer(SelfAttention(name="net", kind="self_attention", width=16, heads=2, blocks=2), LAYOUT)
    model(*lists(0, [3]))
    return model


def lists(seed: int, sizes: list[int], length: int | None = None):
    """Padded features of random lists, and the mask."""
    rng = np.random.default_rng(seed)
    batch, length = len(sizes), length or max(sizes)
    mask = np.arange(length) < np.array(sizes)[:, np.newaxis]
    features = {
        "dense": 3 * rng.normal(size=(batch, length, 2)).astype(np.float32),
        "query": rng.integers(0, 50, (batch, 4)),
        "segment": rng.integers(0, 5, (batch, 1)),
        "title": rng.integers(0, 50, (batch, length, 6)),
        "brand": rng.integers(0, 9, (batch, length, 1)),
    }
    for name in ("dense", "title", "brand"):
        features[name][~mask] = 0
    return {name: tf.constant(values) for name, values in features.items()}, tf.constant(mask)


def documents(features, change):
    """Features with `change` done to the document features."""
    return {name: change(x) if name in ("dense", "title", "brand") else x for name, x in features.items()}


def test_a_feature_may_be_named_like_the_table_of_words():
    """Words of the query and a category each have their own table, of their own size and name."""
    ids = (
        IdFeature("query", "query", 50, 4, multivalued=True, table="#text_49_4"),
        IdFeature("text_49_4", "document", 9, 3, multivalued=False, table="text_49_4"),
    )
    model = SelfAttentionScorer(SelfAttention(name="net", kind="self_attention"), Layout(("price",), ids))
    features = {"dense": np.ones((1, 2, 1), np.float32), "query": np.array([[49]]), "text_49_4": np.array([[[8], [1]]])}
    call = tf.function(model, autograph=False)  # names of layers become names of operations, which have no #
    assert np.isfinite(call(features, tf.ones([1, 2], tf.bool)).numpy()).all()
    tables = {variable.name: tuple(variable.shape) for variable in model.variables if "embed" in variable.name}
    assert sorted(tables.values()) == [(9, 3), (50, 4)]


def test_permuting_documents_permutes_scores(scorer):
    features, mask = lists(1, [20, 20])
    order = np.random.default_rng(1).permutation(20)
    permuted = scorer(documents(features, lambda x: tf.gather(x, order, axis=1)), mask)
    np.testing.assert_allclose(permuted, tf.gather(scorer(features, mask), order, axis=1), **TOLERANCE)


def test_the_other_documents_count(scorer):
    """A scorer of single documents would pass every other test here."""
    features, mask = lists(1, [20])
    changed = documents(features, lambda x: tf.concat([x[:, :19], x[:, :1]], axis=1))
    assert np.abs(scorer(changed, mask) - scorer(features, mask))[0, :19].max() > 1e-3


@pytest.mark.parametrize("length", [21, 32, 100])
def test_padding_changes_nothing(scorer, length):
    features, mask = lists(2, [20, 7])
    wider = documents(features, lambda x: tf.pad(x, [[0, 0], [0, length - 20], [0, 0]]))
    scores = scorer(wider, tf.pad(mask, [[0, 0], [0, length - 20]]))
    np.testing.assert_allclose(scores[:, :20][mask], scorer(features, mask)[mask], **TOLERANCE)


def test_what_lies_in_padded_places_changes_nothing(scorer):
    features, mask = lists(3, [20, 7], length=24)
    junk, _ = lists(4, [24, 24])
    junk["dense"] *= 1e30
    empty = ~mask.numpy()[..., np.newaxis]
    mixed = features | {name: tf.where(empty, junk[name], features[name]) for name in ("dense", "title", "brand")}
    np.testing.assert_allclose(scorer(mixed, mask)[mask], scorer(features, mask)[mask], **TOLERANCE)


def test_a_batch_scores_as_its_lists_do(scorer):
    sizes = [20, 1, 7, 13]
    features, mask = lists(5, sizes)
    together = scorer(features, mask)
    for row, size in enumerate(sizes):
        alone = documents({n: x[row : row + 1] for n, x in features.items()}, lambda x, size=size: x[:, :size])
        np.testing.assert_allclose(scorer(alone, mask[row : row + 1, :size])[0], together[row, :size], **TOLERANCE)


@pytest.mark.parametrize("size", [1, 1000])
def test_shortest_and_long_lists(scorer, size):
    features, mask = lists(6, [size])
    scores = scorer(features, mask)
    assert (scores.shape, scores.dtype) == ((1, size), tf.float32)
    assert np.isfinite(scores).all()


def test_an_empty_list_does_not_harm_the_others(scorer):
    features, mask = lists(7, [5, 0, 8])
    scores = scorer(features, mask)
    assert np.isfinite(scores).all()
    features, mask = ({n: x[::2] for n, x in features.items()}, mask[::2])
    np.testing.assert_allclose(scores[::2][mask], scorer(features, mask)[mask], **TOLERANCE)


def test_texts_without_a_word(scorer):
    features, mask = lists(8, [5])
    features |= {"query": tf.zeros([1, 0], tf.int64), "title": tf.zeros([1, 5, 0], tf.int64)}
    zeros = features | {"query": tf.zeros([1, 3], tf.int64), "title": tf.zeros([1, 5, 2], tf.int64)}
    np.testing.assert_allclose(scorer(features, mask), scorer(zeros, mask), **TOLERANCE)


def test_the_order_of_words_does_not_count_but_padding_ids_do_not_either(scorer):
    features, mask = lists(9, [5])
    turned = features | {"title": tf.pad(features["title"][..., ::-1], [[0, 0], [0, 0], [2, 1]])}
    np.testing.assert_allclose(scorer(turned, mask), scorer(features, mask), **TOLERANCE)


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e30])
def test_gradients_are_finite_and_reach_every_weight(scorer, scale):
    features, mask = lists(10, [20, 7, 1, 0])
    features["dense"] *= scale
    labels = tf.constant(np.random.default_rng(0).integers(0, 5, mask.shape).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = approx_ndcg(labels, scorer(features, mask, training=True), mask, 0.1)
    gradients = tape.gradient(loss, scorer.trainable_variables)
    for variable, gradient in zip(scorer.trainable_variables, gradients, strict=True):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), variable.name
        # A key's bias adds the same to all attention logits of a query, and the last bias to all scores.
        assert np.any(gradient != 0) or "bias" in variable.name or scale > 1, variable.name


def test_dropout_is_on_in_training_only(scorer):
    features, mask = lists(11, [20])
    assert scorer(features, mask).numpy().tobytes() == scorer(features, mask).numpy().tobytes()
    assert (scorer(features, mask, training=True) != scorer(features, mask, training=True)).numpy().any()
