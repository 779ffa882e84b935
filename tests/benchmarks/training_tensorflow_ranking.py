"""Training from files, against TensorFlow Ranking's own pipeline on the same numbers as scalar features."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ranker.models.scorers.networks import make_network
from ranker.models.tensorflow_ranking import tfr
from ranker.spec import Dnn
from tests.benchmarks.training import SOFTMAX, Plain, Speed, make_step, settings_of
from tests.benchmarks.training_data import LAYOUT, LISTS_PER_BATCH, NAMES, sizes_of, write_lists
from training.batches import Batches
from training.examples import read_examples

__all__ = ["training_against_tensorflow_ranking"]

_LISTS = 640
_AT_ONCE = 10  # steps that `SimplePipeline` does in one call
_EXECUTIONS = 5  # of so many steps; the first one is not timed
_ROUNDS = 3  # of ours, before and after each of theirs
_WIDTHS = (256, 128, 64)
_DNN = Dnn(name="dnn", kind="dnn", layers=list(_WIDTHS), dropout=0.0, input_dropout=0.0, loss=SOFTMAX)
_NUMBERS = {name: tf.io.FixedLenFeature([1], tf.float32, 0.0) for name in NAMES}
_LABEL = ("label", tf.io.FixedLenFeature([1], tf.float32, -1.0))
_MASK = "list_mask"


def training_against_tensorflow_ranking(folder: Path) -> Iterator[tuple[str, Speed]]:
    """Our documents a second, from files to trained, as a multiple of theirs; by what is compared.

    640 lists of 20 to 200 documents, 136 numbers each; softmax loss, Adam, 32 lists a step, no validation. Ours: the
    packed records are read, and trained on once. Theirs: `SimplePipeline` with `SimpleDatasetBuilder`, which reads
    scalar features anew in each epoch: 40 steps, as many as two epochs have. On both sides the steps that build the
    graph come before and are not timed, nor is the export.

    Ours is taken before and after each of theirs.
    """
    packed, scalar = folder / "packed-even", folder / "scalar-even"
    sizes = sizes_of("even", _LISTS)
    for path in (packed, scalar):
        if not path.exists():
            write_lists(path, sizes, packed=path == packed)
    tower = tfr.keras.model.DNNScorer(
        hidden_layer_dims=list(_WIDTHS), output_units=1, activation="relu", use_batch_norm=False, dropout=0.0
    )
    for name, ours, theirs, metrics in (
        ("its DNNScorer, no metrics", Plain(_WIDTHS), tower, False),
        ("its DNNScorer, with its metrics", Plain(_WIDTHS), tower, True),
        ("our dnn in both, no metrics", _dnn(), _OurScorer(), False),
    ):
        work = _our_work(packed, ours)
        before = _our_rates(work)
        rates = _their_rates(scalar, folder / "model", theirs, float(sizes.mean()), metrics=metrics)
        yield name, Speed(*((before + _our_rates(work)) / 2 / rates).tolist())


def _our_work(packed: Path, scorer: Any) -> Callable[[], int]:
    """Reads and trains once; returns the number of documents."""
    scorer({"dense": tf.zeros([1, 1, len(LAYOUT.dense)])}, tf.ones([1, 1], tf.bool))
    settings = settings_of(read_examples([packed], LAYOUT), buckets=True)
    step = make_step(scorer, SOFTMAX, settings)

    def work() -> int:
        examples = read_examples([packed], LAYOUT)
        for number, batch in enumerate(Batches(examples, settings).epoch(0)):
            step(batch, number)
        return len(examples.labels)

    work()
    return work


def _our_rates(work: Callable[[], int]) -> Any:
    """Documents a second by the clock and by processor time: float64 [2]."""
    rates = []
    for _ in range(_ROUNDS):
        started = _now()
        documents = work()
        rates.append(documents / (_now() - started))
    return np.median(rates, axis=0)


def _their_rates(scalar: Path, model: Path, scorer: Any, documents_per_list: float, *, metrics: bool) -> Any:
    """As `_our_rates`."""
    builder = tfr.keras.model.ModelBuilder(
        input_creator=tfr.keras.model.FeatureSpecInputCreator({}, _NUMBERS),
        preprocessor=tfr.keras.model.PreprocessorWithSpec({}),
        scorer=scorer,
        mask_feature_name=_MASK,
        name="model",
    )
    files = tfr.keras.pipeline.DatasetHparams(
        train_input_pattern=str(scalar),
        valid_input_pattern=str(scalar),
        train_batch_size=LISTS_PER_BATCH,
        valid_batch_size=LISTS_PER_BATCH,
    )
    choices = tfr.keras.pipeline.PipelineHparams(
        model_dir=str(model),
        num_epochs=1,
        steps_per_epoch=_AT_ONCE * _EXECUTIONS,
        validation_steps=1,
        learning_rate=0.002,
        loss="softmax_loss",
        steps_per_execution=_AT_ONCE,
    )
    data = tfr.keras.pipeline.SimpleDatasetBuilder({}, _NUMBERS, _MASK, _LABEL, files)
    pipeline = _Timed(builder, data, choices, metrics=metrics)
    pipeline.train_and_validate()
    shutil.rmtree(model)
    ends = pipeline.clock.ends
    return _AT_ONCE * (len(ends) - 1) * LISTS_PER_BATCH * documents_per_list / (ends[-1] - ends[0])


class _Clock(tf.keras.callbacks.Callback):
    """When each execution of steps ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[Any] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keras calls it after each execution."""
        del batch, logs
        self.ends.append(_now())


class _Timed(tfr.keras.pipeline.SimplePipeline):  # type: ignore[misc]
    """Theirs, timed, without the export at the end."""

    def __init__(self, *arguments: Any, metrics: bool) -> None:
        super().__init__(*arguments)
        self.clock, self._metrics = _Clock(), metrics

    def build_callbacks(self) -> list[Any]:
        """Theirs, and the clock."""
        return [*super().build_callbacks(), self.clock]

    def build_metrics(self) -> list[Any]:
        """Theirs, four NDCGs of each training batch, or none."""
        return super().build_metrics() if self._metrics else []

    def export_saved_model(self, *arguments: Any, **named: Any) -> None:
        """Nothing."""


class _OurScorer(tfr.keras.model.Scorer):  # type: ignore[misc]
    """Our network in their pipeline."""

    def __call__(self, context_features: Any, example_features: Any, mask: tf.Tensor) -> tf.Tensor:
        """Scores `[batch, list]`."""
        del context_features
        return _dnn()({"dense": tf.concat([example_features[name] for name in NAMES], -1)}, mask)


def _dnn() -> Any:
    return make_network(_DNN, LAYOUT, seed=7)


def _now() -> Any:
    return np.array([time.perf_counter(), time.process_time()])
