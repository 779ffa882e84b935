"""Connector: queries, documents and judgments as tables, or all in one table, to lists that are read shard by shard."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.columns import list_schema, raw_columns
from ranker.data.data_error import DataError
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source_table import Mask
from ranker.data.spill import read_stream
from ranker.data.split import splits_of
from ranker.data.table_files import table_paths
from ranker.data.table_join import distinct_texts, join_table, join_tables
from ranker.spec import Spec, TableSource, TablesSource

__all__ = [
    "DataError",
    "TablesShard",
    "read_document_texts",
    "read_shard",
    "source_paths",
    "spill_tables",
]


@dataclass(frozen=True)
class TablesShard:
    """A part of the lists, as files under `directory`; `number` of `of`, from 0."""

    directory: str
    number: int
    of: int


def source_paths(spec: Spec) -> dict[str, list[Path]]:
    """The files of the source by their role: queries, documents and judgments, or table.

    Raises:
        DataError: if one is not there, or in no known format.
    """
    source = spec.data.sources[0]
    if isinstance(source, TableSource):
        return {"table": table_paths(spec.path(source.file))}
    if isinstance(source, TablesSource):
        return {role: table_paths(spec.path(getattr(source, role))) for role in ("queries", "documents", "judgments")}
    raise TypeError(f"a source of kind {source.kind!r} is not made of tables")


def spill_tables(
    spec: Spec,
    temporary: Path,
    shards: int = 8,
    progress: Callable[[int], None] | None = None,
    rejected: RejectedRows | None = None,
) -> tuple[list[TablesShard], RejectedRows]:
    """Read the tables once and write their lists into files, to be read by `read_shard` as often as needed.

    Rows that cannot be used are set aside. Memory is that of one partition and a few blocks, about 200 MB, whatever
    the size of the tables; disk under `temporary` is about twice the size of the joined rows.

    Args:
        spec: names the files and columns.
        temporary: a folder; it has to stay until the last list was read.
        shards: number of shards to make; all of them together are the same lists in the same order, whatever it is.
        progress: told the number of rows read so far.
        rejected: takes the rows that cannot be used, and stays open; without it they go to a file under `temporary`.

    Returns:
        the shards, and the rejected rows.

    Raises:
        DataError: for faults of whole files; if no list is left.
    """
    paths = source_paths(spec)
    directory = Path(tempfile.mkdtemp(prefix="tables-", dir=temporary))
    told = progress or (lambda _: None)
    aside = RejectedRows(directory / "rejected.jsonl") if rejected is None else rejected
    try:
        if "table" in paths:
            lists = join_table(spec, paths["table"], directory, shards, aside, told)
        else:
            lists = join_tables(spec, paths, directory, shards, aside, told)
    finally:
        if rejected is None:
            aside.close()
    if not lists:
        named = ", ".join(str(path) for path in paths.get("table", paths.get("judgments", [])))
        raise DataError(f"{named}: no lists; rows set aside: {aside.by_reason}; first: {next(iter(aside))}")
    return [TablesShard(str(directory), number, shards) for number in range(shards)], aside


def read_shard(spec: Spec, shard: TablesShard, lists_per_batch: int) -> Iterator[pa.RecordBatch]:
    """The lists of a shard, by the hash of their query ids; documents in the order of the rows of judgments.

    Args:
        spec: as given to `spill_tables`.
        shard: as made by it.
        lists_per_batch: rows of each batch but the last.

    Yields:
        batches with `ranker.data.columns.list_schema`, whose arrays start at offset 0.
    """
    schema = list_schema(raw_columns(spec))
    held: list[pa.RecordBatch] = []
    wanted = lists_per_batch
    for file in sorted(Path(shard.directory).glob(f"{shard.number:05d}-*.arrow")):
        for batch in read_stream(file):
            if batch.schema != schema:
                raise ValueError(f"{file} is of another spec: expected {schema.names}, got {batch.schema.names}")
            start = 0
            while start < batch.num_rows:
                held.append(batch.slice(start, wanted))
                start += held[-1].num_rows
                wanted -= held[-1].num_rows
                if not wanted:
                    whole = _own(held)
                    held, wanted = [], lists_per_batch
                    yield whole
    if held:
        yield _own(held)


def read_document_texts(spec: Spec, names: list[str], temporary: Path | None = None) -> Iterator[pa.RecordBatch]:
    """String columns of the document collection, each distinct document once, missing as "".

    The collection is the table of documents, judged or not; of a single table, the documents of the training lists.
    Rows that `spill_tables` sets aside for their ids or labels are not in it; nothing is reported anew.

    Args:
        spec: names the files and columns.
        names: the columns.
        temporary: where to spill.
    """
    paths = source_paths(spec)
    with tempfile.TemporaryDirectory(prefix="texts-", dir=temporary) as directory:
        if "table" in paths:
            yield from distinct_texts(spec, paths["table"], names, Path(directory), lambda ids: _of_training(ids, spec))
        else:
            yield from distinct_texts(spec, paths["documents"], names, Path(directory))


def _own(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """The same rows as arrays of their own, not as views with an offset."""
    if len(batches) > 1:
        return pa.concat_batches(batches)
    return batches[0].take(pa.array(np.arange(batches[0].num_rows)))


def _of_training(query_ids: pa.StringArray, spec: Spec) -> Mask:
    encoded = query_ids.dictionary_encode()
    splits = splits_of(encoded.dictionary.to_pylist(), spec.data.split)
    return np.asarray(splits == "train")[encoded.indices.to_numpy()]
