"""Raw lists as ExampleListWithContext records: what a TF-Ranking client sends, with the user's column names.

The context holds `query_id` and the query features, each example `document_id`, `label` and the document features.
A missing number is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ranker.data.columns import Column
from ranker.data.requests import RankRequest

__all__ = ["JudgedList", "raw_records", "read_raw"]


@dataclass(frozen=True)
class JudgedList:
    """A list with its labels, float32 `[list]`."""

    request: RankRequest
    labels: np.ndarray


def raw_records(batch: pa.RecordBatch, columns: Sequence[Column]) -> Iterator[bytes]:
    """Serialized ExampleListWithContext for each row of a batch of lists."""
    from tensorflow_serving.apis import input_pb2

    context = [Column("query_id", "query", "string"), *(c for c in columns if c.scope == "query")]
    document = [
        Column("document_id", "document", "string"),
        Column("label", "document", "float32"),
        *(c for c in columns if c.scope == "document"),
    ]
    for row in batch.to_pylist():
        elwc = input_pb2.ExampleListWithContext()
        for column in context:
            _put(elwc.context, column, row[column.name])
        for at in range(len(row["document_id"])):
            example = elwc.examples.add()
            for column in document:
                _put(example, column, row[column.name][at])
        yield elwc.SerializeToString(deterministic=True)


def read_raw(files: Sequence[Path], columns: Sequence[Column]) -> Iterator[JudgedList]:
    """The lists of raw record files, in order, ready for scoring."""
    import tensorflow as tf
    from tensorflow_serving.apis import input_pb2

    for record in tf.data.TFRecordDataset([str(f) for f in files]).as_numpy_iterator():
        elwc = input_pb2.ExampleListWithContext.FromString(record)
        tensors = {"mask": np.ones((1, len(elwc.examples)), bool)}
        for column in columns:
            if column.scope == "query":
                tensors[column.name] = column.array([_get(elwc.context, column)])
            else:
                tensors[column.name] = column.array([_get(e, column) for e in elwc.examples])[np.newaxis]
        ids = [e.features.feature["document_id"].bytes_list.value[0].decode() for e in elwc.examples]
        labels = [e.features.feature["label"].float_list.value[0] for e in elwc.examples]
        query_id = elwc.context.features.feature["query_id"].bytes_list.value[0].decode()
        yield JudgedList(RankRequest(query_id, ids, tensors), np.array(labels, np.float32))


def _put(example: Any, column: Column, value: Any) -> None:
    features = example.features.feature  # asking it for a name adds the name
    if column.dtype == "string":
        features[column.name].bytes_list.value.append(value.encode())
    elif column.width is not None:
        features[column.name].float_list.value.extend(value)
    elif value == value:
        features[column.name].float_list.value.append(value)


def _get(example: Any, column: Column) -> Any:
    feature = example.features.feature[column.name]
    values = feature.bytes_list.value if column.dtype == "string" else feature.float_list.value
    if column.width is not None:
        return values
    return values[0] if values else (b"" if column.dtype == "string" else np.nan)
