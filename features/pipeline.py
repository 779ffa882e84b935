"""The Beam jobs of `prepare`: statistics of the collection, analysis on the training lists, transformed examples.

Each reads the source anew, so that no collection is kept between them. Elements are batches of lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tensorflow_metadata.proto.v0 import path_pb2, schema_pb2
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from features.collection import CollectionStatistics, CountWords, write_counts
from features.examples import packed_records
from features.preprocessing import layout_of, preprocessing
from ranker.data.columns import Column, raw_columns
from ranker.data.dataset import shard_name
from ranker.data.elwc import raw_records
from ranker.data.layout import Layout
from ranker.data.split import SPLITS, SplitName, splits_of
from ranker.data.tables import read_documents, read_lists
from ranker.spec import Spec

__all__ = ["analyze", "collection_statistics", "transform"]

_LISTS_PER_BATCH = 256
_TEXTS_PER_BATCH = 4096
_COUNTS = "ranker/prepare"


def collection_statistics(spec: Spec, directory: Path, options: PipelineOptions) -> dict[str, CollectionStatistics]:
    """Statistics of each document text that a match feature reads, over all documents; files in `directory`."""
    names = sorted({match.document for match in spec.features.match})
    if not names:
        return {}
    directory.mkdir(parents=True)
    with _pipeline(options) as pipeline:
        _ = (
            pipeline
            | beam.Create([names])
            | beam.FlatMap(lambda names: _texts(spec, names))
            | beam.CombinePerKey(CountWords())
            | beam.MapTuple(lambda name, counts: write_counts(directory, name, counts))
        )
    return {name: CollectionStatistics.load(directory, name) for name in names}


def analyze(
    spec: Spec,
    statistics: Mapping[str, CollectionStatistics],
    directory: Path,
    temporary: Path,
    options: PipelineOptions,
) -> Layout:
    """Analyse the features on the training lists and write the transform graph into `directory`.

    Returns:
        the tensors that the graph gives.
    """
    columns = raw_columns(spec)
    config = TensorAdapterConfig(_input_schema(columns), {c.name: _representation(c) for c in columns})
    with _pipeline(options) as pipeline, tft_beam.Context(temp_dir=str(temporary)):
        batches = pipeline | beam.Create([None]) | beam.FlatMap(lambda _: _training_inputs(spec, columns))
        transform_fn = (batches, config) | tft_beam.AnalyzeDataset(preprocessing(spec.features, statistics))
        _ = transform_fn | tft_beam.WriteTransformFn(str(directory))
    return layout_of(spec.features, tft.TFTransformOutput(str(directory)))


def transform(
    spec: Spec, layout: Layout, graph: Path, directory: Path, options: PipelineOptions
) -> dict[str, dict[str, int]]:
    """Write raw and packed records of all splits into the folders `raw` and `examples` of `directory`.

    Returns:
        per split its number of `lists`, `documents` and `lists_without_relevant`.
    """
    for folder in ("raw", "examples"):
        (directory / folder).mkdir()
    pipeline = _pipeline(options)
    _ = pipeline | beam.Create([None]) | beam.ParDo(_WriteRecords(spec, layout, graph, directory))
    result = pipeline.run()
    result.wait_until_finish()
    counted = {
        c.key.metric.name: c.committed
        for c in result.metrics().query()["counters"]
        if c.key.metric.namespace == _COUNTS
    }
    return {
        split: {what: counted.get(f"{split}/{what}", 0) for what in ("lists", "documents", "lists_without_relevant")}
        for split in SPLITS
    }


class _WriteRecords(beam.DoFn):
    """Transforms the batches of a source one by one; the graph is loaded once per process."""

    def __init__(self, spec: Spec, layout: Layout, graph: Path, directory: Path) -> None:
        self._spec, self._layout, self._graph, self._directory = spec, layout, graph, directory

    def setup(self) -> None:
        self._columns = raw_columns(self._spec)
        output = tft.TFTransformOutput(str(self._graph))
        self._transform = tf.function(output.transform_raw_features, reduce_retracing=True)

    def process(self, _: None) -> None:
        with ExitStack() as files:
            writers = {
                (folder, split): files.enter_context(
                    tf.io.TFRecordWriter(str(self._directory / folder / shard_name(split, 0, 1)))
                )
                for folder in ("raw", "examples")
                for split in SPLITS
            }
            for batch in read_lists(self._spec, _LISTS_PER_BATCH):
                for split, part in _by_split(batch, self._spec):
                    self._count(split, part)
                    transformed = self._transform(_tensors(part, self._columns))
                    for record in raw_records(part, self._columns):
                        writers["raw", split].write(record)
                    for record in packed_records(part, transformed, self._layout):
                        writers["examples", split].write(record)

    def _count(self, split: str, batch: pa.RecordBatch) -> None:
        labels = batch["label"]
        starts = labels.offsets.to_numpy()[:-1]
        relevant = np.add.reduceat(labels.values.to_numpy() > 0, starts, dtype=np.int64)
        counts = {"lists": batch.num_rows, "documents": len(labels.flatten())}
        counts["lists_without_relevant"] = int((relevant == 0).sum())
        for what, count in counts.items():
            Metrics.counter(_COUNTS, f"{split}/{what}").inc(count)


def _pipeline(options: PipelineOptions) -> beam.Pipeline:
    """In process unless the options name a runner: Beam's own default would first look for a binary to download."""
    runner = options.view_as(StandardOptions).runner
    return beam.Pipeline(runner=runner or FnApiRunner(), options=options)


def _texts(spec: Spec, names: list[str]) -> Iterator[tuple[str, pa.Array]]:
    for batch in read_documents(spec, names).to_batches(_TEXTS_PER_BATCH):
        for name in names:
            yield name, batch[name]


def _by_split(batch: pa.RecordBatch, spec: Spec) -> Iterator[tuple[SplitName, pa.RecordBatch]]:
    splits = splits_of(batch["query_id"].to_pylist(), spec.data.split)
    for split in SPLITS:
        part = batch.filter(pa.array(splits == split))
        if part.num_rows:
            yield split, part


# --- batches as TensorFlow Transform takes them -----------------------------------------------------------------------


def _training_inputs(spec: Spec, columns: list[Column]) -> Iterator[pa.RecordBatch]:
    schema = _input_schema(columns)
    for batch in read_lists(spec, _LISTS_PER_BATCH):
        for split, part in _by_split(batch, spec):
            if split == "train":
                arrays = [_input(part[c.name], c).cast(schema.field(c.name).type) for c in columns]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _input_schema(columns: list[Column]) -> pa.Schema:
    return pa.schema([(c.name, pa.list_(pa.float32() if c.dtype == "float32" else pa.binary())) for c in columns])


def _input(values: pa.Array, column: Column) -> pa.ListArray:
    """A query value becomes a list of one."""
    return values if column.scope == "document" else pa.ListArray.from_arrays(range(len(values) + 1), values)


def _representation(column: Column) -> schema_pb2.TensorRepresentation:
    if column.scope == "query":
        dense = schema_pb2.TensorRepresentation.DenseTensor(column_name=column.name, shape=schema_pb2.FixedShape())
        return schema_pb2.TensorRepresentation(dense_tensor=dense)
    ragged = schema_pb2.TensorRepresentation.RaggedTensor(
        feature_path=path_pb2.Path(step=[column.name]),
        row_partition_dtype=schema_pb2.TensorRepresentation.RowPartitionDType.INT64,
    )
    return schema_pb2.TensorRepresentation(ragged_tensor=ragged)


def _tensors(batch: pa.RecordBatch, columns: list[Column]) -> dict[str, Any]:
    """Raw tensors of a batch: dense `[batch]` for query columns, ragged `[batch, (list)]` for document columns."""
    lengths = pc.list_value_length(batch["document_id"]).to_numpy().astype(np.int64)

    def tensor(column: Column) -> Any:
        if column.scope == "query":
            return tf.constant(batch[column.name].to_numpy(zero_copy_only=False))
        return tf.RaggedTensor.from_row_lengths(batch[column.name].flatten().to_numpy(zero_copy_only=False), lengths)

    return {column.name: tensor(column) for column in columns}
