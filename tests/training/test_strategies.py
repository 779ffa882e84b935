"""Devices: the same loss curve on one, on two of one process, and on two processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from ranker.errors import RankerError
from training.strategies import is_chief, make_strategy

_SCRIPT = """
import json, sys
import ranker.models
import tensorflow as tf
from pathlib import Path
dataset, folder, *names = sys.argv[1:]
if "mirrored" in names:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from training.strategies import is_chief, make_strategy
strategies = {name: make_strategy(name) for name in names}
from eval.metrics import parse_metric
from ranker.data.dataset import Dataset
from ranker.spec import SelfAttention, Training
from training.examples import read_examples
from training.fit import fit_network
from training.settings import settle
data = Dataset(Path(dataset))
train, valid = (read_examples(data.packed(split), data.layout) for split in ("train", "valid"))
network = SelfAttention(name="net", kind="self_attention", width=16, heads=2, blocks=1, dropout=0.0, input_dropout=0.0)
settings = settle(network, Training(epochs=2, batch_size=16, seed=3), 100, 100)
for name, strategy in strategies.items():
    place = Path(folder) / name
    done = fit_network(
        network, settings, train, valid, parse_metric("ndcg@10"), lambda *_: None, folder=place, strategy=strategy
    )
    curve = [[line["loss"], line["validation ndcg@10"]] for line in done.history]
    print(json.dumps([name, strategy.num_replicas_in_sync, is_chief(strategy), curve]), flush=True)
"""


def start(dataset, folder, *names, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, dataset.path, folder, *names],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def told(process: subprocess.Popen) -> list[list]:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def one_and_mirrored(dataset, tmp_path_factory):
    return told(start(dataset, tmp_path_factory.mktemp("devices"), "one_device", "mirrored"))


def test_two_devices_learn_as_one(one_and_mirrored):
    (one, *_, alone), (two, replicas, chief, curve) = one_and_mirrored
    assert (one, two, replicas, chief) == ("one_device", "mirrored", 2, True)
    assert curve == [pytest.approx(epoch, abs=2e-4) for epoch in alone]


def test_two_workers_learn_as_one(dataset, tmp_path, one_and_mirrored):
    hosts = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            hosts.append(f"localhost:{free.getsockname()[1]}")
    workers = []
    for index in range(2):
        config = json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})
        workers.append(start(dataset, tmp_path, "multi_worker_mirrored", TF_CONFIG=config))
    [chief], [other] = map(told, workers)
    assert chief[1:3] == [2, True]
    assert other[1:3] == [2, False]
    assert chief[3] == other[3]
    assert chief[3] == [pytest.approx(epoch, abs=2e-4) for epoch in one_and_mirrored[0][3]]
    assert len((tmp_path / "multi_worker_mirrored" / "metrics.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("given", ["", "{", "[]", '{"cluster": {}}', '{"cluster": {"worker": ["a:1"]}, "task": {}}'])
def test_workers_need_to_know_each_other(monkeypatch, given):
    monkeypatch.setenv("TF_CONFIG", given)
    with pytest.raises(RankerError, match=r"expected the environment variable TF_CONFIG as .*; set it for each worker"):
        make_strategy("multi_worker_mirrored")


def test_without_a_tpu_that_is_said():
    with pytest.raises(RankerError, match=r"training\.strategy tpu: no TPU was found"):
        make_strategy("tpu")


def test_one_device_is_its_own_chief():
    assert is_chief(make_strategy("one_device"))
