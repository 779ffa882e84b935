"""Normalisation over documents only, on one replica and on two."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from ranker.models.scorers.normalisation import BatchNormalisation, LayerNormalisation

RNG = np.random.default_rng(2)
X = RNG.normal(3, 5, size=(4, 6, 3)).astype(np.float32)
MASK = np.arange(6) < np.array([6, 1, 0, 3])[:, np.newaxis]


def test_layer_normalisation_is_that_of_keras():
    layer, keras = LayerNormalisation(), tf.keras.layers.LayerNormalization(epsilon=1e-3)
    layer.build(X.shape)
    keras.build(X.shape)
    weights = [np.array([1, 2, 3], np.float32), np.array([4, 5, 6], np.float32)]
    layer.set_weights(weights)
    keras.set_weights(weights)
    np.testing.assert_allclose(layer(X), keras(X), rtol=1e-5, atol=1e-5)


def test_the_moments_are_those_of_the_documents():
    layer = BatchNormalisation()
    normed = layer(tf.constant(X), tf.constant(MASK), training=True).numpy()[MASK]
    mean, variance = X[MASK].mean(axis=0), X[MASK].var(axis=0)
    np.testing.assert_allclose(normed, (X[MASK] - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    scale, shift, moving_mean, moving_variance = layer.get_weights()
    assert (scale.tolist(), shift.tolist()) == ([1, 1, 1], [0, 0, 0])
    np.testing.assert_allclose(moving_mean, 0.01 * mean, rtol=1e-5)
    np.testing.assert_allclose(moving_variance, 0.99 + 0.01 * variance, rtol=1e-5)


def test_prediction_is_by_the_moving_averages():
    layer = BatchNormalisation()
    layer.build(X.shape)
    layer.set_weights([np.float32(w) for w in ([2, 3, 4], [5, 6, 7], [1, 2, 3], [4, 9, 16])])
    expected = (X - [1, 2, 3]) / np.sqrt(np.array([4, 9, 16]) + 1e-3) * [2, 3, 4] + [5, 6, 7]
    np.testing.assert_allclose(layer(X, MASK), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer.get_weights()[2], [1, 2, 3])


def test_large_means_leave_the_variance_right():
    layer = BatchNormalisation()
    x = (1e4 + RNG.normal(size=(4, 6, 3))).astype(np.float32)
    normed = layer(tf.constant(x), tf.constant(MASK), training=True).numpy()[MASK]
    np.testing.assert_allclose(normed.std(axis=0), 1, rtol=0.01)


@pytest.mark.parametrize("kind", [BatchNormalisation, LayerNormalisation])
def test_half_precision_is_left_at_entry_and_exit_only(kind):
    layer = kind(dtype="mixed_float16")
    x = tf.constant(300 * X, tf.float16)
    normed = layer(x, tf.constant(MASK), training=True)
    assert normed.dtype == tf.float16
    expected = kind()(tf.cast(x, tf.float32), tf.constant(MASK), training=True)
    np.testing.assert_allclose(normed.numpy()[MASK], expected.numpy()[MASK], atol=2e-3)


_REPLICAS = """
import numpy as np
import ranker.models
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from ranker.data.layout import Layout
from ranker.models.scorers.networks import make_network
from ranker.spec import Dnn

rng = np.random.default_rng(2)
x = rng.normal(3, 5, size=(4, 6, 3)).astype(np.float32)
mask = np.arange(6) < np.array([6, 1, 0, 3])[:, np.newaxis]
spec = Dnn(name="net", kind="dnn", layers=[8, 4], normalisation="batch", dropout=0, input_dropout=0)
layout = Layout(("a", "b", "c"), ())

def loss_and_gradients(network, x, mask):
    with tf.GradientTape() as tape:
        scores = network({"dense": x}, mask, training=True)
        loss = tf.reduce_sum(tf.where(mask, tf.square(scores - x[..., 0]), 0.0))
    return loss, tape.gradient(loss, network.trainable_variables)

one = make_network(spec, layout, 1)
loss, gradients = loss_and_gradients(one, tf.constant(x), tf.constant(mask))

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    two = make_network(spec, layout, 1)
part = lambda array: strategy.experimental_distribute_values_from_function(
    lambda context: tf.constant(np.split(array, [1])[context.replica_id_in_sync_group])  # one list, and three
)

@tf.function
def step(x, mask):
    loss, gradients = strategy.run(lambda x, mask: loss_and_gradients(two, x, mask), (x, mask))
    total = lambda value: strategy.reduce("SUM", value, axis=None)
    return total(loss), [total(gradient) for gradient in gradients]

loss_of_two, gradients_of_two = step(part(x), part(mask))
np.testing.assert_allclose(loss_of_two, loss, rtol=1e-5)
for name, got, expected in zip(one.trainable_variables, gradients_of_two, gradients, strict=True):
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4, err_msg=name.name)
moments = [weight for weight in one.non_trainable_weights if "moving" in weight.name]
assert len(moments) == 4
assert any(np.any(weight.numpy() != 0) for weight in moments)
for got, expected in zip(two.weights, one.weights, strict=True):
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6, err_msg=expected.name)
    for copy in got.values:
        np.testing.assert_allclose(copy.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6, err_msg=expected.name)
"""


def test_two_replicas_equal_one_device():
    """Loss, gradients and moving averages of unequal halves of a batch; devices are split before TensorFlow starts."""
    process = subprocess.run([sys.executable, "-c", _REPLICAS], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
