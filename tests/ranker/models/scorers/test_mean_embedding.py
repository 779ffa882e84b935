"""Means of embeddings."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.models.scorers.mean_embedding import mean_embedding


def test_padding_does_not_count():
    table = tf_keras.layers.Embedding(4, 2, weights=[np.array([[9, 9], [1, 10], [2, 20], [3, 30]], np.float32)])
    ids = tf.constant([[1, 2, 0, 0], [0, 3, 0, 3], [0, 0, 0, 0]], tf.int64)
    np.testing.assert_allclose(mean_embedding(table, ids), [[1.5, 15], [3, 30], [0, 0]])
    np.testing.assert_allclose(mean_embedding(table, ids[:, :0]), np.zeros([3, 2]))
