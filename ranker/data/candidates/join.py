"""The join of tables to lists of candidates, by partitions on disk.

First the documents of each list are chosen, by numbers: their ids are all that is held in memory of the documents. Then
the chosen rows are spread by document, get the columns of their documents, and are spread by list. Lists of the whole
collection are not made here: only what was judged is written of them, and `ranker.data.tables.whole_lists` adds the
rest when they are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.candidates.candidate_lists import DOCUMENT_PLACE, LIST
from ranker.data.candidates.choice import Choice, choose
from ranker.data.candidates.collection import Collection
from ranker.data.columns import schema_of
from ranker.data.id_hash import hash_order
from ranker.data.spill import Spill, write_options
from ranker.data.split import SPLITS
from ranker.data.tables.join import Joined, TableJoin, Tables, columns_of
from ranker.data.tables.list_files import lists_file, write_lists
from ranker.data.tables.partitions import (
    BATCH,
    joined_up,
    mean_size,
    parts_for,
    row_sizes,
    size_of,
    slices,
    stretches,
    ways_for,
)
from ranker.data.tables.roles import TableFiles
from ranker.data.tables.source_table import DOCUMENT, QUERY, SourceTable
from ranker.data.tables.whole_lists import collection_file
from ranker.spec import SampledCandidates, TableCandidates

__all__ = ["join_candidates"]


def join_candidates(join: TableJoin, candidates: Path | None = None) -> Joined:
    """Join queries, documents, judgments and candidates; write the lists, whose documents are in the order of a hash.

    Args:
        join: of a spec whose candidates are not the judged documents.
        candidates: the file of candidates, if they are in no table of the source: Parquet with the columns `query_id`
            and `document_id`. Rows of it that are of no use are passed over.
    """
    tables = Tables.of(join)
    ways = ways_for(size_of(join.files["documents"]))
    documents = tables.documents.spill(join.directory / "documents", DOCUMENT, ways, join.rejected)
    collection = Collection.of(documents)
    choice = choose(join, tables, collection, _pairs(join, tables, candidates), ways)
    size = choice.heads.nbytes + choice.rows.nbytes + choice.rows.rows * mean_size(documents)
    of_document = [DOCUMENT, *(column.name for column in tables.documents.columns)]
    values = pa.schema([documents.schema.field(name) for name in of_document])
    joined = Spill(join.directory / "joined", pa.schema([*choice.rows.schema, *values]), parts_for(size, join.shards))
    with ExitStack() as files:
        whole = None
        if choice.whole:
            stream = pa.ipc.new_stream(str(collection_file(join.directory)), values, options=write_options())
            whole = files.enter_context(stream)
        for part in range(ways):
            known = tables.documents.distinct(documents.read_whole(part), DOCUMENT, join.rejected)
            known = known.take(pa.array(hash_order(known[DOCUMENT]))).select(of_document)
            if whole is not None:
                for batch in slices(known, BATCH):
                    whole.write_batch(batch)
            _join_documents(known, int(collection.starts[part]), choice, part, joined)
    joined.close()
    _write(join, choice, joined)
    return Joined(choice.lists + choice.whole, choice.bounds)


def _pairs(join: TableJoin, tables: Tables, candidates: Path | None) -> SourceTable | None:
    """The table of candidates, with the columns of pair features if it is one of the source."""
    spec = join.spec
    if isinstance(spec.data.candidates, SampledCandidates):
        return None
    if isinstance(spec.data.candidates, TableCandidates):
        columns = columns_of(spec.features.pair)
        files = join.files["candidates"]
        return SourceTable(spec, files, (QUERY, DOCUMENT), columns, join.count, rule=tables.queries.rule)
    if candidates is None:
        raise ValueError(f"candidates from {spec.data.candidates.from_}: expected the file that has them")
    files = TableFiles.of([candidates])
    return SourceTable(spec, files, (QUERY, DOCUMENT), [], join.count, own_names=True)


def _join_documents(documents: pa.RecordBatch, first: int, choice: Choice, part: int, joined: Spill) -> None:
    """Add the columns of documents to chosen rows.

    Args:
        documents: of the partition, by their places.
        first: the place of the first.
        choice: has the rows.
        part: number of the partition.
        joined: takes the rows, by their list.
    """
    sizes = row_sizes(documents)
    for rows in joined_up(choice.rows.read(part)):
        document = rows[DOCUMENT_PLACE].to_numpy() - first
        for start, end in stretches(sizes[document], BATCH):
            batch = rows.slice(start, end - start)
            columns = [*batch.columns, *documents.take(pa.array(document[start:end])).columns]
            whole = pa.RecordBatch.from_arrays(columns, schema=joined.schema)
            joined.write(whole, batch[LIST].to_numpy() * joined.partitions // choice.lists)


def _write(join: TableJoin, choice: Choice, joined: Spill) -> None:
    """Write the lists, in the order of their numbers, documents in that of their places."""
    schema = schema_of(join.spec)
    parts = joined.partitions
    ends = [
        -(-(part + 1) * choice.lists // parts) for part in range(parts)
    ]  # of lists with number * parts // lists = part
    starts = [0, *ends[:-1]]
    heads = _heads(choice.heads, [end - start for start, end in zip(starts, ends, strict=True)])
    for part, (some, first) in enumerate(zip(heads, starts, strict=True)):
        rows = joined.read_whole(part)
        of_row = rows[LIST].to_numpy() - first
        order = np.argsort(of_row, kind="stable")  # those of a list came by their places already
        files = [lists_file(join.directory, part, parts, join.shards, split) for split in SPLITS]
        write_lists(some, rows, of_row, order, schema, files)


def _heads(spill: Spill, counts: list[int]) -> Iterator[pa.RecordBatch]:
    """The rows of a spill of one partition, so many at a time."""
    batches = spill.read(0)
    left = pa.RecordBatch.from_pylist([], spill.schema)
    for count in counts:
        while left.num_rows < count:
            left = pa.concat_batches([left, next(batches)])
        yield left.slice(0, count)
        left = left.slice(count)
    next(batches, None)  # there is none; the file goes
