"""Connector: queries, documents and judgments as three tables, joined on their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json

from ranker.data.columns import Column, list_schema, raw_columns
from ranker.errors import RankerError
from ranker.spec import Spec, TablesSource

__all__ = ["DataError", "read_documents", "read_lists", "source_files"]

_BLOCK = 16 << 20  # bytes; no row may be longer


class DataError(RankerError):
    """The data cannot be used; the message says which file and row, what was expected and found."""


def source_files(spec: Spec) -> dict[str, Path]:
    """The files of the source, by their role: queries, documents, judgments."""
    source = _source(spec)
    return {role: spec.path(getattr(source, role)) for role in ("queries", "documents", "judgments")}


def read_documents(spec: Spec, names: list[str]) -> pa.Table:
    """String columns `names` of the documents table, each distinct document once, missing as ""."""
    columns = [Column(name, "document", "string") for name in names]
    return _read_keyed(source_files(spec)["documents"], "document_id", spec.data.document_id, columns).select(names)


def read_lists(spec: Spec, lists_per_batch: int) -> Iterator[pa.RecordBatch]:
    """Batches of whole lists, queries in the order of the queries table.

    The three tables are held in memory. Queries without a judgment make no list.

    Args:
        spec: names the files and columns.
        lists_per_batch: rows of a batch at the most.

    Yields:
        batches with `ranker.data.columns.list_schema`.

    Raises:
        DataError: for the first kind of fault found, with its count and first example.
    """
    columns = raw_columns(spec)
    files = source_files(spec)
    of_query, of_document = ([c for c in columns if c.scope == scope] for scope in ("query", "document"))
    queries = _read_keyed(files["queries"], "query_id", spec.data.query_id, of_query)
    documents = _read_keyed(files["documents"], "document_id", spec.data.document_id, of_document)
    judgments = _read_judgments(files["judgments"], spec)
    query_row = _rows_of(judgments["query_id"], queries["query_id"], files["judgments"], files["queries"])
    document_row = _rows_of(judgments["document_id"], documents["document_id"], files["judgments"], files["documents"])
    order = np.argsort(query_row, kind="stable")
    query_row, document_row, labels = query_row[order], document_row[order], judgments["label"].to_numpy()[order]
    _refuse(
        _repeated(query_row, document_row),
        files["judgments"],
        "(query, document) pair judged before",
        lambda at: f"{queries['query_id'][int(query_row[at])]}, {documents['document_id'][int(document_row[at])]}",
    )
    starts = np.flatnonzero(np.diff(query_row, prepend=-1))
    offsets = np.append(starts, len(query_row))
    for first in range(0, len(starts), lists_per_batch):
        bounds = offsets[first : first + lists_per_batch + 1]
        inside = slice(bounds[0], bounds[-1])
        yield _batch(
            columns, queries.take(query_row[bounds[:-1]]), documents.take(document_row[inside]), labels[inside], bounds
        )


def _source(spec: Spec) -> TablesSource:
    return spec.data.sources[0]


def _batch(
    columns: list[Column], queries: pa.Table, documents: pa.Table, labels: np.ndarray, bounds: np.ndarray
) -> pa.RecordBatch:
    offsets = pa.array(bounds - bounds[0], pa.int32())

    def lists(values: pa.Array) -> pa.ListArray:
        return pa.ListArray.from_arrays(offsets, values)

    arrays = {"query_id": queries["query_id"].combine_chunks(), "label": lists(pa.array(labels, pa.float32()))}
    arrays |= {"document_id": lists(documents["document_id"].combine_chunks())}
    for column in columns:
        if column.scope == "query":
            arrays[column.name] = queries[column.name].combine_chunks()
        else:
            arrays[column.name] = lists(documents[column.name].combine_chunks())
    schema = list_schema(columns)
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


# --- reading one table ----------------------------------------------------------------------------------------------


def _read_keyed(path: Path, name: str, key: str, columns: list[Column]) -> pa.Table:
    """A table's ids, distinct, from column `key` and called `name` from here on, with its `columns`."""
    table = _read(path, [key, *(c.name for c in columns if c.dtype == "string")])
    ids = _strings(path, table, key)
    _refuse(pc.equal(ids, "").to_numpy(), path, f"row without {key!r}", lambda at: f"row {at + 1}")
    values = [ids] + [(_strings if c.dtype == "string" else _numbers)(path, table, c.name) for c in columns]
    repeated = _repeated(ids.dictionary_encode().combine_chunks().indices.to_numpy())
    _refuse(repeated, path, f"{key!r} used before", lambda at: f"{ids[at]} in row {at + 1}")
    return pa.table(values, names=[name, *(c.name for c in columns)])


def _read_judgments(path: Path, spec: Spec) -> pa.Table:
    table = _read(path, [spec.data.query_id, spec.data.document_id])
    labels = _numbers(path, table, spec.data.label)
    bad = ~(labels.to_numpy() >= 0)
    _refuse(bad, path, "label that is not a number >= 0", lambda at: f"{labels[at]} in row {at + 1}")
    ids = [_strings(path, table, spec.data.query_id), _strings(path, table, spec.data.document_id)]
    return pa.table([*ids, labels], names=["query_id", "document_id", "label"])


def _read(path: Path, strings: list[str]) -> pa.Table:
    """Read a whole file; texts in the columns `strings` stay as they are written ("007" is not 7)."""
    readers = {".jsonl": _read_json, ".csv": _read_csv}
    ending = path.with_suffix("").suffix if path.suffix in (".gz", ".zst") else path.suffix
    if ending not in readers:
        raise DataError(f"{path}: cannot tell the format from {ending!r}; expected .jsonl or .csv (also .gz, .zst)")
    try:
        table = readers[ending](path, strings)
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error}") from None
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: not valid {ending[1:].upper()}: {error}") from None
    if not table.num_rows:
        raise DataError(f"{path}: no rows; expected at least one")
    return table


def _read_csv(path: Path, strings: list[str]) -> pa.Table:
    with pa.input_stream(str(path), compression="detect") as stream:
        return pyarrow.csv.read_csv(
            stream,
            pyarrow.csv.ReadOptions(block_size=_BLOCK),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(strings, pa.string())),
        )


def _read_json(path: Path, strings: list[str]) -> pa.Table:
    """Arrow takes a column for times if all its texts look like times; those of `strings` are then read as text."""

    def read(schema: pa.Schema | None) -> pa.Table:
        with pa.input_stream(str(path), compression="detect") as stream:
            return pyarrow.json.read_json(
                stream, pyarrow.json.ReadOptions(block_size=_BLOCK), pyarrow.json.ParseOptions(explicit_schema=schema)
            )

    table = read(None)
    times = [f.name for f in table.schema if f.name in strings and pa.types.is_timestamp(f.type)]
    return read(pa.schema([(name, pa.string()) for name in times])) if times else table


def _column(path: Path, table: pa.Table, name: str) -> pa.ChunkedArray:
    if (count := table.column_names.count(name)) != 1:
        there_are = f"there are {', '.join(table.column_names)}"
        raise DataError(f"{path}: {f'{count} columns' if count else 'no column'} {name!r}; {there_are}")
    return table[name]


def _strings(path: Path, table: pa.Table, name: str) -> pa.ChunkedArray:
    column = _column(path, table, name)
    try:
        texts = column.cast(pa.string()).fill_null("")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(f"{path}: column {name!r}: expected text, got {column.type}") from None
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: column {name!r}: not UTF-8 text: {error}") from None
    return texts


def _numbers(path: Path, table: pa.Table, name: str) -> pa.ChunkedArray:
    column = _column(path, table, name)
    if pa.types.is_null(column.type):
        column = column.cast(pa.float32())
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(f"{path}: column {name!r}: expected numbers, got {column.type}; e.g. {column[0]}")
    numbers = column.cast(pa.float64(), safe=False).cast(pa.float32(), safe=False).fill_null(np.nan)
    _refuse(np.isinf(numbers.to_numpy()), path, f"infinite {name!r}", lambda at: f"row {at + 1}")
    return numbers


# --- checks ---------------------------------------------------------------------------------------------------------


def _rows_of(ids: pa.ChunkedArray, known: pa.ChunkedArray, path: Path, where: Path) -> np.ndarray:
    rows = pc.index_in(ids, value_set=known).fill_null(-1).to_numpy()
    _refuse(rows < 0, path, f"id that is not in {where}", lambda at: f"{ids[at].as_py()!r} in row {at + 1}")
    return rows


def _repeated(*keys: np.ndarray) -> np.ndarray:
    """Where a row has the same keys as an earlier row."""
    order = np.lexsort(keys[::-1])
    same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
    repeated = np.zeros(len(order), bool)
    repeated[order[1:]] = same
    return repeated


def _refuse(bad: np.ndarray, path: Path, what: str, example: Callable[[int], str]) -> None:
    """Raise a DataError if any row is bad; `example(row)` describes the first."""
    if bad.any():
        raise DataError(f"{path}: {what}: {int(bad.sum())} of {len(bad)} rows, first {example(int(bad.argmax()))}")
