"""Score tables of a dataset's lists: scores of all models, labels, and the features that slices need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ranker.data.columns import MISSING_INT, Column
from ranker.data.elwc.records import JudgedList

__all__ = ["column_names", "score_batches"]

_ROWS = 1 << 16  # of a batch
_TAKEN = ("query_id", "document_id", "label", "judged")

Score = Callable[[JudgedList], Mapping[str, np.ndarray]]


def column_names(features: Sequence[str], models: Sequence[str]) -> dict[str, str]:
    """The column of each feature in the score table: its name, if that is not one of another column."""
    taken = {*_TAKEN, *models}
    return {name: f"{name} (feature)" if name in taken else name for name in features}


def score_batches(
    lists: Iterator[JudgedList],
    score: Score,
    columns: Mapping[str, Column],
    cluster: str | None = None,
    counts: Mapping[str, Mapping[str, int]] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Rows of a score table, `query_id`, `document_id` and `label`, a column for each model and each feature.

    What a feature misses is null; a list without a value of the cluster is a cluster of its own.

    Args:
        lists: the lists.
        score: float32 `[list]` by model.
        columns: raw features by the names of their columns in the table.
        cluster: one of these names.
        counts: further columns by name, each with a number by document id, 0 for all others.
    """
    held: list[tuple[JudgedList, Mapping[str, np.ndarray]]] = []
    rows = 0
    for judged in lists:
        held.append((judged, score(judged)))
        rows += len(judged.labels)
        if rows >= _ROWS:
            yield _batch(held, columns, cluster, counts or {})
            held, rows = [], 0
    if held:
        yield _batch(held, columns, cluster, counts or {})


def _batch(
    held: Sequence[tuple[JudgedList, Mapping[str, np.ndarray]]],
    columns: Mapping[str, Column],
    cluster: str | None,
    counts: Mapping[str, Mapping[str, int]],
) -> pa.RecordBatch:
    sizes = [len(judged.labels) for judged, _ in held]
    of_row = np.repeat(np.arange(len(held)), sizes)
    queries = pa.array([judged.request.query_id for judged, _ in held], pa.string())
    found: dict[str, Any] = {
        "query_id": queries.take(pa.array(of_row)),
        "document_id": pa.array([name for judged, _ in held for name in judged.request.document_ids], pa.string()),
        "label": np.concatenate([judged.labels for judged, _ in held]),
    }
    found |= {model: np.concatenate([scores[model] for _, scores in held]) for model in held[0][1]}
    for name, column in columns.items():
        tensors = [judged.request.tensors[column.name] for judged, _ in held]
        if column.scope == "query":
            values = _values(column, [tensor[0] for tensor in tensors])
            if name == cluster:
                values = values.cast(pa.string()).fill_null("")
                values = pa.array([u or q for u, q in zip(values.to_pylist(), queries.to_pylist(), strict=True)])
            found[name] = values.take(pa.array(of_row))
        else:
            found[name] = _values(column, [value for tensor in tensors for value in tensor[0]])
    ids = found["document_id"].to_pylist()
    found |= {name: pa.array([of.get(one, 0) for one in ids], pa.int64()) for name, of in counts.items()}
    return pa.RecordBatch.from_pydict(found)


def _values(column: Column, values: Sequence[Any]) -> pa.Array:
    """Values of a feature; null is missing."""
    if column.multivalued:
        return pa.array([[text.decode() for text in value if text] for value in values], pa.list_(pa.string()))
    if column.dtype == "string":
        return pa.array([value.decode() or None for value in values], pa.string())
    if column.width is not None:
        flat = pa.array(np.array(values, np.float32).ravel())
        return pa.FixedSizeListArray.from_arrays(flat, column.width)
    numbers = np.array(values)
    missing = np.isnan(numbers) if column.dtype == "float32" else numbers == MISSING_INT
    return pa.array(numbers, mask=missing)
