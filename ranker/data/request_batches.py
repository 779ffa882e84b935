"""Requests as batches of lists, as the sources give them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ranker.data.columns import Column, list_schema
from ranker.data.requests import RankRequest

__all__ = ["request_batch"]


def request_batch(requests: Sequence[RankRequest], columns: Sequence[Column], names: Sequence[str]) -> pa.RecordBatch:
    """A batch of lists without labels, see `ranker.data.columns.list_schema`.

    Args:
        requests: one list each.
        columns: the raw columns; requests have tensors of them.
        names: what to call the lists, each something else.
    """
    schema = list_schema(columns, ())
    lengths = np.array([len(request.document_ids) for request in requests], np.int64)
    ids = [i for request in requests for i in request.document_ids]
    arrays = {"query_id": pa.array(names, pa.string()), "document_id": _lists(pa.array(ids, pa.string()), lengths)}
    for column in columns:
        # Without the axis of the batch, which has one list: `[values, ...]`, or for a query column a value.
        tensors = [request.tensors[column.name] for request in requests]
        if column.scope == "document":
            arrays[column.name] = _lists(_values([tensor[0] for tensor in tensors], column), lengths)
        else:
            arrays[column.name] = _values(tensors, column)
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def _values(tensors: Sequence[np.ndarray], column: Column) -> pa.Array:
    """The values of `[values, ...]` each, one after the other."""
    if column.multivalued:
        rows = [[text for text in row if text] for tensor in tensors for row in tensor.tolist()]
        lengths = np.array([len(row) for row in rows], np.int64)
        return _lists(_texts([text for row in rows for text in row]), lengths)
    if column.dtype == "string":
        return _texts([text for tensor in tensors for text in tensor.tolist()])
    values = pa.array(np.concatenate([tensor.ravel() for tensor in tensors]))
    return values if column.width is None else pa.FixedSizeListArray.from_arrays(values, column.width)


def _texts(texts: list[bytes]) -> pa.StringArray:
    return pa.array(texts, pa.binary()).cast(pa.string())


def _lists(values: pa.Array, lengths: np.ndarray) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(lengths)), pa.int32()), values)
