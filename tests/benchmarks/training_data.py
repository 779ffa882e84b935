"""Lists to train on, as packed records and as scalar features."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import tensorflow as tf
from numpy.typing import NDArray

from ranker.data.elwc import wire
from ranker.data.layout import Layout
from tests.benchmarks.letor import FEATURES

__all__ = ["LAYOUT", "LISTS_PER_BATCH", "NAMES", "Sizes", "sizes_of", "write_lists"]

NAMES = tuple(f"f{at:03}" for at in range(FEATURES))
LAYOUT = Layout(NAMES, ())
LISTS_PER_BATCH = 32
_LISTS_AT_ONCE = 100  # when they are written

Sizes = Literal["even", "skewed"]


def sizes_of(kind: Sizes, lists: int) -> NDArray[np.int64]:
    """Documents of each list, from 20 to 200: all sizes alike, or most of them short (log-normal, median 35)."""
    rng = np.random.default_rng(0)
    if kind == "even":
        return rng.integers(20, 201, lists)
    return np.clip(np.exp(rng.normal(np.log(35), 0.7, lists)), 20, 200).astype(np.int64)


def write_lists(path: Path, sizes: NDArray[np.int64], packed: bool) -> None:
    """ExampleListWithContext records of normal numbers, with labels that follow from some of them.

    Args:
        path: of the file.
        sizes: documents of each list.
        packed: numbers as one vector `dense`, as `ranker prepare` writes them; else each as a feature of its own, as
            TensorFlow Ranking wants them. The numbers are the same.
    """
    rng = np.random.default_rng(1)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for first in range(0, len(sizes), _LISTS_AT_ONCE):
            some = sizes[first : first + _LISTS_AT_ONCE]
            numbers = rng.normal(size=(some.sum(), FEATURES)).astype(np.float32)
            labels = np.clip(np.round(numbers[:, :4].sum(axis=1)), 0, 4).astype(np.float32)
            features = {"dense": wire.floats(numbers)} if packed else _scalars(numbers)
            examples = wire.example({**features, "label": wire.floats(labels)})
            context = wire.example({"query_id": wire.texts(pa.array([f"q{first + at}" for at in range(len(some))]))})
            for record in wire.list_records(examples, np.append(0, np.cumsum(some)), context):
                writer.write(record)


def _scalars(numbers: NDArray[np.float32]) -> dict[str, wire.Feature]:
    return {name: wire.floats(column) for name, column in zip(NAMES, numbers.T, strict=True)}
