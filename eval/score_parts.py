"""Scored lists in parts that fit in memory: one part, or partitions on disk that are read as often as needed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.dropping import Dropping, nothing_dropped
from eval.report.data import Dropped
from eval.score_rows import divided_query, hashes_of, partitions_of, plain_rows, plain_schema
from eval.score_table import ScoreTable, read_score_table
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.spill import Spill

__all__ = [
    "Columns",
    "PartsOnDisk",
    "Scores",
    "WholeTable",
    "no_rows",
    "spill_scores",
    "spilled_parts",
    "usable_rows",
]


@dataclass(frozen=True)
class Columns:
    """What is read of a score table beside the ids and the label.

    Args:
        models: columns of scores.
        others: columns that slices or texts need.
        cluster: the column of units that are resampled; None: queries are.
        unusable: what becomes of a document without a usable label or score: `error`, or `drop`, counted.
    """

    models: tuple[str, ...]
    others: tuple[str, ...] = ()
    cluster: str | None = None
    unusable: Literal["error", "drop"] = "error"

    def read(self, rows: pa.Table) -> ScoreTable:
        """The lists of a part; errors as of `read_score_table`."""
        return read_score_table(rows, self.models, self.others, self.cluster)

    @property
    def dropping(self) -> Dropping | None:
        """Takes out the rows that cannot be measured; None: they are to be errors."""
        return None if self.unusable == "error" else Dropping(self.models)

    @property
    def named(self) -> list[str]:
        """Names of the columns that have to be there, each once."""
        cluster = [] if self.cluster is None else [self.cluster]
        return list(dict.fromkeys(["query_id", "document_id", "label", *self.models, *self.others, *cluster]))


class Scores(Protocol):
    """Scored lists. All lists of a unit that is resampled are in the same part."""

    @property
    def directory(self) -> Path | None:
        """A folder for what does not fit in memory; None: all fits."""

    @property
    def dropped(self) -> Dropped:
        """Documents that were left out, because they cannot be measured, and what was lost with them."""

    def parts(self) -> Iterator[ScoreTable]:
        """The parts, in the same order each time."""

    def find(self, query_ids: NDArray[Any]) -> Iterator[ScoreTable]:
        """The lists of some queries, in parts."""


class WholeTable:
    """A score table in memory: one part.

    Args:
        table: as `read_score_table` takes it.
        columns: what is read of it.
    """

    def __init__(self, table: pa.Table, columns: Columns) -> None:
        self.directory = None
        self.dropped = nothing_dropped(columns.models)
        if (dropping := columns.dropping) is not None:
            table = dropping.usable(table)
            if not table.num_rows:
                dropping.refuse_nothing_left()
            self.dropped = dropping.counted([table])
        self._table = columns.read(table)

    def parts(self) -> Iterator[ScoreTable]:
        """All lists."""
        yield self._table

    def find(self, query_ids: NDArray[Any]) -> Iterator[ScoreTable]:
        """The lists of some queries."""
        yield self._table.select(np.isin(self._table.lists.query_ids, query_ids))


class PartsOnDisk:
    """Scored lists in partitions on disk, by the hash of their unit: see `spill_scores`."""

    def __init__(self, directory: Path, spill: Spill, columns: Columns, dropped: Dropped) -> None:
        self.directory = directory
        self.dropped = dropped
        self._spill = spill
        self.columns = columns

    def parts(self) -> Iterator[ScoreTable]:
        """The lists of each partition."""
        for _, table in self.read():
            yield table

    def find(self, query_ids: NDArray[Any]) -> Iterator[ScoreTable]:
        """The lists of some queries; where units are no queries, all partitions are looked through."""
        wanted: set[int] | None = None
        if self.columns.cluster is None:
            wanted = set(partition_of(_hashes(query_ids), self._spill.partitions).tolist())
        for _, table in self.read(wanted):
            chosen = np.isin(table.lists.query_ids, query_ids)
            if chosen.any():
                yield table.select(chosen)

    @property
    def partitions(self) -> list[int]:
        """The numbers of the partitions that have rows."""
        return [number for number in range(self._spill.partitions) if self._spill.file(number).exists()]

    def read(self, wanted: set[int] | None = None) -> Iterator[tuple[int, ScoreTable]]:
        """The lists of some partitions (None: all), each with its number."""
        for partition in range(self._spill.partitions):
            if wanted is None or partition in wanted:
                rows = self._spill.peek(partition, self._spill.schema.names)
                if rows.num_rows:
                    yield partition, self.columns.read(pa.Table.from_batches([rows]))


def spill_scores(batches: Iterable[pa.RecordBatch], columns: Columns, directory: Path, partitions: int) -> PartsOnDisk:
    """Write rows of a score table, which come in any order, to partitions, so that each has whole lists.

    Args:
        batches: the rows.
        columns: what is kept of them.
        directory: an empty folder, to be removed by the caller afterwards.
        partitions: how many.

    Raises:
        ValueError: a column is missing, an id is null, there are no rows, or a query belongs to two clusters.
    """
    spill: Spill | None = None
    dropping = columns.dropping
    key = columns.cluster or "query_id"
    places: list[NDArray[np.uint64]] = []
    for batch in batches:
        if spill is None:
            spill = Spill(directory / "rows", plain_schema(batch.schema, columns.named), partitions)
        rows = plain_rows(usable_rows(batch, dropping), spill.schema)
        partition = partitions_of(rows, key, partitions)
        if columns.cluster is not None:
            queries = hashes_of(rows, "query_id")
            places.append(np.unique(np.stack([queries, partition.astype(np.uint64)]), axis=1))
        spill.write(rows, partition)
    if spill is None or not spill.rows:
        raise no_rows(dropping)
    spill.close()
    return spilled_parts(directory, spill, columns, dropping, np.concatenate(places, axis=1) if places else None)


def spilled_parts(
    directory: Path, spill: Spill, columns: Columns, dropping: Dropping | None, places: NDArray[np.uint64] | None
) -> PartsOnDisk:
    """The partitions, once all rows are in their files.

    Args:
        directory: for what does not fit in memory.
        spill: the files.
        columns: what they hold.
        dropping: what was left out; None: nothing.
        places: uint64 [2, n], hashes of queries and partitions that have rows of them, maybe several times, of all that
            are in several; None: there can be no such query.

    Raises:
        ValueError: a query belongs to two clusters.
    """
    dropped = nothing_dropped(columns.models) if dropping is None else dropping.counted(_judgements(spill))
    found = PartsOnDisk(directory, spill, columns, dropped)
    if places is not None:
        _refuse_divided(places, found)
    return found


def no_rows(dropping: Dropping | None) -> ValueError:
    """The error for scores without rows, or of which none is left."""
    if dropping is not None:
        dropping.refuse_nothing_left()
    return ValueError("score table: expected at least one row, got none; check the split or filter that made it")


def usable_rows(batch: pa.RecordBatch, dropping: Dropping | None) -> pa.RecordBatch:
    """The rows that are not left out."""
    if dropping is None:
        return batch
    kept = dropping.usable(pa.Table.from_batches([batch])).combine_chunks().to_batches()
    return kept[0] if kept else batch.slice(0, 0)


def _refuse_divided(places: NDArray[np.uint64], parts: PartsOnDisk) -> None:
    """Refuse a query with rows in two partitions, which are of two clusters; `places` are hashes and partitions."""
    hashes, partitions = np.unique(places, axis=1)
    again = hashes[1:][hashes[1:] == hashes[:-1]]
    suspects = set(partitions[np.isin(hashes, again)].tolist())
    seen: set[str] = set()
    for _, table in parts.read(suspects):
        for query in table.lists.query_ids[np.isin(_hashes(table.lists.query_ids), again)].tolist():
            if query in seen:
                raise divided_query(parts.columns.cluster, query)
            seen.add(query)


def _judgements(spill: Spill) -> Iterator[pa.Table]:
    """Queries and labels of the rows that were spilled."""
    for partition in range(spill.partitions):
        yield pa.Table.from_batches([spill.peek(partition, ["query_id", "label"])])


def _hashes(query_ids: NDArray[Any]) -> NDArray[np.uint64]:
    return hash_ids(pa.array(query_ids, pa.string()))
