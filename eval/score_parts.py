"""Scored lists in parts that fit in memory: one part, or partitions on disk that are read as often as needed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.score_table import ScoreTable, check_columns, read_score_table, usable_rows
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.spill import Spill

__all__ = ["Columns", "PartsOnDisk", "Scores", "WholeTable", "spill_scores"]


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

    def usable(self, rows: pa.Table) -> pa.Table:
        """The rows that are measured; all of them, if those that cannot be are to be errors."""
        return rows if self.unusable == "error" else usable_rows(rows, self.models)

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
    def dropped(self) -> int:
        """Documents that were left out, because they cannot be measured."""

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
        usable = columns.usable(table)
        self.dropped = table.num_rows - usable.num_rows
        self._table = columns.read(usable)

    def parts(self) -> Iterator[ScoreTable]:
        """All lists."""
        yield self._table

    def find(self, query_ids: NDArray[Any]) -> Iterator[ScoreTable]:
        """The lists of some queries."""
        yield self._table.select(np.isin(self._table.lists.query_ids, query_ids))


class PartsOnDisk:
    """Scored lists in partitions on disk, by the hash of their unit: see `spill_scores`."""

    def __init__(self, directory: Path, spill: Spill, columns: Columns, dropped: int) -> None:
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
    dropped = 0
    key = columns.cluster or "query_id"
    places: list[NDArray[np.uint64]] = []
    for batch in batches:
        if spill is None:
            check_columns(batch.schema.names, columns.named)
            names = [*columns.named, *(["judged"] if "judged" in batch.schema.names else [])]
            spill = Spill(
                directory / "rows", pa.schema([_plain(batch.schema.field(name)) for name in names]), partitions
            )
        given, batch = batch.num_rows, _usable(batch, columns)
        dropped += given - batch.num_rows
        rows = pa.RecordBatch.from_arrays(
            [_unpacked(batch.column(name), name, spill.schema) for name in spill.schema.names], schema=spill.schema
        )
        partition = partition_of(hash_ids(_keys(rows, key)), partitions)
        if columns.cluster is not None:
            queries = hash_ids(_keys(rows, "query_id"))
            places.append(np.unique(np.stack([queries, partition.astype(np.uint64)]), axis=1))
        spill.write(rows, partition)
    if spill is None or not spill.rows:
        raise ValueError("score table: expected at least one row, got none; check the split or filter that made it")
    spill.close()
    found = PartsOnDisk(directory, spill, columns, dropped)
    if places:
        _refuse_divided(np.concatenate(places, axis=1), found)
    return found


def _refuse_divided(places: NDArray[np.uint64], parts: PartsOnDisk) -> None:
    """Refuse a query with rows in two partitions, which are of two clusters; `places` are hashes and partitions."""
    hashes, partitions = np.unique(places, axis=1)
    again = hashes[1:][hashes[1:] == hashes[:-1]]
    suspects = set(partitions[np.isin(hashes, again)].tolist())
    seen: set[str] = set()
    for _, table in parts.read(suspects):
        for query in table.lists.query_ids[np.isin(_hashes(table.lists.query_ids), again)].tolist():
            if query in seen:
                raise ValueError(
                    f"score table, column {parts.columns.cluster!r}: expected one value for query {query!r}, got"
                    " several; make query ids that belong to one cluster each"
                )
            seen.add(query)


def _usable(batch: pa.RecordBatch, columns: Columns) -> pa.RecordBatch:
    if columns.unusable == "error":
        return batch
    kept = columns.usable(pa.Table.from_batches([batch])).combine_chunks().to_batches()
    return kept[0] if kept else batch.slice(0, 0)


def _hashes(query_ids: NDArray[Any]) -> NDArray[np.uint64]:
    return hash_ids(pa.array(query_ids, pa.string()))


def _plain(field: pa.Field) -> pa.Field:
    """The field without a dictionary, and without the 64-bit offsets that no batch needs."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return pa.field(field.name, pa.string() if pa.types.is_large_string(kind) else kind)


def _unpacked(values: pa.Array, name: str, schema: pa.Schema) -> pa.Array:
    wanted = schema.field(name).type
    try:
        return values if values.type == wanted else values.cast(wanted)
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"score table, column {name!r}: expected {wanted} as in its first rows, got {values.type} ({error})"
        ) from None


def _keys(rows: pa.RecordBatch, key: str) -> pa.StringArray:
    values = rows.column(key)
    if values.null_count:
        raise ValueError(
            f"score table, column {key!r}: expected no nulls, got {values.null_count} in"
            f" {rows.num_rows} rows, the first after query {_before(rows, values)}"
        )
    if not (pa.types.is_string(values.type) or pa.types.is_integer(values.type)):
        raise ValueError(f"score table, column {key!r}: expected text or integers, got {values.type}; cast it")
    return values.cast(pa.string())


def _before(rows: pa.RecordBatch, values: pa.Array) -> str:
    row = pc.index(values.is_null(), True).as_py()
    return repr(rows.column("query_id")[row - 1].as_py()) if row else "none"
