"""Steps of training: whether they wait for their batches, and what putting lists of like length together saves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.models.losses import make_loss
from ranker.models.scorers.networks import make_network
from ranker.spec import Linear, SelfAttention, Training
from ranker.spec.losses import Loss, Softmax
from tests.benchmarks.training_data import LAYOUT, LISTS_PER_BATCH, Sizes, sizes_of, write_lists
from training.batches import Batches, PaddedLists
from training.examples import Examples, read_examples
from training.schedule import LearningRate
from training.settings import FitSettings, settle
from training.step import Step

__all__ = ["SOFTMAX", "Plain", "Speed", "bucket_gains", "make_step", "padding", "settings_of", "starvation"]

SOFTMAX = Softmax(kind="softmax", gain="linear")
_NETWORKS = {
    "linear": Linear(name="linear", kind="linear"),
    "self_attention": SelfAttention(name="attention", kind="self_attention"),
}
_LISTS = 640
_LARGEST_LABEL = 4.0
_STEPS = 12


class Speed(NamedTuple):
    """Of one way to train as a multiple of another's: by the clock, and by the time of the processor.

    The second holds on a machine where other processes want the processor too.
    """

    clock: float
    processor: float

    def __str__(self) -> str:
        return f"{self.clock:.2f}, by processor time {self.processor:.2f}"


class Plain(tf_keras.Model):
    """A tower of dense layers with rectifiers over each document's numbers, as they are: as little work as may be."""

    def __init__(self, widths: Sequence[int] = (256, 128, 64)) -> None:
        super().__init__()
        layers = [tf_keras.layers.Dense(width, activation="relu") for width in widths]
        self._tower = tf_keras.Sequential([*layers, tf_keras.layers.Dense(1)])

    def call(self, features: Any, mask: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Scores `[batch, list]`."""
        del mask, training, seed
        return tf.squeeze(self._tower(features["dense"]), -1)


def starvation(folder: Path, network: str, *, mapped: bool, rounds: int) -> Speed:
    """Speed of an epoch from `training.batches`, as a share of the same steps from tensors that are ready in memory.

    640 lists of 20 to 200 documents, 136 numbers each, 32 lists a step.

    Args:
        folder: for the files.
        network: what is trained: `plain`, `linear` or `self_attention`.
        mapped: whether the arrays lie in mapped files.
        rounds: epochs of each.
    """
    path = folder / "packed-even"
    if not path.exists():
        write_lists(path, sizes_of("even", _LISTS), packed=True)
    examples = read_examples([path], LAYOUT, folder / "mapped" if mapped else None)
    settings = settings_of(examples, buckets=True)
    step, batches = _step(network, settings, examples), Batches(examples, settings)
    ready = [_as_tensors(batch) for batch in batches.epoch(0)]
    return _speed(lambda: _train(step, batches.epoch(0)), lambda: _train(step, ready), rounds)


def padding(sizes: Sizes, *, buckets: bool) -> float:
    """Slots of padded lists for each document, in an epoch of 8,192 lists, 32 lists a step."""
    examples = _without_numbers(8_192, sizes)
    batches = Batches(examples, settings_of(examples, buckets=buckets))
    return sum(len(lists) * batches.length(lists) for lists in batches.order(0)) / len(examples.labels)


def bucket_gains(network: str, sizes: Sizes, rounds: int) -> Speed:
    """Documents a second with lists of like length together, as a multiple of those without: 12 steps of 2,048 lists.

    Args:
        network: as in `starvation`.
        sizes: of the lists.
        rounds: of the steps, each.
    """
    examples = _with_numbers(2_048, sizes)
    works, documents = [], []
    for buckets in (True, False):
        settings = settings_of(examples, buckets=buckets)
        step, batches = _step(network, settings, examples), Batches(examples, settings)
        some = [_as_tensors(batch) for batch in batches.epoch(0, first=batches.steps - _STEPS)]
        documents.append(sum(int(np.sum(batch.mask)) for batch in some))
        works.append(lambda step=step, some=some: _train(step, some))
    speed = _speed(*works, rounds)
    return Speed(*(times * documents[0] / documents[1] for times in speed))


def settings_of(examples: Examples, *, buckets: bool) -> FitSettings:
    """32 lists a step; otherwise what is settled for so many lists."""
    training = Training(batch_size=LISTS_PER_BATCH, buckets=buckets)
    return settle(_NETWORKS["linear"], training, len(examples), 0)


def make_step(scorer: Any, loss: Loss, settings: FitSettings) -> Step:
    """Steps with Adam, as `training.fit` makes them; the scorer has its weights."""
    optimizer = tf_keras.optimizers.Adam(LearningRate(settings, 10_000), global_clipnorm=settings.clip_norm)
    optimizer.build(scorer.trainable_variables)
    return Step(scorer, make_loss(loss, _LARGEST_LABEL), optimizer, tf.distribute.get_strategy(), settings.seed)


def _step(network: str, settings: FitSettings, examples: Examples) -> Step:
    if network == "plain":
        plain = Plain()
        plain({"dense": tf.zeros([1, 1, len(LAYOUT.dense)])}, tf.ones([1, 1], tf.bool))
        return make_step(plain, SOFTMAX, settings)
    spec = _NETWORKS[network]
    scorer = make_network(spec, examples.layout, settings.seed)
    scorer.adapt(np.asarray(examples.dense[:2_000]))
    return make_step(scorer, spec.loss, settings)


def _train(step: Step, batches: Iterable[PaddedLists]) -> None:
    for number, batch in enumerate(batches):
        step(batch, number)


def _as_tensors(batch: PaddedLists) -> PaddedLists:
    """The same with tensors instead of arrays, which a step takes as they are."""
    features = {name: tf.constant(values) for name, values in batch.features.items()}
    return PaddedLists(features, tf.constant(batch.mask), tf.constant(batch.labels), {})


def _without_numbers(lists: int, sizes: Sizes) -> Examples:
    offsets = np.append(0, np.cumsum(sizes_of(sizes, lists)))
    numbers = np.zeros((offsets[-1], 0), np.float32)
    return Examples(LAYOUT, offsets, numbers, np.zeros(offsets[-1], np.float32), {}, {})


def _with_numbers(lists: int, sizes: Sizes) -> Examples:
    examples, rng = _without_numbers(lists, sizes), np.random.default_rng(1)
    documents = len(examples.labels)
    numbers = rng.normal(size=(documents, len(LAYOUT.dense))).astype(np.float32)
    return Examples(LAYOUT, examples.offsets, numbers, rng.integers(0, 5, documents).astype(np.float32), {}, {})


def _speed(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Speed:
    """Medians over rounds, the two taken in turn."""
    ours()
    theirs()
    times = np.array([[_seconds(work) for work in (ours, theirs)] for _ in range(rounds)])
    return Speed(*np.median(times[:, 1] / times[:, 0], axis=0).tolist())


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor
