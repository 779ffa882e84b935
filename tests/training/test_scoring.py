"""Scores of a split, against one list at a time."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from training.examples import read_examples
from training.inputs import read_packed
from training.scoring import score_examples


def sums(features, mask):
    """Depends on all documents of the list, so that mixing lists would show."""
    dense = tf.where(mask[..., tf.newaxis], features["dense"], 0)
    return dense[..., 0] + 0.25 * tf.reduce_sum(dense, axis=[1, 2], keepdims=True)[..., 0]


def test_scores_come_in_the_order_of_the_lists(dataset, mixed_lengths):
    examples = read_examples([mixed_lengths], dataset.layout)
    found = score_examples(sums, examples)
    assert found.dtype == np.float64
    alone = [sums(batch.features, batch.mask)[0].numpy() for batch in read_packed([mixed_lengths], dataset.layout, 1)]
    np.testing.assert_allclose(found, np.concatenate(alone), rtol=1e-5)


def test_some_lists_in_any_order(dataset, mixed_lengths):
    examples = read_examples([mixed_lengths], dataset.layout)
    whole = np.split(score_examples(sums, examples), examples.offsets[1:-1])
    lists = np.array([7, 3, 60])
    found = score_examples(sums, examples, lists)
    np.testing.assert_allclose(found, np.concatenate([whole[at] for at in lists]), rtol=1e-5)
