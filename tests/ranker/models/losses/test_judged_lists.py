"""Inputs of losses are checked, cast and cleaned."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ranker.models.losses.judged_lists import judged_lists

LABELS = np.arange(21.0).reshape(3, 7)
MASK = np.arange(7) < np.array([[7], [3], [0]])


def test_what_stands_in_padding_becomes_0():
    dirty = np.where(MASK, LABELS, np.nan).astype(np.float32)
    lists = judged_lists(dirty, dirty + 1, MASK, dirty + 2)
    for tensor, added in ((lists.labels, 0), (lists.scores, 1), (lists.weights, 2)):
        np.testing.assert_array_equal(tensor, np.where(MASK, LABELS + added, 0))
    np.testing.assert_array_equal(lists.with_scores(tf.fill([3, 7], np.nan)).scores[~MASK], 0)


def test_weights_left_out_are_1():
    np.testing.assert_array_equal(judged_lists(LABELS, LABELS, MASK).weights, MASK)


def test_everything_is_float32():
    lists = judged_lists(LABELS.astype(int), tf.cast(LABELS, tf.bfloat16), MASK, np.array([[2], [3], [4]]))
    assert {x.dtype for x in (lists.labels, lists.scores, lists.weights)} == {tf.float32}
    np.testing.assert_array_equal(lists.weights, MASK * np.array([[2], [3], [4]]))


def test_mean_weights_by_importance():
    weights = np.array([[1, 2, 4, 8, 16, 32, 64], [3, 5, 100, 0, 0, 0, 0], [1] * 7])
    importance = np.zeros((3, 7), np.float32)
    importance[0, [1, 3]], importance[1, [0, 1]] = (3, 1), (1, 1)
    means = judged_lists(LABELS, LABELS, MASK, weights).mean_weights(importance)
    assert means.numpy().tolist() == [(3 * 2 + 1 * 8) / 4, (3 + 5) / 2, 0]


@pytest.mark.parametrize("shape", [(), (7,), (1, 7), (1, 1), (7, 2), (7, 7, 1), (7, 1, 1), (3, 1)])
def test_weights_of_other_shapes_are_refused_even_where_they_would_broadcast(shape):
    square = np.zeros((7, 7))
    with pytest.raises(ValueError) as error:
        judged_lists(square, square, square == 0, np.ones(shape))
    expected = "weights: expected [batch, list], of documents, or [batch, 1], of lists, here [7, 7] or [7, 1]; got "
    assert str(error.value) == expected + str(list(shape))


@pytest.mark.parametrize("name", ["labels", "mask"])
@pytest.mark.parametrize("shape", [(7,), (3, 1), (1, 7), (3, 7, 1)])
def test_other_shapes_than_that_of_the_scores_are_refused(name, shape):
    inputs = {"labels": LABELS, "scores": LABELS, "mask": MASK}
    inputs[name] = np.zeros(shape, inputs[name].dtype)
    with pytest.raises(ValueError, match=rf"^{name}: expected the shape of the scores, \[batch, list\], here \[3, 7\]"):
        judged_lists(**inputs)


def test_scores_of_three_axes_are_refused():
    with pytest.raises(ValueError, match=r"^scores: expected \[batch, list\], here .*; got \[3, 7, 1\]"):
        judged_lists(LABELS, LABELS[:, :, np.newaxis], MASK)


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(ValueError, match="mask: expected bool, True for documents, got float64"):
        judged_lists(LABELS, LABELS, MASK * 1.0)


@pytest.mark.parametrize("known", [[None, None], None], ids=["sizes unknown", "rank unknown"])
def test_shapes_are_checked_when_the_graph_runs(known):
    inputs = [LABELS, LABELS, MASK, LABELS]

    @tf.function(input_signature=[tf.TensorSpec(known, x.dtype) for x in inputs])
    def traced(labels, scores, mask, weights):
        return judged_lists(labels, scores, mask, weights).weights

    np.testing.assert_array_equal(traced(*inputs), np.where(MASK, LABELS, 0))
    np.testing.assert_array_equal(traced(*inputs[:3], LABELS[:, :1]), np.where(MASK, LABELS[:, :1], 0))
    square = [np.zeros((7, 7)), np.zeros((7, 7)), np.zeros((7, 7), bool), np.zeros((7, 7))]
    expected = dict.fromkeys([(1, 7), (7, 2), (1, 1)], "{}: expected")
    if known is None:
        expected |= dict.fromkeys([(7,), (7, 7, 1)], "is not compatible with expected shape")
    for wrong, message in expected.items():
        for name, fault in {"labels": 0, "mask": 2, "weights": 3}.items():
            wronged = list(square)
            wronged[fault] = np.zeros(wrong, square[fault].dtype)
            with pytest.raises(tf.errors.InvalidArgumentError, match=message.format(name)):
                traced(*wronged)
