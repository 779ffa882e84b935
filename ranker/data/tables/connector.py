"""Connector: queries, documents and judgments as tables, or all in one table, to lists that are read shard by shard."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.candidates.join import join_candidates
from ranker.data.clicks.propensities import Propensities
from ranker.data.columns import schema_of
from ranker.data.data_error import DataError
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import read_stream
from ranker.data.split import SplitBounds, SplitName
from ranker.data.tables.join import Joined, TableJoin, join_table, join_tables
from ranker.data.tables.list_files import lists_files
from ranker.data.tables.roles import source_paths, table_files
from ranker.data.tables.source_table import Count
from ranker.data.tables.texts import read_document_texts, read_documents, read_list_texts, read_queries
from ranker.data.tables.whole_lists import read_whole_lists
from ranker.spec import JudgedCandidates, Spec

__all__ = [
    "DataError",
    "SpilledTables",
    "TablesShard",
    "read_document_texts",
    "read_documents",
    "read_queries",
    "read_shard",
    "read_training_texts",
    "source_paths",
    "spill_tables",
]

_MOST_BYTES = 32 << 20  # of a batch with more than one list


@dataclass(frozen=True)
class TablesShard:
    """A part of the lists, as files under `directory`; `number` of `of`, from 0."""

    directory: str
    number: int
    of: int


@dataclass(frozen=True)
class SpilledTables:
    """The lists of tables, as files.

    Attributes:
        shards: to be read by `read_shard`.
        rejected: the rows that were set aside.
        bounds: of a split by time.
        propensities: of positions in a log of clicks, if the spec wants them.
        lists: how many there are.
    """

    shards: list[TablesShard]
    rejected: RejectedRows
    bounds: SplitBounds | None = None
    propensities: Propensities | None = None
    lists: int = 0


def spill_tables(
    spec: Spec,
    temporary: Path,
    shards: int = 8,
    progress: Callable[[int], None] | None = None,
    rejected: RejectedRows | None = None,
    candidates: Path | None = None,
) -> SpilledTables:
    """Read the tables once and write their lists into files, to be read by `read_shard` as often as needed.

    Rows that cannot be used are set aside. Memory is that of one partition and a few blocks: about 200 MB up to some
    4 GB of rows, beyond which partitions grow with the tables, since at most 256 files are open at once. With
    candidates other than those judged, it is also that of the ids of all documents, and with a split by time that of an
    int64 per list. Disk under `temporary` is about twice the size of the joined rows.

    Args:
        spec: names the files and columns.
        temporary: a folder; it has to stay until the last list was read.
        shards: number of shards to make; all of them together are the same lists in the same order, whatever it is.
        progress: told the number of rows read so far.
        rejected: takes the rows that cannot be used, and stays open; without it they go to a file under `temporary`.
        candidates: Parquet file with the columns `query_id` and `document_id`, for candidates from bm25.

    Raises:
        DataError: for faults of whole files; if no list is left.
    """
    files = table_files(spec)
    directory = Path(tempfile.mkdtemp(prefix="tables-", dir=temporary))
    aside = RejectedRows(directory / "rejected.jsonl") if rejected is None else rejected
    join = TableJoin(spec, files, directory, shards, aside, Count(progress or (lambda _: None)))
    try:
        joined = _join(join, candidates)
    finally:
        if rejected is None:
            aside.close()
    if not joined.lists:
        named = ", ".join(str(path) for path in files["table" if "table" in files else "judgments"].paths)
        raise DataError(f"{named}: no lists; rows set aside: {aside.by_reason}; first: {next(iter(aside), None)}")
    made = [TablesShard(str(directory), number, shards) for number in range(shards)]
    return SpilledTables(made, aside, joined.bounds, joined.propensities, joined.lists)


def read_shard(spec: Spec, shard: TablesShard, split: SplitName, lists_per_batch: int) -> Iterator[pa.RecordBatch]:
    """The lists of a split in a shard, by the hash of their query ids.

    Documents are in the order of the rows of judgments, or in that of a hash if there are others than those judged.

    Args:
        spec: as given to `spill_tables`.
        shard: as made by it.
        split: which lists.
        lists_per_batch: rows of each batch but the last; fewer where these would be very large.

    Yields:
        batches with `ranker.data.columns.schema_of`, whose arrays start at offset 0.
    """
    directory = Path(shard.directory)
    yield from _in_batches(_lists(spec, directory, shard.number, split), lists_per_batch)
    yield from _in_batches(read_whole_lists(spec, directory, shard.number, split), lists_per_batch)


def read_training_texts(
    shards: Iterable[TablesShard], names: list[str], temporary: Path | None = None
) -> Iterator[pa.RecordBatch]:
    """String columns of the documents of the training lists of a single table, each distinct document once.

    Args:
        shards: as made by `spill_tables`.
        names: the columns.
        temporary: where to spill.
    """
    files = [file for shard in shards for file in lists_files(Path(shard.directory), shard.number, "train")]
    yield from read_list_texts(files, names, temporary)


def _join(join: TableJoin, candidates: Path | None) -> Joined:
    if "table" in join.files:
        return join_table(join)
    if isinstance(join.spec.data.candidates, JudgedCandidates):
        return join_tables(join)
    return join_candidates(join, candidates)


def _lists(spec: Spec, directory: Path, shard: int, split: SplitName) -> Iterator[pa.RecordBatch]:
    schema = schema_of(spec)
    for file in lists_files(directory, shard, split):
        for batch in read_stream(file):
            if batch.schema != schema:
                raise ValueError(f"{file} is of another spec: expected {schema.names}, got {batch.schema.names}")
            yield batch


def _in_batches(batches: Iterator[pa.RecordBatch], lists_per_batch: int) -> Iterator[pa.RecordBatch]:
    """The same lists in batches of so many, or of so many bytes."""
    held: list[pa.RecordBatch] = []
    lists = size = 0
    for batch in batches:
        if held and size + batch.nbytes > _MOST_BYTES:
            yield _own(held)
            held, lists, size = [], 0, 0
        start = 0
        while start < batch.num_rows:
            held.append(batch.slice(start, lists_per_batch - lists))
            start += held[-1].num_rows
            lists += held[-1].num_rows
            size += held[-1].nbytes
            if lists == lists_per_batch:
                yield _own(held)
                held, lists, size = [], 0, 0
    if held:
        yield _own(held)


def _own(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """The same rows as arrays of their own, not as views with an offset."""
    if len(batches) > 1:
        return pa.concat_batches(batches)
    return batches[0].take(pa.array(np.arange(batches[0].num_rows)))
