"""Fit a network: epochs over the training lists, best weights by the metric on the whole validation set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from eval.lists import Lists
from eval.metrics import Metric
from ranker.data.layout import Layout
from ranker.models.losses import approx_ndcg
from ranker.models.scorers.self_attention import SelfAttentionScorer
from ranker.spec import SelfAttention, Training
from training.inputs import Batch, read_packed, training_batches

__all__ = ["fit_network", "score_lists", "stack_lists"]

Scorer = Callable[..., tf.Tensor]


def fit_network(
    spec: SelfAttention,
    training: Training,
    layout: Layout,
    train: list[Path],
    valid: list[Path],
    metric: Metric,
    report: Callable[[int, int, str], None],
) -> SelfAttentionScorer:
    """Train until the metric has not risen for `training.patience` epochs, and keep the best weights.

    Args:
        spec: the network.
        training: epochs, batch size, learning rate, patience, seed.
        layout: tensors of the packed examples.
        train: files of the training lists.
        valid: files of the validation lists.
        metric: what the best epoch is chosen by.
        report: told (epoch, epochs, figures) after each epoch.
    """
    tf_keras.utils.set_random_seed(training.seed)
    model = SelfAttentionScorer(spec, layout)
    optimizer = tf_keras.optimizers.Adam(training.learning_rate, global_clipnorm=1.0)
    step = _training_step(model, optimizer, spec.temperature)
    score = tf.function(model, reduce_retracing=True)
    batches = training_batches(train, layout, training.batch_size, training.seed)
    validation = list(read_packed(valid, layout, training.batch_size))
    lists = stack_lists(validation)
    best, best_epoch, best_weights = -np.inf, 0, model.get_weights()
    for epoch in range(1, training.epochs + 1):
        loss = np.mean([step(*batch) for batch in batches])
        value = float(np.nanmean(metric.per_list(lists, score_lists(score, validation))))
        report(epoch, training.epochs, f"loss {loss:.4f}, validation {metric} {value:.4f}")
        goodness = value if metric.higher_is_better else -value
        if goodness > best:
            best, best_epoch, best_weights = goodness, epoch, model.get_weights()
        if epoch - best_epoch >= training.patience:
            break
    model.set_weights(best_weights)
    return model


def stack_lists(batches: Iterable[Batch]) -> Lists:
    """The labels of padded batches as ragged lists, in order."""
    sizes, labels = [], []
    for _, mask, padded, _ in batches:
        sizes.append(np.sum(mask, axis=1))
        labels.append(padded.numpy()[mask.numpy()])
    offsets = np.append(0, np.cumsum(np.concatenate(sizes))).astype(np.int64)
    return Lists(np.arange(len(offsets) - 1), offsets, np.concatenate(labels).astype(np.float64))


def score_lists(scorer: Scorer, batches: Iterable[Batch]) -> np.ndarray:
    """Scores of the documents of padded batches, float64 `[documents]`, in the order of `stack_lists`."""
    scores = [scorer(features, mask).numpy()[mask.numpy()] for features, mask, *_ in batches]
    return np.concatenate(scores).astype(np.float64)


def _training_step(model: SelfAttentionScorer, optimizer: Any, temperature: float) -> Callable[..., tf.Tensor]:
    @tf.function(reduce_retracing=True)
    def step(
        features: dict[str, tf.Tensor], mask: tf.Tensor, labels: tf.Tensor, judged: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            scores = model(features, mask, training=True)
            loss = approx_ndcg(labels, scores, mask, temperature, judged.get("weight"))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step
