"""Short real training runs on the small store."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from eval.metrics import parse_metric
from ranker.errors import RankerError
from ranker.spec import Linear, SelfAttention, Training
from training.checkpoint import load_state
from training.examples import read_examples
from training.fit import CHECKPOINT, fit_network
from training.scoring import score_examples
from training.settings import settle

METRIC = parse_metric("ndcg@10")
NETWORK = SelfAttention(name="net", kind="self_attention", width=16, heads=2, blocks=1)


@pytest.fixture(scope="module")
def splits(dataset):
    return [read_examples(dataset.packed(split), dataset.layout) for split in ("train", "valid")]


@pytest.fixture
def fit(splits):
    """Train a network; `notes` is what was reported."""

    def run(network=NETWORK, notes=None, valid=True, metric=METRIC, folder=None, lists=None, start=None, **training):
        train, held_out = splits
        settings = settle(
            network, Training(**({"epochs": 3, "seed": 3, "keep": "best"} | training)), len(train), len(held_out)
        )

        def report(done: int, total: int, note: str) -> None:
            assert 0 < done <= total
            if notes is not None:
                notes.append(note)

        return fit_network(
            network,
            settings,
            train,
            held_out if valid else None,
            metric,
            report,
            folder=folder,
            lists=lists,
            start=start,
        )

    return run


def validation(fitted) -> list[float]:
    return [line["validation ndcg@10"] for line in fitted.history]


def test_the_same_seed_gives_the_same_weights(fit):
    one, two, other = fit(), fit(), fit(seed=4)
    for mine, its in zip(one.scorer.get_weights(), two.scorer.get_weights(), strict=True):
        assert mine.tobytes() == its.tobytes()
    assert [line["loss"] for line in one.history] == [line["loss"] for line in two.history]
    assert validation(one) != validation(other)


def test_training_raises_the_metric(fit):
    notes = []
    fitted = fit(epochs=4, notes=notes)
    assert validation(fitted)[0] < fitted.best == max(validation(fitted))
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]
    assert re.match(r"epoch 1 of 4, loss \d\.\d{4}, ", notes[0])
    assert f"ndcg@10 {max(validation(fitted)[:3]):.4f}" in notes[-1]


def test_the_best_weights_are_kept(fit, splits):
    fitted = fit(epochs=6, learning_rate=0.2, schedule="constant")
    assert validation(fitted)[-1] < max(validation(fitted)), "the run has to end worse than its best"
    scores = score_examples(fitted.scorer, splits[1])
    assert np.nanmean(METRIC.per_list(splits[1].lists, scores)) == pytest.approx(fitted.best, abs=1e-9)
    assert validation(fitted).index(fitted.best) + 1 == fitted.best_epoch


def test_training_stops_when_patience_is_over(fit):
    """At so small a learning rate the metric stays what it was: epoch 1 is best."""
    fitted = fit(epochs=9, patience=2, learning_rate=1e-30)
    assert (fitted.best_epoch, len(fitted.history)) == (1, 3)


def test_a_metric_may_be_better_when_it_is_lower(fit):
    lower = parse_metric("arp")
    assert not lower.higher_is_better
    fitted = fit(epochs=4, metric=lower, network=Linear(name="line", kind="linear"))
    assert fitted.best == min(line[f"validation {lower}"] for line in fitted.history)


def test_the_last_weights_may_be_kept(fit, splits):
    fitted = fit(epochs=5, learning_rate=0.2, schedule="constant", keep="last")
    assert validation(fitted)[-1] < max(validation(fitted)), "the run has to end worse than its best"
    assert (fitted.best, fitted.best_epoch) == (validation(fitted)[-1], 5)
    scores = score_examples(fitted.scorer, splits[1])
    assert np.nanmean(METRIC.per_list(splits[1].lists, scores)) == pytest.approx(fitted.best, abs=1e-9)


def test_weights_decay_whatever_the_network_is_called(fit):
    """Decay is times the rate: at so small a rate, and so huge a decay, nothing else moves weights."""
    network = NETWORK.model_copy(update={"name": "bias_norm_embed"})
    still, decayed = (fit(network, epochs=1, learning_rate=1e-9, weight_decay=decay).scorer for decay in (0.0, 1e8))
    for one, other in zip(still.trainable_variables, decayed.trainable_variables, strict=True):
        before, after = (float(np.abs(variable.numpy()).sum()) for variable in (one, other))
        if "kernel" in one.name:
            assert after < 0.9 * before, one.name
        else:
            assert after == pytest.approx(before, rel=1e-4, abs=1e-6), one.name


def test_a_training_that_diverges_is_told(fit, splits):
    with pytest.raises(RankerError, match=r"training of 'net' diverged: the loss is nan in epoch 1, step \d+; lower"):
        fit(start=lambda scorer: scorer.set_weights([weight * np.nan for weight in scorer.get_weights()]))


def test_without_validation_lists_the_last_weights_count(fit):
    fitted = fit(valid=False)
    assert (fitted.best, fitted.best_epoch, len(fitted.history)) == (None, 3, 3)


def test_it_learns_from_the_lists_it_is_given(fit):
    few = fit(lists=np.arange(5), epochs=1)
    assert few.history[0]["loss"] != fit(lists=np.arange(5, 10), epochs=1).history[0]["loss"]
    assert few.history[0]["loss"] == fit(lists=np.arange(5), epochs=1).history[0]["loss"]


def test_metrics_and_tensorboard_are_written(fit, tmp_path):
    fitted = fit(folder=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == fitted.history
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    files = [str(file) for file in (tmp_path / "tensorboard").iterdir()]
    events = [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(files)]
    values = [(event.step, value) for event in events for value in event.summary.value]
    shown = [
        (step, tf.make_ndarray(value.tensor).item()) for step, value in values if value.tag == "validation ndcg_at_10"
    ]
    assert [step for step, _ in shown] == [1, 2, 3]
    assert [figure for _, figure in shown] == pytest.approx(validation(fitted), abs=1e-6)
    assert any(value.metadata.plugin_data.plugin_name == "hparams" for _, value in values)


def test_what_is_finished_is_not_done_again(fit, tmp_path):
    first = fit(folder=tmp_path)
    started = load_state(next(tmp_path.glob(CHECKPOINT)), _key(tmp_path)).position.epoch
    notes = []
    again = fit(folder=tmp_path, notes=notes)
    assert (started, notes) == (3, [])
    assert [w.tobytes() for w in again.scorer.get_weights()] == [w.tobytes() for w in first.scorer.get_weights()]
    assert fit(folder=tmp_path, epochs=1, notes=notes).best_epoch == 1
    assert notes, "other settings are another training"


def _key(folder: Path) -> str:
    import zipfile

    with zipfile.ZipFile(folder / CHECKPOINT) as parts:
        return json.loads(parts.read("meta.json"))["key"]


@pytest.mark.parametrize("setting", [{"mixed_precision": True}, {"xla": True}, {"buckets": False}, {"xla": "auto"}])
def test_other_ways_to_compute_give_about_the_same(fit, setting):
    network = NETWORK.model_copy(update={"dropout": 0.0})
    plain, other = fit(network=network), fit(network=network, **setting)
    assert other.best == pytest.approx(plain.best, abs=0.05)
    assert all(weight.dtype == np.float32 for weight in other.scorer.get_weights())


_KILLED = """
import os, sys
import ranker.models
from pathlib import Path
import numpy as np
from eval.metrics import parse_metric
from ranker.data.dataset import Dataset
from ranker.spec import SelfAttention, Training
from training import fit as fitting
from training.examples import read_examples
from training.settings import settle

fitting._SECONDS = 0.0  # a checkpoint after every step
dataset, folder = Dataset(Path(sys.argv[1])), Path(sys.argv[2])
network = SelfAttention(name="net", kind="self_attention", width=16, heads=2, blocks=1)
settings = settle(network, Training(epochs=2, batch_size=16, seed=3, deterministic=True, list_cap=6), 100, 100)
while sys.stdin.readline():
    child = os.fork()  # TensorFlow is imported, and has not computed anything
    if child == 0:
        train, valid = (read_examples(dataset.packed(split), dataset.layout) for split in ("train", "valid"))
        tell = lambda done, total, note: print("step", done, flush=True)
        done = fitting.fit_network(network, settings, train, valid, parse_metric("ndcg@10"), tell, folder=folder)
        np.savez(folder / "final.npz", *done.scorer.get_weights())
        print("done", flush=True)
        os._exit(0)
    print("child", child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""


class _Runs:
    """Trainings in processes that may be killed."""

    def __init__(self, dataset: Path, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, dataset, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, kill_after: float | None) -> int:
        """Train, and kill the process so many seconds after its first step; steps that it reported."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        child, steps = 0, 0
        killed = False
        for line in self._process.stdout:
            word, *rest = line.split()
            if word == "child":
                child = int(rest[0])
            if word == "step":
                steps += 1
                if kill_after is not None and not killed:
                    time.sleep(kill_after)
                    killed = True
                    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(child)], check=False)
            if word == "over":
                return steps
        raise AssertionError("the process that starts trainings is gone")

    def final(self) -> list[bytes] | None:
        path = self.folder / "final.npz"
        if not path.is_file():
            return None
        with np.load(path) as arrays:
            return [arrays[name].tobytes() for name in arrays.files]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def test_killed_at_any_moment_it_ends_with_the_same_weights(dataset, tmp_path):
    """SIGKILL at random moments, also while a checkpoint is written: each step ends in one."""
    undisturbed, disturbed = _Runs(dataset.path, tmp_path / "one"), _Runs(dataset.path, tmp_path / "two")
    try:
        undisturbed.run(None)
        moments = random.Random(5)
        killed = 0
        while disturbed.final() is None:
            disturbed.run(moments.random() * 0.4 if killed < 4 else None)
            killed += 1
        assert killed >= 3, "it has to have been killed before it ended, or it shows nothing"
        assert disturbed.final() == undisturbed.final()
        lines = [(run.folder / "metrics.jsonl").read_text().splitlines() for run in (undisturbed, disturbed)]
        one, two = ([json.loads(line) for line in of_run] for of_run in lines)
        assert [(line["loss"], line["validation ndcg@10"]) for line in one] == [
            (line["loss"], line["validation ndcg@10"]) for line in two
        ]
    finally:
        undisturbed.close()
        disturbed.close()
