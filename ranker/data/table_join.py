"""The join of tables to lists, by partitions on disk: no table has to fit into memory.

Documents and judgments are spread by a hash of the document id and joined one partition at a time; the result is
spread, with the queries, by a hash of the query id, and each partition becomes lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.columns import Column, list_schema, raw_columns
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source_table import DOCUMENT, PLACE, QUERY, Count, Mask, SourceTable, coded, take
from ranker.data.spill import Spill, write_options
from ranker.data.table_files import text_size
from ranker.spec import Spec

__all__ = ["distinct_texts", "join_table", "join_tables", "lists_file"]

_PARTITION = 16 << 20  # bytes of rows that are worked on at once
_MOST_PARTITIONS = 256  # as many files are open at once
_BATCH = 4 << 20  # bytes of the lists that are written at once

_Ints = npt.NDArray[np.int64]


def join_tables(
    spec: Spec,
    paths: dict[str, list[Path]],
    directory: Path,
    shards: int,
    rejected: RejectedRows,
    progress: Callable[[int], None],
) -> int:
    """Join queries, documents and judgments; write the lists into `directory`.

    Args:
        spec: names the columns.
        paths: files by role: queries, documents, judgments.
        directory: takes the files of lists (see `lists_file`); spilled rows are there meanwhile.
        shards: into how many files the lists go at least.
        rejected: takes the rows that cannot be used.
        progress: told how many rows were read.

    Returns:
        the number of lists.
    """
    count = Count(progress)
    of_query, of_document = _columns(spec, "query"), _columns(spec, "document")
    documents, judgments, queries = (
        SourceTable(spec, paths[role], ids, columns, count, label=role == "judgments")
        for role, ids, columns in (
            ("documents", (DOCUMENT,), of_document),
            ("judgments", (QUERY, DOCUMENT), []),
            ("queries", (QUERY,), of_query),
        )
    )
    ways = _ways(sum(text_size(path) for role in ("documents", "judgments") for path in paths[role]))
    by_document = {
        role: table.spill(directory / role, DOCUMENT, ways, rejected.add)
        for role, table in (("documents", documents), ("judgments", judgments))
    }
    size = by_document["judgments"].nbytes + by_document["judgments"].rows * _mean_size(by_document["documents"])
    parts = _parts(size + sum(text_size(path) for path in paths["queries"]), shards)
    by_query = queries.spill(directory / "queries", QUERY, parts, rejected.add)
    schema = pa.schema([*judgments.schema, *(documents.schema.field(c.name) for c in of_document)])
    joined = Spill(directory / "joined", schema, parts)
    for part in range(ways):
        _join_documents(by_document, part, joined, documents, judgments, rejected)
    joined.close()
    lists = 0
    for part in range(parts):
        known = queries.distinct(by_query.read_whole(part), QUERY, rejected)
        rows = joined.read_whole(part)
        of_row = pc.index_in(rows[QUERY], value_set=known[QUERY])
        unknown = pc.is_null(of_row).to_numpy(zero_copy_only=False)
        judgments.reject(rows, unknown, "unknown query id", rejected.add)
        rows, of_row = take(rows, ~unknown), of_row.drop_null().to_numpy().astype(np.int64)
        if without := known.num_rows - len(np.unique(of_row)):
            rejected.unused["query without documents"] += without
        file = lists_file(directory, part, parts, shards)
        lists += _write_lists(spec, known, rows, of_row, file, judgments, rejected)
    return lists


def join_table(
    spec: Spec,
    paths: list[Path],
    directory: Path,
    shards: int,
    rejected: RejectedRows,
    progress: Callable[[int], None],
) -> int:
    """Group a table that has one row per query and document; arguments as for `join_tables`.

    The values of a query are those of its first row.
    """
    columns = [*_columns(spec, "query"), *_columns(spec, "document")]
    table = SourceTable(spec, paths, (QUERY, DOCUMENT), columns, Count(progress), label=True)
    parts = _parts(sum(text_size(path) for path in paths), shards)
    by_query = table.spill(directory / "rows", QUERY, parts, rejected.add)
    lists = 0
    for part in range(parts):
        rows = by_query.read_whole(part)
        _, first, of_row = coded(rows[QUERY])
        queries = rows.select([QUERY, *(c.name for c in _columns(spec, "query"))]).take(pa.array(first))
        file = lists_file(directory, part, parts, shards)
        lists += _write_lists(spec, queries, rows, of_row, file, table, rejected)
    return lists


def distinct_texts(
    spec: Spec,
    paths: list[Path],
    names: list[str],
    directory: Path,
    keep: Callable[[pa.StringArray], Mask] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Text columns of the documents of a table, each distinct document once: its first row.

    Args:
        spec: names the id columns.
        paths: files of a table of documents, or with `keep`, of queries and documents.
        names: the columns.
        directory: for spilled rows.
        keep: which rows count, by their query ids.
    """
    columns = [Column(name, "document", "string") for name in names]
    ids = (DOCUMENT,) if keep is None else (QUERY, DOCUMENT)
    table = SourceTable(spec, paths, ids, columns, Count(lambda _: None), label=keep is not None)
    ways = _ways(sum(text_size(path) for path in paths))
    spilled = table.spill(directory / "texts", DOCUMENT, ways, _ignore, keep)
    for part in range(ways):
        rows = spilled.read_whole(part)
        _, first, _ = coded(rows[DOCUMENT])
        texts = rows.select(names).take(pa.array(np.sort(first)))
        size = _rows_of_size(texts, _BATCH)
        for start in range(0, texts.num_rows, size):
            yield texts.slice(start, size)


def lists_file(directory: Path, part: int, parts: int, shards: int) -> Path:
    """The file of a partition; the name begins with the number of its shard."""
    per_shard = parts // shards
    return directory / f"{part // per_shard:05d}-{part % per_shard:05d}.arrow"


# --- the two joins ----------------------------------------------------------------------------------------------------


def _join_documents(
    spilled: dict[str, Spill],
    part: int,
    joined: Spill,
    documents: SourceTable,
    judgments: SourceTable,
    rejected: RejectedRows,
) -> None:
    known = documents.distinct(spilled["documents"].read_whole(part), DOCUMENT, rejected)
    values = known.select([c.name for c in documents.columns])
    sizes = _row_sizes(values)
    for rows in _joined_up(spilled["judgments"].read(part)):
        of_row = pc.index_in(rows[DOCUMENT], value_set=known[DOCUMENT])
        unknown = pc.is_null(of_row).to_numpy(zero_copy_only=False)
        judgments.reject(rows, unknown, "unknown document id", rejected.add)
        sound, document = take(rows, ~unknown), of_row.drop_null().to_numpy()
        for start, end in _stretches(sizes[document], _BATCH):
            batch = sound.slice(start, end - start)
            columns = [*batch.columns, *values.take(pa.array(document[start:end])).columns]
            whole = pa.RecordBatch.from_arrays(columns, names=[*sound.schema.names, *values.schema.names])
            joined.write(whole, partition_of(hash_ids(whole[QUERY]), joined.partitions))


def _write_lists(
    spec: Spec,
    queries: pa.RecordBatch,
    rows: pa.RecordBatch,
    of_row: _Ints,
    path: Path,
    table: SourceTable,
    rejected: RejectedRows,
) -> int:
    """Write the lists of a partition, by the hash of the query id; documents in the order of their rows.

    Args:
        spec: names the columns.
        queries: distinct queries.
        rows: documents of the lists, with their labels.
        of_row: the query of each, as a place in `queries`.
        path: the file to write.
        table: where the rows come from.
        rejected: takes the second row of a query and document.

    Returns:
        the number of lists.
    """
    columns = raw_columns(spec)
    schema = list_schema(columns)
    hashed = pa.table({"hash": hash_ids(queries[QUERY]), "id": queries[QUERY]})
    rank = np.empty(queries.num_rows, np.int64)
    ranked = pc.sort_indices(hashed, [("hash", "ascending"), ("id", "ascending")]).to_numpy()
    rank[ranked] = np.arange(queries.num_rows)
    order = np.lexsort((rows[PLACE].to_numpy(), rank[of_row]))
    document = coded(rows[DOCUMENT])[0]
    again = np.zeros(rows.num_rows, bool)
    again[order] = _repeated(rank[of_row][order], document[order])
    table.reject(rows, again, "duplicate (query, document) pair", rejected.add)
    order = order[~again[order]]
    rank_of = rank[of_row[order]]
    starts = np.flatnonzero(np.diff(rank_of, prepend=-1))
    offsets = np.append(starts, len(order))
    lists_per_batch = max(1, _BATCH * len(starts) // max(rows.nbytes, 1))
    with pa.ipc.new_stream(str(path), schema, options=write_options()) as writer:
        for first in range(0, len(starts), lists_per_batch):
            bounds = offsets[first : first + lists_per_batch + 1]
            inside = rows.take(pa.array(order[bounds[0] : bounds[-1]]))
            heads = queries.take(pa.array(ranked[rank_of[bounds[:-1]]]))
            writer.write_batch(_lists(columns, schema, heads, inside, bounds - bounds[0]))
    return len(starts)


def _lists(
    columns: list[Column], schema: pa.Schema, queries: pa.RecordBatch, rows: pa.RecordBatch, bounds: _Ints
) -> pa.RecordBatch:
    offsets = pa.array(bounds, pa.int32())
    of_query = {QUERY, *(c.name for c in columns if c.scope == "query")}
    arrays = [
        queries[name] if name in of_query else pa.ListArray.from_arrays(offsets, rows[name]) for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


# --- rows -------------------------------------------------------------------------------------------------------------


def _repeated(*keys: _Ints) -> Mask:
    """Where a row has the same keys as an earlier row."""
    order = np.lexsort(keys[::-1])
    same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
    repeated = np.zeros(len(order), bool)
    repeated[order[1:]] = same
    return repeated


def _ignore(file: str, line: int, reason: str, row: str) -> None:
    """Reject a row that was or will be reported elsewhere."""


def _columns(spec: Spec, scope: str) -> list[Column]:
    return [column for column in raw_columns(spec) if column.scope == scope]


# --- sizes ------------------------------------------------------------------------------------------------------------


def _ways(size: float) -> int:
    return min(_MOST_PARTITIONS, 1 + int(size) // _PARTITION)


def _parts(size: float, shards: int) -> int:
    """Number of partitions, a multiple of that of the shards."""
    return shards * max(1, -(-_ways(size) // shards))


def _mean_size(spill: Spill) -> float:
    return spill.nbytes / max(spill.rows, 1)


def _rows_of_size(rows: pa.RecordBatch, size: int) -> int:
    return max(1, size * rows.num_rows // max(rows.nbytes, 1))


def _row_sizes(rows: pa.RecordBatch) -> _Ints:
    """Bytes of each row, about."""
    sizes = np.full(rows.num_rows, 8, np.int64)
    for column in rows.columns:
        sizes += pc.binary_length(column).to_numpy() if column.type == pa.string() else 4
    return sizes


def _stretches(sizes: _Ints, most: int) -> Iterator[tuple[int, int]]:
    """Consecutive rows of about `most` bytes: (first, behind the last)."""
    if len(sizes):
        cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // most)) + 1
        bounds = [0, *cuts.tolist(), len(sizes)]
        yield from pairwise(bounds)


def _joined_up(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in larger batches: each costs a hash table of the documents of its partition."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(one.nbytes for one in held) >= _BATCH * 2:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)
