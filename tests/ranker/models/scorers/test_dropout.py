"""Dropout that can be repeated."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
import tensorflow as tf

from ranker.models.scorers.dropout import dropout, fold

SEED = tf.constant([7, 9])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_share_is_dropped_and_the_mean_is_kept(rate):
    x = tf.ones([101, 33, 7])
    kept = dropout(x, rate, SEED).numpy()
    assert set(np.unique(kept)) == {0, np.float32(1) / np.float32(1 - rate)}
    sigma = np.sqrt(rate * (1 - rate) / kept.size)
    assert abs((kept == 0).mean() - rate) < 4 * sigma


def test_every_unit_is_dropped_by_itself():
    kept = dropout(tf.ones([4000, 9]), 0.5, SEED).numpy() > 0
    correlations = np.corrcoef(kept.T) - np.eye(9)
    assert np.abs(correlations).max() < 4 / np.sqrt(4000)


def test_the_seed_decides():
    x = tf.random.stateless_normal([20, 30], [0, 0])
    np.testing.assert_array_equal(dropout(x, 0.3, SEED), dropout(x, 0.3, SEED))
    seeds = [SEED, tf.constant([7, 10]), fold(SEED, 0), fold(SEED, 1), fold(fold(SEED, 0), 1), fold(fold(SEED, 1), 0)]
    assert len({dropout(x, 0.3, seed).numpy().tobytes() for seed in seeds}) == len(seeds)


def test_nothing_is_dropped_without_a_seed_or_a_rate():
    x = tf.ones([3])
    assert dropout(x, 0.5, fold(None, 3)) is x
    assert dropout(x, 0.0, SEED) is x


@pytest.mark.parametrize("shape", [[], [0], [1], [3, 5]])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float16, tf.bfloat16])
def test_shape_and_precision_stay(shape, dtype):
    x = tf.ones(shape, dtype)
    kept = dropout(x, 0.25, SEED)
    assert (kept.shape, kept.dtype) == (x.shape, dtype)


@pytest.mark.parametrize("size", [1, 2, 1001])
def test_xla_draws_the_same(size):
    x = tf.random.stateless_normal([size], [0, 0])
    compiled = tf.function(lambda x, seed: dropout(x, 0.3, fold(seed, 4)), jit_compile=True)
    np.testing.assert_allclose(compiled(x, SEED), dropout(x, 0.3, fold(SEED, 4)), rtol=1e-6)
