"""Attention against its definition, list by list."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
import tensorflow as tf

from ranker.models.scorers.attention import MaskedSelfAttention

RNG = np.random.default_rng(0)


def by_definition(x, kernel, out, bias, heads):
    """softmax(Q K' / sqrt(depth)) V of one list, per head."""
    width = x.shape[1]
    depth = width // heads
    queries, keys, values = np.split(x @ kernel, 3, axis=1)
    results = []
    for head in range(heads):
        at = slice(head * depth, (head + 1) * depth)
        weights = np.exp(queries[:, at] @ keys[:, at].T / np.sqrt(depth))
        results.append(weights / weights.sum(axis=1, keepdims=True) @ values[:, at])
    return np.concatenate(results, axis=1) @ out + bias


@pytest.mark.parametrize(("width", "heads"), [(8, 1), (8, 2), (6, 3)])
def test_definition(width, heads):
    layer = MaskedSelfAttention(width, heads, 0.3, seed=1)
    x = RNG.normal(size=(3, 7, width)).astype(np.float32)
    sizes = [7, 1, 4]
    attended = layer(tf.constant(x), tf.sequence_mask(sizes, 7)).numpy()
    layer.set_weights([weight + 0.1 for weight in layer.get_weights()])  # so that there is a bias
    attended = layer(tf.constant(x), tf.sequence_mask(sizes, 7)).numpy()
    for row, size in enumerate(sizes):
        expected = by_definition(x[row, :size], *layer.get_weights(), heads)
        np.testing.assert_allclose(attended[row, :size], expected, rtol=1e-4, atol=1e-5)


def test_nobody_to_attend_to():
    layer = MaskedSelfAttention(4, 2, 0.0, seed=1)
    x = tf.constant(RNG.normal(size=(1, 3, 4)).astype(np.float32))
    with tf.GradientTape() as tape:
        attended = layer(x, tf.zeros([1, 3], tf.bool))
    gradients = tape.gradient(attended, layer.trainable_variables)
    assert np.isfinite(attended).all()
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_logits_beyond_half_precision():
    """Logits of a thousand: the softmax is still computed with enough digits."""
    layer = MaskedSelfAttention(4, 1, 0.0, seed=1, policy="mixed_float16")
    x = tf.constant(40 * RNG.normal(size=(1, 9, 4)).astype(np.float32))
    attended = layer(x, tf.ones([1, 9], tf.bool))
    assert attended.dtype == tf.float16
    assert np.isfinite(attended).all()


def test_dropout_is_of_the_attention():
    layer = MaskedSelfAttention(8, 2, 0.5, seed=1)
    x, mask = tf.constant(RNG.normal(size=(1, 9, 8)).astype(np.float32)), tf.ones([1, 9], tf.bool)
    plain = layer(x, mask)
    samples = [layer(x, mask, seed=tf.constant([0, at])).numpy() for at in range(400)]
    assert np.abs(samples[0] - plain).max() > 0.01
    deviation = np.std(samples, axis=0) / np.sqrt(len(samples))
    np.testing.assert_array_less(np.abs(np.mean(samples, axis=0) - plain), 5 * deviation)
