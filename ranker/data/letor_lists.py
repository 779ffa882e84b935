"""Connector: LETOR files, one per split, to batches of lists with all features in one vector column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.data_error import DataError
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.letor import LetorBlock, LetorScan, read_letor, scan_letor
from ranker.data.letor_text import has_queries
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import Spill, read_stream
from ranker.data.split import SplitName
from ranker.data.table_files import text_size
from ranker.spec import LetorSource, Spec

__all__ = ["LetorShard", "open_letor", "read_letor_shard"]

_DOCUMENTS_PER_BLOCK = 20_000
_BLOCK_BYTES = 64 << 20  # of features
_MOST_PARTITIONS = 256  # each an open file
_DOCUMENTS_PER_PARTITION = 200_000  # when documents of a query do not follow one another


@dataclass(frozen=True)
class LetorShard:
    """A file of lists.

    Attributes:
        path: the file.
        split: that the source gives it.
        features: number of columns.
        base: smallest feature index.
        missing_nan: NaN is a missing value.
        regrouped: folder with its documents by query, where the file itself does not have them so; or "".
    """

    path: str
    split: SplitName
    features: int
    base: int
    missing_nan: bool
    regrouped: str = ""


def open_letor(spec: Spec, temporary: Path, rejected: RejectedRows) -> tuple[list[LetorShard], LetorScan]:
    """Scan the files: how many features they have, and whether documents of a query follow one another.

    Args:
        spec: names the files.
        temporary: a folder; it has to stay until the last list was read.
        rejected: takes the rows of files that have to be regrouped; those of others are set aside when read.

    Returns:
        a shard per file, and what all files have in common.

    Raises:
        RankerError: for a file that cannot be read, or has no valid document.
    """
    source = spec.data.sources[0]
    assert isinstance(source, LetorSource)  # noqa: S101 - narrows the type
    given: dict[SplitName, str | None] = {"train": source.train, "valid": source.valid, "test": source.test}
    paths = {split: spec.path(file) for split, file in given.items() if file is not None}
    scans = {split: scan_letor(path) for split, path in paths.items()}
    for split, scan in scans.items():
        if scan.features == 0:
            raise DataError(f"{paths[split]}: no valid `label qid:n index:value ...` line with a feature")
    whole = scans["train"]
    for scan in scans.values():
        whole = whole.union(scan)
    shards = []
    for split, path in paths.items():
        shard = LetorShard(str(path), split, whole.features, whole.base, source.missing == "nan")
        shards.append(shard if scans[split].contiguous else _regroup(shard, temporary, rejected))
    return shards, whole


def read_letor_shard(
    shard: LetorShard, column: str, lists_per_batch: int, rejected: RejectedRows | None
) -> Iterator[pa.RecordBatch]:
    """The lists of a file.

    Args:
        shard: as `open_letor` made it.
        column: name of the vector column.
        lists_per_batch: rows of a batch at the most.
        rejected: takes the rows that cannot be used, or None where they were told before.

    Yields:
        batches with `ranker.data.columns.list_schema`.
    """
    documents = _regrouped(shard, rejected) if shard.regrouped else _documents(shard, rejected, by_line=False)
    for rows in documents:
        yield from _lists(rows, column, lists_per_batch)


# --- documents: rows of `_schema`, those of a query together ----------------------------------------------------------


def _schema(features: int) -> pa.Schema:
    vector = pa.list_(pa.float32(), features)
    ids = [("query_id", pa.string()), ("document_id", pa.string())]
    return pa.schema([*ids, ("label", pa.float32()), ("features", vector), ("line", pa.int64())])


def _documents(shard: LetorShard, rejected: RejectedRows | None, by_line: bool) -> Iterator[pa.RecordBatch]:
    """The documents of a file, in its order; those without an id get their line, or their place in the list, as one.

    The place is that in the run of lines with the same qid, so it will not do where a qid comes back.
    """
    path = Path(shard.path)
    # Lists of a group file have no name but their number, which is the same in each file.
    prefix = "" if has_queries(path) else f"{shard.split}-"
    blocks = read_letor(
        path,
        features=shard.features,
        base=shard.base,
        documents_per_block=max(1, min(_DOCUMENTS_PER_BLOCK, _BLOCK_BYTES // (4 * shard.features))),
        missing_nan=shard.missing_nan,
    )
    for block, bad in blocks:
        if rejected is not None:
            for row in bad:
                rejected.add(path.name, row.line, row.reason, row.text)
        yield _distinct(_rows(block, prefix, shard.features, by_line), path.name, rejected)


def _rows(block: LetorBlock, prefix: str, features: int, by_line: bool) -> pa.RecordBatch:
    sizes = np.diff(block.offsets)
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    names = pa.array([prefix + name for name in block.query_ids.to_pylist()], pa.string())
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(block.features.reshape(-1)), features)
    document_ids = block.document_ids
    if by_line:
        document_ids = pc.if_else(pa.array(block.named), document_ids, pa.array(block.lines).cast(pa.string()))
    ids = [names.take(pa.array(numbers)), document_ids]
    columns = [*ids, pa.array(block.labels), vectors, pa.array(block.lines)]
    return pa.RecordBatch.from_arrays(columns, schema=_schema(features))


def _distinct(rows: pa.RecordBatch, file: str, rejected: RejectedRows | None) -> pa.RecordBatch:
    """The first row of each query and document."""
    queries, documents = (
        rows[name].dictionary_encode().indices.to_numpy().astype(np.int64) for name in ("query_id", "document_id")
    )
    repeated = np.ones(rows.num_rows, bool)
    repeated[np.unique(queries * (rows.num_rows + 1) + documents, return_index=True)[1]] = False
    if not repeated.any():
        return rows
    if rejected is not None:
        for row in rows.select(["query_id", "document_id", "line"]).filter(pa.array(repeated)).to_pylist():
            text = f"{row['query_id']}, {row['document_id']}"
            rejected.add(file, row["line"], "duplicate (query, document) pair", text)
    return rows.filter(pa.array(~repeated))


def _lists(rows: pa.RecordBatch, column: str, lists_per_batch: int) -> Iterator[pa.RecordBatch]:
    if not rows.num_rows:
        return
    queries = rows["query_id"].dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(queries, prepend=-1))
    bounds = np.append(starts, rows.num_rows)
    for first in range(0, len(starts), lists_per_batch):
        inside = bounds[first : first + lists_per_batch + 1]
        part = rows.slice(inside[0], inside[-1] - inside[0])
        offsets = pa.array(inside - inside[0], pa.int32())
        columns = {
            "query_id": part["query_id"].take(pa.array(inside[:-1] - inside[0])),
            "document_id": pa.ListArray.from_arrays(offsets, _compact(part["document_id"])),
            "label": pa.ListArray.from_arrays(offsets, _compact(part["label"])),
            column: pa.ListArray.from_arrays(offsets, _compact(part["features"])),
        }
        yield pa.RecordBatch.from_pydict(columns)


def _compact(values: pa.Array) -> pa.Array:
    """The same values in an array of their own, from offset 0."""
    return pa.concat_arrays([values])


# --- files whose documents of a query do not follow one another -------------------------------------------------------


def _regroup(shard: LetorShard, temporary: Path, rejected: RejectedRows) -> LetorShard:
    """Spread the documents over partitions by query, so that each can be sorted in memory."""
    directory = temporary / f"letor-{shard.split}"
    spill = Spill(directory, _schema(shard.features), _partitions(shard))
    for rows in _documents(shard, rejected, by_line=True):
        spill.write(rows, partition_of(hash_ids(rows["query_id"]), spill.partitions))
    spill.close()
    return LetorShard(**(vars(shard) | {"regrouped": str(directory)}))


def _partitions(shard: LetorShard) -> int:
    bytes_per_document = 8 * shard.features  # of text, roughly
    partitions = 1 + text_size(Path(shard.path)) // (bytes_per_document * _DOCUMENTS_PER_PARTITION)
    return min(partitions, _MOST_PARTITIONS)


def _regrouped(shard: LetorShard, rejected: RejectedRows | None) -> Iterator[pa.RecordBatch]:
    for file in sorted(Path(shard.regrouped).iterdir()):
        rows = pa.concat_batches(list(read_stream(file)))
        order = np.argsort(rows["query_id"].dictionary_encode().indices.to_numpy(), kind="stable")
        yield _distinct(rows.take(pa.array(order)), Path(shard.path).name, rejected)
