"""The join of tables to lists, by partitions on disk: no table has to fit into memory.

Documents and judgments are spread by a hash of the document id and joined one partition at a time; the result is
spread, with the queries, by a hash of the query id, and each partition becomes lists. Where lists have other documents
than those judged, `ranker.data.candidates.join` does it instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.clicks.connector import ClickTable, open_clicks
from ranker.data.clicks.propensities import Propensities
from ranker.data.columns import Column, Scope, column_of, schema_of
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import Spill
from ranker.data.split import SPLITS, SplitBounds, SplitRule
from ranker.data.tables.id_groups import take
from ranker.data.tables.list_files import lists_file, write_lists
from ranker.data.tables.list_partitions import ListPartitions, Queries
from ranker.data.tables.partitions import (
    BATCH,
    joined_up,
    mean_size,
    parts_for,
    row_sizes,
    size_of,
    stretches,
    ways_for,
)
from ranker.data.tables.roles import TableFiles, timestamp_and_weight
from ranker.data.tables.source_table import DOCUMENT, LABEL, POSITION, QUERY, TIMESTAMP, WEIGHT, Count, SourceTable
from ranker.spec import ClicksSource, Spec, TableCandidates
from ranker.spec.features import Feature

__all__ = ["Joined", "TableJoin", "Tables", "columns_of", "join_table", "join_tables"]


@dataclass(frozen=True)
class TableJoin:
    """What is joined, and where to.

    Attributes:
        spec: names the columns.
        files: by their role.
        directory: takes the files of lists (see `ranker.data.tables.list_files`); spilled rows are there meanwhile.
        shards: into how many groups of files the lists go.
        rejected: takes the rows that cannot be used.
        count: told how many rows were read.
    """

    spec: Spec
    files: Mapping[str, TableFiles]
    directory: Path
    shards: int
    rejected: RejectedRows
    count: Count


@dataclass(frozen=True)
class Joined:
    """What came of it: the number of lists, the bounds of a split by time, and the propensities of a log of clicks."""

    lists: int
    bounds: SplitBounds | None
    propensities: Propensities | None = None


@dataclass(frozen=True)
class Tables:
    """The three tables of a source."""

    documents: SourceTable
    judgments: SourceTable
    queries: SourceTable

    @classmethod
    def of(cls, join: TableJoin) -> Tables:
        """The tables of a join, with the columns that the spec wants of each."""
        spec, files = join.spec, join.files
        features, candidates = spec.features, spec.data.candidates
        rule = _rule(spec, files["judgments"])
        pair = [] if isinstance(candidates, TableCandidates) else columns_of(features.pair)
        of_documents, of_queries = columns_of(features.document), columns_of(features.query, "query")
        documents = SourceTable(spec, files["documents"], (DOCUMENT,), of_documents, join.count)
        queries = SourceTable(spec, files["queries"], (QUERY,), of_queries, join.count, (), rule.without_files)
        if isinstance(spec.data.sources[0], ClicksSource):
            folder = join.directory / "impressions"
            clicks = open_clicks(spec, files["judgments"], pair, folder, join.rejected, join.count, rule)
            return cls(documents, clicks, queries)
        having = timestamp_and_weight(spec, dict(files))
        there = {LABEL, *having["judgments"], *([POSITION] if spec.data.position is not None else [])}
        judged = tuple(name for name in (LABEL, WEIGHT, POSITION, TIMESTAMP) if name in there)
        judgments = SourceTable(spec, files["judgments"], (QUERY, DOCUMENT), pair, join.count, judged, rule)
        return cls(documents, judgments, replace(queries, judged=having["queries"]))


def columns_of(features: Sequence[Feature], scope: Scope = "document") -> list[Column]:
    """The raw columns of features."""
    return [column_of(feature, scope) for feature in features]


def join_tables(join: TableJoin) -> Joined:
    """Join queries, documents and judgments; write the lists, whose documents are in the order of the judgments."""
    files, directory, rejected = join.files, join.directory, join.rejected
    tables = Tables.of(join)
    ways = ways_for(size_of(files["documents"], files["judgments"]))
    documents = tables.documents.spill(directory / "documents", DOCUMENT, ways, rejected)
    judgments = tables.judgments.spill(directory / "judgments", DOCUMENT, ways, rejected)
    size = judgments.nbytes + judgments.rows * mean_size(documents)
    parts = parts_for(size + size_of(files["queries"]), join.shards)
    queries = tables.queries.spill(directory / "queries", QUERY, parts, rejected)
    schema = pa.schema([*judgments.schema, *(documents.schema.field(c.name) for c in tables.documents.columns)])
    joined = Spill(directory / "joined", schema, parts)
    for part in range(ways):
        _join_documents(documents, judgments, part, joined, tables, rejected)
    joined.close()
    written = _write(join, ListPartitions(tables.judgments, joined, Queries(tables.queries, queries)))
    clicks = tables.judgments
    return replace(written, propensities=clicks.propensities if isinstance(clicks, ClickTable) else None)


def join_table(join: TableJoin) -> Joined:
    """Group a table that has one row per query and document, and write the lists.

    The values of a query are those of its first row.
    """
    spec, files = join.spec, join.files["table"]
    columns = [*columns_of(spec.features.query, "query"), *columns_of(spec.features.document)]
    more = {WEIGHT: spec.data.weight, POSITION: spec.data.position, TIMESTAMP: spec.data.timestamp}
    judged = (LABEL, *(name for name, called in more.items() if called is not None))
    table = SourceTable(spec, files, (QUERY, DOCUMENT), columns, join.count, judged, _rule(spec, files))
    parts = parts_for(size_of(files), join.shards)
    rows = table.spill(join.directory / "rows", QUERY, parts, join.rejected)
    return _write(join, ListPartitions(table, rows, None))


def _rule(spec: Spec, files: TableFiles) -> SplitRule:
    return SplitRule(spec.data.split, files.splits)


def _join_documents(
    documents: Spill, judgments: Spill, part: int, joined: Spill, tables: Tables, rejected: RejectedRows
) -> None:
    known = tables.documents.distinct(documents.read_whole(part), DOCUMENT, rejected)
    values = known.select([c.name for c in tables.documents.columns])
    sizes = row_sizes(values)
    for rows in joined_up(judgments.read(part)):
        of_row = pc.index_in(rows[DOCUMENT], value_set=known[DOCUMENT])
        unknown = pc.is_null(of_row).to_numpy(zero_copy_only=False)
        tables.judgments.reject(rows, unknown, "unknown document id", rejected)
        sound, document = take(rows, ~unknown), of_row.drop_null().to_numpy()
        for start, end in stretches(sizes[document], BATCH):
            batch = sound.slice(start, end - start)
            columns = [*batch.columns, *values.take(pa.array(document[start:end])).columns]
            whole = pa.RecordBatch.from_arrays(columns, schema=joined.schema)
            joined.write(whole, partition_of(hash_ids(whole[QUERY]), joined.partitions))


def _write(join: TableJoin, partitions: ListPartitions) -> Joined:
    """Write the lists, partition by partition: by the hash of the query id, documents in the order of their rows."""
    if partitions.by_time:
        partitions = partitions.with_bounds()
    schema = schema_of(join.spec)
    lists, parts = 0, partitions.rows.partitions
    for part in range(parts):
        found = partitions.read(part, join.rejected)
        files = [lists_file(join.directory, part, parts, join.shards, split) for split in SPLITS]
        listed = found.listed
        write_lists(found.heads, listed.rows, listed.of_row, listed.order, schema, files)
        lists += found.heads.num_rows
    return Joined(lists, partitions.bounds)
