"""A log of impressions as the join sees it: its sound rows, spread over partitions by their query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.columns import Column
from ranker.data.data_error import DataError
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import Spill
from ranker.data.tables.id_groups import Ints, Mask, coded, repeated, take
from ranker.data.tables.partitions import size_of, ways_for
from ranker.data.tables.source_table import DOCUMENT, LABEL, PLACE, POSITION, QUERY, TIMESTAMP, SourceTable
from ranker.spec import ClicksSource

__all__ = ["EXPERIMENT", "IMPRESSION", "ImpressionLog", "ImpressionTable", "codes_of", "swap_of", "wanted_columns"]

IMPRESSION, EXPERIMENT = "#impression", "#experiment"
_MOST_POSITIONS = 10_000
_SOME = 5  # names of experiments that are kept to be told
_SWAP = re.compile(r"swap ([1-9]\d{0,4}) ([1-9]\d{0,4})")


def swap_of(experiment: str) -> tuple[int, int] | None:
    """The positions, the upper one first, whose documents have changed places; None if that is not the experiment."""
    found = _SWAP.fullmatch(experiment)
    if found is None or found[1] == found[2]:
        return None
    first, second = sorted((int(found[1]), int(found[2])))
    return first, second


@dataclass(frozen=True)
class ImpressionTable(SourceTable):
    """The table of impressions: a row for each document that was shown; `label` is whether it was clicked."""

    @property
    def source(self) -> ClicksSource:
        """The section of the spec."""
        source = self.spec.data.sources[0]
        if not isinstance(source, ClicksSource):
            raise TypeError(f"a source of kind {source.kind!r} has no impressions")
        return source

    @property
    def _names(self) -> dict[str, str]:
        source, data = self.source, self.spec.data
        names = {QUERY: data.query_id, DOCUMENT: data.document_id, LABEL: source.clicked, POSITION: source.position}
        names |= {} if source.timestamp is None else {TIMESTAMP: source.timestamp}
        return names | {IMPRESSION: source.impression_id, EXPERIMENT: source.experiment or ""}

    def rows(self, rejected: RejectedRows | None) -> Iterator[pa.RecordBatch]:
        """The rows that can be used, in their order, with the columns IMPRESSION and maybe EXPERIMENT."""
        own = {self._names[name]: name for name in (IMPRESSION, EXPERIMENT)}
        for batch in super().rows(rejected):
            yield batch.rename_columns([own.get(name, name) for name in batch.schema.names])

    def _faults(self, batch: pa.RecordBatch) -> Iterator[tuple[str, Mask]]:
        yield "missing impression id", pc.equal(batch[self.source.impression_id], "").to_numpy(zero_copy_only=False)
        yield "bad position", batch[POSITION].to_numpy() < 1
        clicked = batch[LABEL].to_numpy()
        yield "clicked is neither 0 nor 1", ~((clicked == 0) | (clicked == 1))
        yield from super()._faults(batch)


@dataclass
class ImpressionLog:
    """The rows of a log on disk, in partitions by the hash of their query id.

    Attributes:
        table: that they come from.
        rows: of it, spread.
        positions: the lowest position.
        swaps: which positions have changed places in some impressions, upper ones first.
        shuffled: whether some impressions were in random order.
        others: some of the other names of experiments.
    """

    table: ImpressionTable
    rows: Spill
    positions: int = 0
    swaps: set[tuple[int, int]] = field(default_factory=set)
    shuffled: bool = False
    others: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, table: ImpressionTable, directory: Path, rejected: RejectedRows) -> ImpressionLog:
        """Read the files; rows that cannot be used are set aside.

        Raises:
            DataError: for a position beyond any list.
        """
        names = {table.source.impression_id: IMPRESSION, table.source.experiment: EXPERIMENT}
        schema = pa.schema([one.with_name(names.get(one.name, one.name)) for one in table.schema])
        log = cls(table, Spill(directory, schema, ways_for(size_of(table.files))))
        most = table.source.positions
        for batch in table.rows(rejected):
            positions = batch[POSITION].to_numpy()
            if most is not None and (below := int((positions > most).sum())):
                rejected.unused[f"document shown below position {most}"] += below
                batch = take(batch, positions <= most)
            log._look_at(batch)
            log.rows.write(batch, partition_of(hash_ids(batch[QUERY]), log.rows.partitions))
        log.rows.close()
        return log

    def peek(self, part: int) -> pa.RecordBatch:
        """The rows of a partition, each document of an impression once."""
        rows = self.rows.peek(part, self.rows.schema.names)
        return take(rows, ~_again(rows))

    def take(self, part: int, rejected: RejectedRows | None) -> pa.RecordBatch:
        """The same for the last time; `rejected` takes rows with a document that was in their impression already."""
        rows = self.rows.read_whole(part)
        again = _again(rows)
        as_read = rows.rename_columns(self.table.schema.names)
        self.table.reject(as_read, again, "duplicate document in an impression", rejected)
        return take(rows, ~again)

    def _look_at(self, batch: pa.RecordBatch) -> None:
        self.positions = max(self.positions, int(batch[POSITION].to_numpy().max(initial=0)))
        if self.positions > _MOST_POSITIONS:
            file = self.table.files.names[0]
            raise DataError(
                f"{file}: column {self.table.source.position!r}: expected positions up to {_MOST_POSITIONS:,}, got "
                f"{self.positions:,}; leave lower ones out with `positions`"
            )
        if EXPERIMENT not in batch.schema.names:
            return
        for name in pc.unique(batch[EXPERIMENT]).to_pylist():
            if swap := swap_of(name):
                self.swaps.add(swap)
            elif name == "shuffled":
                self.shuffled = True
            elif name not in self.others and len(self.others) < _SOME:
                self.others.append(name)


def wanted_columns(source: ClicksSource, pair: list[Column]) -> list[Column]:
    """The columns of impressions beside ids, clicks, positions and times, each once."""
    texts = [name for name in (source.impression_id, source.experiment) if name is not None]
    columns = [Column(name, "document", "string") for name in texts]
    columns += [Column(name, "document", "float32") for name in source.propensity.features]
    return [*columns, *(column for column in pair if column.name not in {one.name for one in columns})]


def codes_of(rows: pa.RecordBatch) -> tuple[Ints, Ints]:
    """Numbers of the impression and of the (query, document) pair of each row."""
    query, impression, document = (coded(rows[name])[2] for name in (QUERY, IMPRESSION, DOCUMENT))
    return _paired(query, impression), _paired(query, document)


def _again(rows: pa.RecordBatch) -> Mask:
    impression, _ = codes_of(rows)
    order = np.argsort(rows[PLACE].to_numpy(), kind="stable")
    again = np.zeros(rows.num_rows, bool)
    again[order] = repeated(impression[order], coded(rows[DOCUMENT])[2][order])
    return again


def _paired(first: Ints, second: Ints) -> Ints:
    """A number for each pair of numbers."""
    return np.unique(first * (second.max(initial=0) + 1) + second, return_inverse=True)[1].astype(np.int64)
