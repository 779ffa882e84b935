"""Packed lists as the proto library reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow_serving.apis import input_pb2


@pytest.fixture(scope="session")
def read_elwc() -> Callable[[list[Path]], list[Any]]:
    """ExampleListWithContext messages of record files, in order."""

    def read(files: list[Path]) -> list[Any]:
        records = tf.data.TFRecordDataset([str(file) for file in files]).as_numpy_iterator()
        return [input_pb2.ExampleListWithContext.FromString(record) for record in records]

    return read


@pytest.fixture
def relabelled(dataset, read_elwc, tmp_path) -> Callable[[Callable[[float], float]], Path]:
    """Write the validation lists anew, each label mapped by a function."""

    def write(change: Callable[[float], float]) -> Path:
        path = tmp_path / "relabelled"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for elwc in read_elwc(dataset.packed("valid")):
                for example in elwc.examples:
                    label = example.features.feature["label"].float_list.value
                    label[0] = change(label[0])
                writer.write(elwc.SerializeToString())
        return path

    return write


@pytest.fixture
def weighted(dataset, read_elwc, tmp_path) -> Callable[[Callable[[int, float], float]], Path]:
    """Write the training lists anew, with positions from 1, and weights that a function makes of position and label."""

    def write(weight: Callable[[int, float], float]) -> Path:
        path = tmp_path / "weighted"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for elwc in read_elwc(dataset.packed("train")):
                for position, example in enumerate(elwc.examples, start=1):
                    feature = example.features.feature
                    feature["position"].int64_list.value.append(position)
                    feature["weight"].float_list.value.append(weight(position, feature["label"].float_list.value[0]))
                writer.write(elwc.SerializeToString())
        return path

    return write


@pytest.fixture(scope="session")
def mixed_lengths(dataset, read_elwc, tmp_path_factory) -> Path:
    """The training lists cut to 1, 2, ... 30, 1, 2, ... documents."""
    path = tmp_path_factory.mktemp("packed") / "mixed"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for at, elwc in enumerate(read_elwc(dataset.packed("train"))):
            del elwc.examples[1 + at % 30 :]
            writer.write(elwc.SerializeToString())
    return path
