"""The tf.data pipeline over the packed examples of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
from google.protobuf import descriptor_pb2
from tensorflow_serving.apis import input_pb2

from ranker.data.layout import Layout
from ranker.models.padding import pad_lists

__all__ = ["Batch", "read_packed", "read_ragged"]


class Batch(NamedTuple):
    """Padded lists.

    Attributes:
        features: the tensors of the layout.
        mask: bool `[batch, list]`.
        labels: float32 `[batch, list]`.
        judged: what else is known of the documents, `[batch, list]` each: as the layout says, `weight` float32 and
            `position` int64.
    """

    features: dict[str, tf.Tensor]
    mask: tf.Tensor
    labels: tf.Tensor
    judged: dict[str, tf.Tensor]


def read_packed(files: Sequence[Path], layout: Layout, batch_size: int) -> tf.data.Dataset:
    """Batches of every list once, in the order of the files."""
    records = tf.data.TFRecordDataset([str(file) for file in files])
    return records.batch(batch_size).map(_Parse(layout)).prefetch(2)


def read_ragged(files: Sequence[Path], layout: Layout, batch_size: int) -> tf.data.Dataset:
    """As `read_packed`, but ragged: `dense`, `label`, what is judged, and ids `[batch, (list), ...]`, by name."""
    records = tf.data.TFRecordDataset([str(file) for file in files])
    parse = _Parse(layout).ragged
    return records.batch(batch_size).map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)


_JUDGED = {"weight": tf.io.FixedLenFeature([], tf.float32), "position": tf.io.FixedLenFeature([], tf.int64)}


class _Parse:
    """Parses a batch of serialized ExampleListWithContext."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._judged = {name: _JUDGED[name] for name in layout.judged}
        self._context: dict[str, Any] = {f.name: _ragged_ids(f.name) for f in layout.ids if f.scope == "query"}
        self._document: dict[str, Any] = {f.name: _ragged_ids(f.name) for f in layout.ids if f.scope == "document"}
        self._document["dense"] = tf.io.FixedLenFeature([len(layout.dense)], tf.float32)
        self._document["label"] = tf.io.FixedLenFeature([], tf.float32)
        self._document |= self._judged

    def __call__(self, records: tf.Tensor) -> Batch:
        ragged = self.ragged(records)
        features, mask = pad_lists(ragged, self._layout)
        return Batch(features, mask, ragged["label"].to_tensor(), {n: ragged[n].to_tensor() for n in self._judged})

    def ragged(self, records: tf.Tensor) -> dict[str, tf.RaggedTensor]:
        """All tensors by name, ragged over lists."""
        sizes, (context, examples) = tf.io.decode_proto(
            records,
            input_pb2.ExampleListWithContext.DESCRIPTOR.full_name,
            ["context", "examples"],
            [tf.string, tf.string],
            descriptor_source=_DESCRIPTORS,
        )
        lengths = tf.cast(sizes[:, 1], tf.int64)
        documents = tf.RaggedTensor.from_tensor(examples, lengths)
        parsed = tf.io.parse_example(documents.flat_values, self._document)
        ragged = {name: documents.with_values(values) for name, values in parsed.items()}
        if self._context:
            ragged |= tf.io.parse_example(context[:, 0], self._context)
        return ragged


def _ragged_ids(name: str) -> tf.io.RaggedFeature:
    return tf.io.RaggedFeature(tf.int64, name, row_splits_dtype=tf.int64)


def _descriptors() -> bytes:
    """Descriptor of ExampleListWithContext with all it needs, as `decode_proto` takes it."""
    files: dict[str, Any] = {}

    def add(file: Any) -> None:
        for dependency in file.dependencies:
            add(dependency)
        files.setdefault(file.name, file)

    add(input_pb2.DESCRIPTOR)
    protos = [descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb) for file in files.values()]
    return b"bytes://" + descriptor_pb2.FileDescriptorSet(file=protos).SerializeToString()


_DESCRIPTORS = _descriptors()
