"""Raw lists as ExampleListWithContext records: what a TF-Ranking client sends, with the user's column names.

The context holds `query_id`, the query features and, where the source has it, `timestamp`; each example `document_id`,
`label`, where the source has them `weight` and `position`, and the document features. Numbers are float lists, dates
and positions int64 lists, texts bytes lists, multi-valued ones with as many values as there are. What is missing is
left out, but for texts, which are empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.columns import LABEL, MISSING_INT, TIMESTAMP, Column
from ranker.data.elwc import wire
from ranker.data.requests import RankRequest

__all__ = ["JudgedList", "raw_records", "read_raw"]

_QUERY_ID = Column("query_id", "query", "string")
_DOCUMENT_ID = Column("document_id", "document", "string")
_WEIGHT = Column("weight", "document", "float32")
_POSITION = Column("position", "document", "int64")


@dataclass(frozen=True)
class JudgedList:
    """A list with what is known of its documents.

    Attributes:
        request: ready for scoring.
        labels: float32 `[list]`.
        weights: float32 `[list]`; 1 where the record has none.
        positions: int64 `[list]`, the rank at which each was shown, from 1; 0 if it was not, or the record has none.
    """

    request: RankRequest
    labels: np.ndarray
    weights: np.ndarray
    positions: np.ndarray


def raw_records(batch: pa.RecordBatch, columns: Sequence[Column]) -> Iterator[bytes]:
    """Serialized ExampleListWithContext for each row of a batch of lists, see `ranker.data.columns.schema_of`.

    Args:
        batch: has the columns and the labels; `weight`, `position` and `timestamp` are written if it has them.
        columns: raw columns of the features.
    """
    names = {column.name for column in columns}
    also = [c for c in (TIMESTAMP, _WEIGHT, _POSITION) if c.name in batch.schema.names and c.name not in names]
    context, document = {}, {}
    for column in (_QUERY_ID, _DOCUMENT_ID, LABEL, *also, *columns):
        if column.scope == "query":
            context[column.name] = _features(batch[column.name], column)
        else:
            document[column.name] = _features(batch[column.name].flatten(), column)
    starts = _starts(batch["document_id"])
    return wire.list_records(wire.example(document), starts, wire.example(context))


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
        ids = [_get(example, _DOCUMENT_ID).decode() for example in elwc.examples]
        labels, weights, positions = (
            column.array([_get(example, column) for example in elwc.examples]) for column in (LABEL, _WEIGHT, _POSITION)
        )
        weights[np.isnan(weights)] = 1
        positions[positions == MISSING_INT] = 0
        request = RankRequest(_get(elwc.context, _QUERY_ID).decode(), ids, tensors)
        yield JudgedList(request, labels, weights, positions)


def _features(values: pa.Array, column: Column) -> wire.Feature:
    """A Feature for each value, where it is not missing."""
    if column.multivalued:
        starts = _starts(values)
        return wire.texts(values.flatten(), starts, np.diff(starts) > 0)
    if column.dtype == "string":
        return wire.texts(values)
    if column.width is not None:
        numbers = values.flatten().to_numpy().reshape(-1, column.width)
        return wire.floats(numbers, ~np.isnan(numbers).all(axis=1))
    numbers = values.to_numpy()
    if column.dtype == "float32":
        return wire.floats(numbers, ~np.isnan(numbers))
    missing = 0 if column == _POSITION else MISSING_INT
    return wire.integers(numbers, np.arange(len(numbers) + 1), numbers != missing)


def _starts(lists: pa.Array) -> np.ndarray:
    """int64 `[lists + 1]`: the first value of each list among all, and their number."""
    return np.append(0, np.cumsum(pc.list_value_length(lists).to_numpy(), dtype=np.int64))


def _get(example: Any, column: Column) -> Any:
    feature = example.features.feature[column.name]
    kinds = {"string": feature.bytes_list, "float32": feature.float_list, "int64": feature.int64_list}
    values = kinds[column.dtype].value
    if column.multivalued:
        return list(values)
    if column.width is not None:
        return values or [np.nan] * column.width
    return values[0] if values else {"string": b"", "float32": np.nan, "int64": MISSING_INT}[column.dtype]
