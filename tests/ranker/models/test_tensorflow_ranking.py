"""TensorFlow Ranking behind its stub."""

import tensorflow as tf

from ranker.models.tensorflow_ranking import tfr


def test_losses_metrics_and_data_are_there():
    """NDCG@1 of the right order is 1."""
    assert callable(tfr.keras.losses.ApproxNDCGLoss)
    assert callable(tfr.data.parse_from_example_list)
    assert float(tfr.keras.metrics.NDCGMetric(topn=1)([[0.0, 1.0]], [[0.1, 0.9]])) == 1


def test_the_stub_gives_classes_and_no_special_names():
    """Special names would make Python and its tools take the stub for something it is not."""
    assert isinstance(tf.estimator.Estimator, type)
    assert isinstance(tf.estimator.ModeKeys.TRAIN, type)
    assert tf.estimator is tf.compat.v1.estimator
    assert not hasattr(tf.estimator, "__wrapped__")
