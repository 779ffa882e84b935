"""Losses against TensorFlow Ranking, plain numpy and finite differences, over one matrix of edge cases."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
import tensorflow as tf

from ranker.models.losses import approx_ndcg
from ranker.models.tensorflow_ranking import tfr


def lists(seed: int, batch: int, length: int, ragged: bool):
    """labels 0 to 4, scores, and a mask with at least one document per list."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, (batch, length)).astype(np.float32)
    scores = rng.normal(size=(batch, length)).astype(np.float32)
    sizes = rng.integers(1, length + 1, batch) if ragged else np.full(batch, length)
    return labels, scores, np.arange(length) < sizes[:, np.newaxis]


def reference(labels, scores, mask, temperature: float) -> float:
    """The formula document by document, in float64."""
    losses = []
    for gains, s in (
        (2.0 ** row[m].astype(float) - 1, row_s[m].astype(float))
        for row, row_s, m in zip(labels, scores, mask, strict=True)
    ):
        if not gains.sum():
            continue
        dcg = 0.0
        for i in range(len(s)):
            rank = 1 + sum(1 / (1 + np.exp(-(s[j] - s[i]) / temperature)) for j in range(len(s)) if j != i)
            dcg += gains[i] / np.log2(1 + rank)
        ideal = sum(gain / np.log2(1 + place) for place, gain in enumerate(sorted(gains, reverse=True), start=1))
        losses.append(1 - dcg / ideal)
    return float(np.mean(losses)) if losses else 0.0


def loss_and_gradient(labels, scores, mask, temperature=0.1):
    scores = tf.constant(scores)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = approx_ndcg(tf.constant(labels), scores, tf.constant(mask), temperature)
    return float(loss), tape.gradient(loss, scores).numpy()


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("length", [1, 2, 30])
def test_whole_lists_against_tensorflow_ranking(length, temperature):
    labels, scores, mask = lists(seed=length, batch=8, length=length, ragged=False)
    theirs = tfr.keras.losses.ApproxNDCGLoss(temperature=temperature)
    relevant = labels.sum(axis=1) > 0
    expected = [1 + float(theirs(labels[i : i + 1], scores[i : i + 1])) for i in np.flatnonzero(relevant)]
    loss, _ = loss_and_gradient(labels, scores, mask, temperature)
    assert loss == pytest.approx(np.mean(expected), abs=2e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_padded_lists_against_numpy(seed, temperature):
    labels, scores, mask = lists(seed, batch=6, length=12, ragged=True)
    loss, _ = loss_and_gradient(labels, scores, mask, temperature)
    assert loss == pytest.approx(reference(labels, scores, mask, temperature), abs=2e-6)


@pytest.mark.parametrize("junk", [0.0, 1e4, -1e4, 3e38])
def test_padding_changes_nothing(junk):
    labels, scores, mask = lists(seed=2, batch=6, length=12, ragged=True)
    loss, gradient = loss_and_gradient(np.where(mask, labels, 0), np.where(mask, scores, 0), mask)
    wider = [np.pad(x, ((0, 0), (0, 5))) for x in (labels, scores, mask)]
    wider[0][~wider[2]], wider[1][~wider[2]] = abs(junk), junk
    padded_loss, padded_gradient = loss_and_gradient(*wider)
    assert padded_loss == pytest.approx(loss, abs=1e-6)
    np.testing.assert_allclose(padded_gradient[:, :12], gradient, atol=1e-6)
    assert not padded_gradient[~wider[2]].any()


def test_gradient_against_finite_differences_of_the_formula():
    labels, scores, mask = lists(seed=4, batch=3, length=7, ragged=True)
    _, gradient = loss_and_gradient(labels, scores, mask, temperature=0.5)
    step = 1e-5
    for at in np.ndindex(scores.shape):
        shifted = [scores.astype(float) for _ in range(2)]
        shifted[0][at] += step
        shifted[1][at] -= step
        up, down = (reference(labels, s, mask, 0.5) for s in shifted)
        assert gradient[at] == pytest.approx((up - down) / (2 * step), abs=1e-5)
    assert np.abs(gradient).max() > 1e-2


def test_the_loss_falls_when_a_relevant_document_rises():
    labels, mask = np.array([[0, 3, 1]], np.float32), np.ones((1, 3), bool)
    worst, middle, best = (
        loss_and_gradient(labels, np.array([s], np.float32), mask)[0] for s in ([3, 1, 2], [2, 3, 1], [1, 3, 2])
    )
    assert worst > middle > best
    assert best == pytest.approx(0, abs=1e-3)


ONE = np.ones((1, 3), bool)
EDGES = {
    "one document": ([[2.0]], [[0.3]], [[True]], 0),
    "one document without relevance": ([[0.0]], [[0.3]], [[True]], 0),
    "all masked": ([[1.0, 2]], [[0.3, 0.1]], [[False, False]], 0),
    "no relevant document": ([[0.0, 0, 0]], [[0.3, 0.1, 9]], ONE, 0),
    # Three documents tied at rank 1 + 2 / 2 = 2: discount 1 / log2(3).
    "all ties": ([[1.0, 0, 0]], [[0.5, 0.5, 0.5]], ONE, 1 - 1 / np.log2(3)),
    "all ties, all relevant": (
        [[1.0, 1, 1]],
        [[0.5, 0.5, 0.5]],
        ONE,
        1 - 3 / np.log2(3) / (1 + 1 / np.log2(3) + 1 / 2),
    ),
    # Relevant document last of three, first of three.
    "huge scores, wrong": ([[1.0, 0, 0]], [[-1e4, 0, 1e4]], ONE, 1 - 1 / np.log2(4)),
    "huge scores, right": ([[1.0, 0, 0]], [[1e4, 0, -1e4]], ONE, 0),
    "huge tied scores": ([[1.0, 0, 0]], [[1e4, 1e4, 1e4]], ONE, 1 - 1 / np.log2(3)),
    # 2^1000 outranks 2^2 by so much that only its own place counts.
    "huge labels": ([[2.0, 1000, 0]], [[1e4, 0, -1e4]], ONE, 1 - 1 / np.log2(3)),
}


@pytest.mark.parametrize(("labels", "scores", "mask", "expected"), EDGES.values(), ids=EDGES)
def test_edges(labels, scores, mask, expected):
    loss, gradient = loss_and_gradient(np.array(labels, np.float32), np.array(scores, np.float32), np.array(mask))
    assert loss == pytest.approx(expected, abs=1e-6)
    assert np.isfinite(gradient).all()


def test_lists_without_relevance_do_not_count():
    labels, scores, mask = lists(seed=6, batch=4, length=9, ragged=True)
    alone, _ = loss_and_gradient(labels[:1], scores[:1], mask[:1])
    labels[1:] = 0
    mask[3] = False
    together, gradient = loss_and_gradient(labels, scores, mask)
    assert together == pytest.approx(alone, abs=1e-6)
    assert not gradient[1:].any()
    assert alone > 0


@pytest.mark.parametrize("seed", range(3))
def test_weights_against_tensorflow_ranking(seed):
    labels, scores, mask = lists(seed, batch=6, length=9, ragged=False)
    weights = np.random.default_rng(seed).exponential(size=labels.shape).astype(np.float32)
    theirs = tfr.keras.losses.ApproxNDCGLoss(temperature=0.1)
    rows = [row for row in range(6) if labels[row].any()]
    plain = np.array([float(theirs(labels[r : r + 1], scores[r : r + 1])) for r in rows])
    weighted = np.array([float(theirs(labels[r : r + 1], scores[r : r + 1], weights[r : r + 1])) for r in rows])
    expected = np.average(1 + plain, weights=weighted / plain)
    assert float(approx_ndcg(labels, scores, mask, 0.1, weights)) == pytest.approx(expected, abs=5e-6)
    assert expected != pytest.approx(np.mean(1 + plain), abs=1e-3)


def test_weights_of_padding_and_of_all_zero_count_for_nothing():
    labels, scores, mask = lists(seed=1, batch=4, length=8, ragged=True)
    weights = np.ones_like(labels)
    weights[~mask] = 1e9
    loss, _ = loss_and_gradient(labels, scores, mask)
    assert float(approx_ndcg(labels, scores, mask, 0.1, weights)) == pytest.approx(loss, abs=1e-6)
    assert float(approx_ndcg(labels, scores, mask, 0.1, np.zeros_like(labels))) == 0


def test_a_list_of_weight_zero_does_not_count():
    labels, scores, mask = lists(seed=3, batch=3, length=8, ragged=False)
    weights = np.ones_like(labels)
    weights[1] = 0
    expected, _ = loss_and_gradient(labels[[0, 2]], scores[[0, 2]], mask[[0, 2]])
    assert float(approx_ndcg(labels, scores, mask, 0.1, weights)) == pytest.approx(expected, abs=1e-6)
