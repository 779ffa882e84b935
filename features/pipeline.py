"""The Beam jobs of `prepare`: statistics of the collection, analysis on the training lists, transformed examples.

Each reads the source anew, so that no collection is kept between them. Elements are batches of lists.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_metadata.proto.v0 import path_pb2, schema_pb2
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from features.beam_pipeline import new_pipeline
from features.collection import CollectionStatistics, CountWords, write_counts
from features.computed import load_computed
from features.counts import SplitCounts, Written, merge_shard_counts, write_shard_counts
from features.examples import packed_records
from features.preprocessing import layout_of, preprocessing, texts_with_statistics
from features.statistics.measured import measured_columns
from features.statistics.split import SplitStatistics
from ranker.data.columns import Column, raw_columns
from ranker.data.dataset import shard_name
from ranker.data.elwc.records import raw_records
from ranker.data.layout import Layout
from ranker.data.list_names import queries_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import OpenedSource
from ranker.data.split import SPLITS, SplitName
from ranker.data.tally import Tally

__all__ = ["analyze", "collection_statistics", "transform"]

_LISTS_PER_BATCH = 256
_TRAIN: tuple[SplitName, ...] = ("train",)


def collection_statistics(
    source: OpenedSource, directory: Path, options: PipelineOptions
) -> dict[str, CollectionStatistics]:
    """Statistics of each document text of which features need them, over all documents; files in `directory`."""
    names = texts_with_statistics(source.spec.features)
    if not names:
        return {}
    directory.mkdir(parents=True)
    with new_pipeline(options) as pipeline:
        _ = (
            pipeline
            | beam.Create([names])
            | beam.FlatMap(lambda names: _texts(source, names))
            | beam.CombinePerKey(CountWords())
            | beam.MapTuple(lambda name, counts: write_counts(directory, name, counts))
        )
    return {name: CollectionStatistics.load(directory, name) for name in names}


def analyze(
    source: OpenedSource,
    statistics: Mapping[str, CollectionStatistics],
    directory: Path,
    temporary: Path,
    options: PipelineOptions,
    done: Tally,
) -> Layout:
    """Analyse the features on the training lists and write the transform graph into `directory`.

    Training lists are added to `done` as they are read.

    Returns:
        the tensors that the graph gives.
    """
    spec = source.spec
    columns = raw_columns(spec)
    config = TensorAdapterConfig(_input_schema(columns), {c.name: _representation(c) for c in columns})
    with _names_may_vary(), new_pipeline(options) as pipeline, tft_beam.Context(temp_dir=str(temporary)):
        batches = (
            pipeline
            | beam.Create(source.shards, reshuffle=True)
            | beam.FlatMap(lambda shard: _training_inputs(source, shard, columns, done))
        )
        function = preprocessing(spec.features, statistics, load_computed(spec))
        transform_fn = (batches, config) | tft_beam.AnalyzeDataset(function)
        _ = transform_fn | tft_beam.WriteTransformFn(str(directory))
    return layout_of(spec, tft.TFTransformOutput(str(directory)))


def transform(
    source: OpenedSource, layout: Layout, graph: Path, directory: Path, options: PipelineOptions, done: Tally
) -> Written:
    """Write raw and packed records of all splits into the folders `raw` and `examples` of `directory`.

    A shard of the source becomes one file per split and folder; rows it sets aside, one in the folder `rejected`. Lists
    are added to `done` as they are written.
    """
    for folder in ("raw", "examples", "counts", "rejected"):
        (directory / folder).mkdir(exist_ok=True)
    with new_pipeline(options) as pipeline:
        shards = beam.Create(list(enumerate(source.shards)), reshuffle=True)
        _ = pipeline | shards | beam.ParDo(_WriteRecords(source, layout, graph, directory, done))
    shards_done = sorted((directory / "counts").glob("*.json"))
    written = merge_shard_counts(shards_done, measured_columns(source.spec))
    shutil.rmtree(directory / "counts")
    return written


class _WriteRecords(beam.DoFn):
    """Transforms the batches of a shard one by one; the graph is loaded once per process."""

    def __init__(self, source: OpenedSource, layout: Layout, graph: Path, directory: Path, done: Tally) -> None:
        self._source, self._layout, self._graph, self._directory = source, layout, graph, directory
        self._done = done

    def setup(self) -> None:
        self._columns = raw_columns(self._source.spec)
        output = tft.TFTransformOutput(str(self._graph))
        self._transform = tf.function(output.transform_raw_features, reduce_retracing=True)

    def process(self, numbered: tuple[int, Any]) -> None:
        """Write the files of a shard; written anew, they are the same."""
        number, shard = numbered
        counts = {split: SplitCounts() for split in SPLITS}
        statistics = {split: SplitStatistics(measured_columns(self._source.spec)) for split in SPLITS}
        with ExitStack() as files:
            writers = {
                (folder, split): files.enter_context(tf.io.TFRecordWriter(self._file(folder, split, number)))
                for folder in ("raw", "examples")
                for split in SPLITS
            }
            rejected = files.enter_context(RejectedRows(self._directory / "rejected" / f"shard-{number:05d}.jsonl"))
            for part in self._source.read(shard, _LISTS_PER_BATCH, rejected):
                counts[part.split].add(part.lists, queries_of(self._source.spec, part.lists["query_id"]))
                statistics[part.split].add(part.lists)
                transformed = self._transform(_tensors(part.lists, self._columns))
                for record in raw_records(part.lists, self._columns):
                    writers["raw", part.split].write(record)
                for record in packed_records(part.lists, transformed, self._layout):
                    writers["examples", part.split].write(record)
                self._done.add(part.lists.num_rows)
        for file in (rejected.path, *(Path(self._file(*key, number)) for key in writers)):
            if not file.stat().st_size:
                file.unlink()
        write_shard_counts(self._directory / "counts" / f"{number:05d}.json", counts, statistics, rejected)

    def _file(self, folder: str, split: SplitName, number: int) -> str:
        return str(self._directory / folder / shard_name(split, number, len(self._source.shards)))


@contextmanager
def _names_may_vary() -> Iterator[None]:
    """No warning that names differ between two traces, as those in a SavedModel do: only caches depend on them."""

    def wanted(record: logging.LogRecord) -> bool:
        return "cache key varies" not in record.getMessage()

    logger = logging.getLogger("absl")
    logger.addFilter(wanted)
    try:
        yield
    finally:
        logger.removeFilter(wanted)


def _texts(source: OpenedSource, names: list[str]) -> Iterator[tuple[str, pa.Array]]:
    for batch in source.texts(names):
        for name in names:
            yield name, batch[name]


# --- batches as TensorFlow Transform takes them -----------------------------------------------------------------------


def _training_inputs(source: OpenedSource, shard: Any, columns: list[Column], done: Tally) -> Iterator[pa.RecordBatch]:
    schema = _input_schema(columns)
    for part in source.read(shard, _LISTS_PER_BATCH, splits=_TRAIN):
        yield pa.RecordBatch.from_arrays([_input(part.lists[c.name], c) for c in columns], schema=schema)
        done.add(part.lists.num_rows)


def _input_schema(columns: list[Column]) -> pa.Schema:
    return pa.schema([(c.name, _input_type(c)) for c in columns])


def _input_type(column: Column) -> pa.DataType:
    """A list for each row: of the documents' values, or of one; vectors lie flat in it, `width` numbers each."""
    values = pa.binary() if column.dtype == "string" else pa.type_for_alias(column.dtype)
    many = column.multivalued and column.scope == "document"
    return pa.list_(pa.list_(values) if many else values)


def _input(values: pa.Array, column: Column) -> pa.Array:
    rows = values if column.scope == "document" or column.multivalued else _lists_of(values, np.ones(len(values)))
    if column.width is not None:
        lengths = pc.list_value_length(rows).to_numpy() * column.width
        rows = _lists_of(rows.flatten().flatten(), lengths)
    return rows.cast(_input_type(column))


def _lists_of(values: pa.Array, lengths: np.ndarray) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(lengths)), pa.int32()), values)


def _representation(column: Column) -> schema_pb2.TensorRepresentation:
    if column.scope == "query" and not column.multivalued:
        shape = schema_pb2.FixedShape()
        if column.width is not None:
            shape.dim.add(size=column.width)
        dense = schema_pb2.TensorRepresentation.DenseTensor(column_name=column.name, shape=shape)
        return schema_pb2.TensorRepresentation(dense_tensor=dense)
    ragged = schema_pb2.TensorRepresentation.RaggedTensor(
        feature_path=path_pb2.Path(step=[column.name]),
        row_partition_dtype=schema_pb2.TensorRepresentation.RowPartitionDType.INT64,
    )
    if column.width is not None:
        ragged.partition.add(uniform_row_length=column.width)
    return schema_pb2.TensorRepresentation(ragged_tensor=ragged)


def _tensors(batch: pa.RecordBatch, columns: list[Column]) -> dict[str, Any]:
    """Raw tensors of a batch: query columns dense `[batch, ...]`, document columns ragged `[batch, (list), ...]`.

    Multi-valued ones are ragged in their last dimension.
    """
    lengths = _lengths(batch["document_id"])

    def tensor(column: Column) -> Any:
        values = batch[column.name]
        if column.scope == "query":
            return _tensor(values, column)
        return tf.RaggedTensor.from_row_lengths(_tensor(values.flatten(), column), lengths)

    return {column.name: tensor(column) for column in columns}


def _tensor(values: pa.Array, column: Column) -> Any:
    """One value each of queries or documents: `[values]`, `[values, width]`, or ragged if multi-valued."""
    if column.multivalued:
        return tf.RaggedTensor.from_row_lengths(_flat_tensor(values.flatten(), column), _lengths(values))
    if column.width is not None:
        return tf.reshape(_flat_tensor(values.flatten(), column), [-1, column.width])
    return _flat_tensor(values, column)


def _flat_tensor(values: pa.Array, column: Column) -> tf.Tensor:
    return tf.constant(values.to_numpy(zero_copy_only=False), column.dtype)


def _lengths(lists: pa.Array) -> np.ndarray:
    return pc.list_value_length(lists).to_numpy().astype(np.int64)
