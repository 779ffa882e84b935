"""Fit a network: epochs over the training lists, best weights by the metric on the whole validation set."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from eval.metrics import Metric
from ranker.errors import RankerError
from ranker.models.losses import make_loss
from ranker.models.scorers.networks import make_network
from ranker.spec import Network
from training.batches import Batches
from training.checkpoint import Position, State, load_state, save_state
from training.examples import Examples
from training.history import History
from training.schedule import LearningRate
from training.scoring import score_examples
from training.settings import FitSettings
from training.step import Step
from training.strategies import is_chief

__all__ = ["CHECKPOINT", "Fitted", "fit_network"]

CHECKPOINT = "checkpoint.npz"
_FORMAT = 1  # of checkpoints: another one is not read
_SECONDS = 60.0  # between checkpoints within an epoch
_SAMPLE = 100_000  # documents that normalisation is fitted to
_NO_DECAY = {"bias", "gamma", "beta", "embeddings"}  # last parts of the names of weights

Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Fitted:
    """A trained network.

    Attributes:
        scorer: with these weights, in float32.
        best: the validation metric of these; None without validation lists.
        best_epoch: their epoch, from 1: the best one, or the last.
        history: a line per epoch, as in metrics.jsonl.
    """

    scorer: Any
    best: float | None
    best_epoch: int
    history: Sequence[Mapping[str, Any]]


def fit_network(
    network: Network,
    settings: FitSettings,
    train: Examples,
    valid: Examples | None,
    metric: Metric,
    report: Report,
    *,
    folder: Path | None = None,
    lists: NDArray[np.int64] | None = None,
    strategy: tf.distribute.Strategy | None = None,
    start: Callable[[Any], None] | None = None,
) -> Fitted:
    """Train all epochs, or until the metric has not become better for `settings.patience` ones if the best is kept.

    Args:
        network: its section of the spec.
        settings: how it is trained.
        train: the training lists.
        valid: the validation lists; None: the last weights are kept.
        metric: what the best epoch is chosen by.
        report: told (steps done, steps at most, figures).
        folder: where checkpoints, metrics.jsonl and TensorBoard's files are; a training found there goes on. None:
            nothing is written.
        lists: the numbers of the training lists that are used, int64; None: all.
        strategy: the devices; None: one.
        start: changes the initial weights of the scorer, such as to those of an older bundle.
    """
    return _Fit(network, settings, train, valid, metric, report, folder, lists, strategy, start).run()


class _Fit:
    """A training under way."""

    def __init__(
        self,
        network: Network,
        settings: FitSettings,
        train: Examples,
        valid: Examples | None,
        metric: Metric,
        report: Report,
        folder: Path | None,
        lists: NDArray[np.int64] | None,
        strategy: tf.distribute.Strategy | None,
        start: Callable[[Any], None] | None,
    ) -> None:
        if settings.deterministic:
            tf.config.experimental.enable_op_determinism()
        self._network, self._settings, self._train, self._valid = network, settings, train, valid
        self._metric, self._report, self._folder = metric, report, folder
        self._strategy = strategy or tf.distribute.get_strategy()
        fixed = settings.xla is not False or self._strategy.num_replicas_in_sync > 1
        self._batches = Batches(train, settings, lists, fixed)
        self._largest_label = float(train.labels.max(initial=0))
        with self._strategy.scope():
            self._scorer = self._make("mixed_bfloat16" if settings.mixed_precision else "float32")
            self._scorer.adapt(_sample(train.dense, settings.seed))
            if start is not None:
                start(self._scorer)
            self._rate = LearningRate(settings, self._batches.steps * settings.epochs)
            self._optimizer = _optimizer(settings, self._rate, self._scorer.trainable_variables)
            self._optimizer.build(self._scorer.trainable_variables)
            self._step = Step(
                self._scorer,
                make_loss(network.loss, self._largest_label),
                self._optimizer,
                self._strategy,
                settings.seed,
            )
        self._score = tf.function(self._scorer, reduce_retracing=True)
        self._position = Position()
        self._best = self._weights()
        initial = self._best if start is not None else []  # else they follow from the seed
        self._key = _digest(
            network, settings, train, valid, lists, str(metric), initial, self._strategy.num_replicas_in_sync
        )
        self._checkpoint = None if folder is None else folder / CHECKPOINT
        self._writes = is_chief(self._strategy)

    def run(self) -> Fitted:
        """All epochs that are left."""
        found = None if self._checkpoint is None else load_state(self._checkpoint, self._key)
        history = History(self._folder, self._settings, self._about) if self._folder and self._writes else None
        if found is not None:
            self._restore(found)
        elif history is not None:
            history.start()
        self._choose_compilation()
        while not self._ended():
            self._epoch()
            if history is not None:
                history.write(self._position.history)
            self._save()
        if history is not None:
            history.close()
        scorer = self._make("float32")
        scorer.set_weights(self._best)  # what `adapt` found is among them
        return Fitted(scorer, self._position.best, self._position.best_epoch, self._position.history)

    @property
    def _about(self) -> dict[str, str]:
        return {"network": self._network.kind, "loss": json.dumps(self._network.model_dump()["loss"])}

    def _make(self, policy: str) -> Any:
        """The network with its initial weights."""
        return make_network(self._network, self._train.layout, self._settings.seed, policy)

    def _ended(self) -> bool:
        position, settings = self._position, self._settings
        waited = position.epoch - position.best_epoch
        return position.epoch >= settings.epochs or (self._chooses and waited >= settings.patience)

    def _epoch(self) -> None:
        """The steps of the epoch that are left, and its validation."""
        position, started, saved, documents = self._position, time.perf_counter(), time.monotonic(), 0
        for batch in self._batches.epoch(position.epoch, position.step):
            position.loss += self._step(batch, position.epoch * self._batches.steps + position.step)
            position.step += 1
            self._refuse_divergence()
            documents += int(batch.mask.sum())
            self._tell(documents / (time.perf_counter() - started))
            if time.monotonic() - saved > _SECONDS:
                self._save()
                saved = time.monotonic()
        seconds = time.perf_counter() - started
        line: dict[str, Any] = {
            "epoch": position.epoch + 1,
            "loss": position.loss / self._batches.steps,
            "learning_rate": float(self._rate(self._optimizer.iterations - 1)),
            "documents_per_second": documents / seconds,
        }
        position.epoch, position.step, position.loss = position.epoch + 1, 0, 0.0
        self._validate(line)
        position.history.append(line)

    def _refuse_divergence(self) -> None:
        """Raise an error, before anything is saved, if the loss is no number any more."""
        position = self._position
        if not np.isfinite(position.loss):
            raise RankerError(
                f"training of {self._network.name!r} diverged: the loss is {position.loss} in epoch"
                f" {position.epoch + 1}, step {position.step}; lower learning_rate or clip_norm"
            )

    def _validate(self, line: dict[str, Any]) -> None:
        """Measure the weights as they are, and keep them if they are the best so far or no best is chosen."""
        position, value = self._position, None
        if self._valid is not None:
            scores = score_examples(self._score, self._valid)
            value = float(np.nanmean(self._metric.per_list(self._valid.lists, scores)))
            line[f"validation {self._metric}"] = value
        if not self._chooses or self._is_better(value):
            position.best, position.best_epoch, self._best = value, position.epoch, self._weights()

    @property
    def _chooses(self) -> bool:
        return self._valid is not None and self._settings.keep == "best"

    def _is_better(self, value: float | None) -> bool:
        best, sign = self._position.best, 1 if self._metric.higher_is_better else -1
        return best is None or (value is not None and sign * value > sign * best)

    def _tell(self, rate: float) -> None:
        position, steps = self._position, self._batches.steps
        note = f"epoch {position.epoch + 1} of {self._settings.epochs}, loss {position.loss / position.step:.4f}"
        if position.best is not None:
            note += f", {self._metric} {position.best:.4f}"
        note += f", {rate:,.0f} documents/s"
        self._report(position.epoch * steps + position.step, self._settings.epochs * steps, note)

    def _choose_compilation(self) -> None:
        """Compile the steps if the spec says so, or if it pays; a training that goes on keeps to what it chose."""
        position, asked = self._position, self._settings.xla
        if position.compiled is None:
            position.compiled = self._compilation_pays() if asked == "auto" else asked
        if position.compiled:
            self._step.compile()

    def _compilation_pays(self) -> bool:
        """Whether what all steps save is more than what it takes to compile them for each padded length."""
        weights = self._weights()
        plain, compiled, to_compile = self._step.seconds(next(self._batches.epoch(0)))
        self._scorer.set_weights(weights)  # batch normalisation moves its averages
        shapes = len({self._batches.length(lists) for lists in self._batches.order(0)})
        steps = self._settings.epochs * self._batches.steps
        return (plain - compiled) * steps > to_compile * shapes

    def _weights(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self._scorer.get_weights()]

    def _save(self) -> None:
        if self._checkpoint is not None and self._writes:
            arrays = {
                "weights": self._weights(),
                "optimizer": [variable.numpy() for variable in self._optimizer.variables],
                "best": self._best,
            }
            save_state(self._checkpoint, self._key, State(self._position, arrays))

    def _restore(self, state: State) -> None:
        self._position, self._best = state.position, state.arrays["best"]
        self._scorer.set_weights(state.arrays["weights"])
        for variable, value in zip(self._optimizer.variables, state.arrays["optimizer"], strict=True):
            variable.assign(value)


def _optimizer(settings: FitSettings, rate: LearningRate, variables: Sequence[Any]) -> Any:
    """Adam (Kingma and Ba, ICLR 2015), with decoupled weight decay if there is any."""
    if not settings.weight_decay:
        return tf_keras.optimizers.Adam(rate, global_clipnorm=settings.clip_norm)
    optimizer = tf_keras.optimizers.AdamW(rate, settings.weight_decay, global_clipnorm=settings.clip_norm)
    optimizer.exclude_from_weight_decay([one for one in variables if _last_part(one.name) in _NO_DECAY])
    return optimizer


def _last_part(name: str) -> str:
    """Such as `kernel` of `net/tower/dense/kernel:0`."""
    return name.rpartition("/")[2].partition(":")[0]


def _sample(dense: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Some rows, the same each time."""
    if len(dense) <= _SAMPLE:
        return np.asarray(dense)
    rows = np.random.Generator(np.random.Philox(key=seed)).choice(len(dense), _SAMPLE, replace=False)
    return dense[np.sort(rows)]


def _digest(
    network: Network,
    settings: FitSettings,
    train: Examples,
    valid: Examples | None,
    lists: NDArray[np.int64] | None,
    metric: str,
    initial: Sequence[NDArray[Any]],
    replicas: int,
) -> str:
    """Of all that a training depends on, but for its code."""
    told = [_FORMAT, replicas, network.model_dump(), settings.to_json(), metric, train.layout.to_json()]
    digest = hashlib.sha256(json.dumps(told).encode())
    for examples in (train, valid):
        if examples is not None:
            ids = [array for one in examples.ids.values() for array in (one.values, one.offsets)]
            for values in (examples.offsets, examples.labels, examples.dense, *ids, *examples.judged.values()):
                digest.update(np.ascontiguousarray(values).data)
    if lists is not None:
        digest.update(np.ascontiguousarray(lists).data)
    for weight in initial:
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()
