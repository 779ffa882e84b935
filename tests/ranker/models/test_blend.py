"""The blend by hand."""

import tensorflow as tf

from ranker.models.blend import Blend

SCORES = {"a": tf.constant([[1.0, 2]]), "b": tf.constant([[10.0, -10]]), "c": tf.constant([[float("nan")] * 2])}


def test_a_weighted_sum_of_the_named_members():
    """0.5 * 1 + 0.25 * 10, 0.5 * 2 - 0.25 * 10; `c` is not named and does not count."""
    blended = Blend({"b": 0.25, "a": 0.5})(SCORES)
    assert (blended.dtype, blended.numpy().tolist()) == (tf.float32, [[3.0, -1.5]])


def test_one_member():
    assert Blend({"a": 2.0})(SCORES).numpy().tolist() == [[2.0, 4.0]]
