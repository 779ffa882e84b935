"""Judgments spread over partitions by their query, read back as lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.clicks.impressions import IMPRESSION
from ranker.data.columns import MISSING_INT
from ranker.data.id_hash import hash_order
from ranker.data.list_names import impression_names
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import Spill
from ranker.data.split import SplitBounds, SplitRule
from ranker.data.tables.id_groups import Ints, coded, take
from ranker.data.tables.list_files import heads_of
from ranker.data.tables.list_rows import ListRows
from ranker.data.tables.source_table import DOCUMENT, PLACE, QUERY, TIMESTAMP, WEIGHT, SourceTable

__all__ = ["ListPartitions", "PartLists", "Queries"]


@dataclass(frozen=True)
class Queries:
    """The table of queries, and its rows by the hash of their ids."""

    table: SourceTable
    rows: Spill


@dataclass(frozen=True)
class PartLists:
    """The lists of a partition.

    Attributes:
        queries: the distinct queries, by the hash of their ids; of a single table, the first rows of each.
        listed: the lists and their rows, without those that are set aside.
        heads: of each list, see `ranker.data.tables.list_files.heads_of`.
        splits: int8 `[lists]`, places in SPLITS.
    """

    queries: pa.RecordBatch
    listed: ListRows
    heads: pa.RecordBatch
    splits: npt.NDArray[np.int8]


@dataclass(frozen=True)
class ListPartitions:
    """Sound rows of judgments by the hash of their query id.

    Attributes:
        table: of the judgments; its rule says how lists are split.
        rows: of the table, maybe with more columns.
        queries: in as many partitions; None for a single table, whose rows have the columns of the query.
        document: name of the column that tells documents apart: ids or numbers.
    """

    table: SourceTable
    rows: Spill
    queries: Queries | None
    document: str = DOCUMENT

    @property
    def by_time(self) -> bool:
        """Whether the time of a list says its split."""
        return self._rule.split.by == "time" and not self._rule.files

    @property
    def bounds(self) -> SplitBounds | None:
        """Of a split by time, once they are known."""
        return self._rule.bounds

    @property
    def _rule(self) -> SplitRule:
        if self.table.rule is None:
            raise ValueError("judgments need a rule for splits")
        return self.table.rule

    def with_bounds(self) -> Self:
        """The same with the bounds of a split by time; memory is that of a partition and of one int64 per list."""
        times = np.concatenate([self._times(part) for part in range(self.rows.partitions)])
        bounds = SplitBounds.of_times(times, self._rule.split)
        return replace(self, table=replace(self.table, rule=replace(self._rule, bounds=bounds)))

    def read(self, part: int, rejected: RejectedRows) -> PartLists:
        """The lists of a partition; to be called once for each."""
        queries = None if self.queries is None else self.queries.rows.read_whole(part)
        known, listed = self._listed(queries, self.rows.read_whole(part), rejected)
        if self.by_time:
            timeless = np.append(listed.time == MISSING_INT, False)
            self.table.reject(listed.rows, timeless[listed.of_row], "missing timestamp", rejected)
            listed = listed.only(~timeless[:-1])
        values = known.take(pa.array(listed.query)) if queries is not None else _first_rows(listed)
        splits = self._rule.of_lists(values[QUERY].to_pylist(), listed.file, listed.time)
        again = listed.again & (listed.of_row >= 0)
        of_rows = np.append(splits, np.int8(0))[listed.of_row]
        self.table.reject(listed.rows, again, "duplicate (query, document) pair", rejected, of_rows)
        heads = heads_of(self.table.spec, values, splits, listed.time)
        if IMPRESSION in listed.rows.schema.names:
            impression = listed.rows[IMPRESSION].take(pa.array(listed.first))
            named = impression_names(values[QUERY], impression)
            heads = heads.set_column(heads.schema.names.index(QUERY), QUERY, named)
        return PartLists(known, listed, heads, splits)

    def _times(self, part: int) -> Ints:
        """Times of the lists of a partition that have one."""
        timed = [QUERY, TIMESTAMP]
        queries = None
        if self.queries is not None:
            queries = self.queries.rows.peek(part, [name for name in timed if name in self.queries.table.schema.names])
        names = [QUERY, IMPRESSION, self.document, PLACE, TIMESTAMP]
        rows = self.rows.peek(part, [name for name in names if name in self.rows.schema.names])
        time = self._listed(queries, rows, None)[1].time
        return time[time != MISSING_INT]

    def _listed(
        self, queries: pa.RecordBatch | None, rows: pa.RecordBatch, rejected: RejectedRows | None
    ) -> tuple[pa.RecordBatch, ListRows]:
        """The distinct queries by their hash, and the lists."""
        if self.queries is None or queries is None:
            _, first, of_row = coded(rows[QUERY])
            order = hash_order(rows[QUERY].take(pa.array(first)))
            known = rows.take(pa.array(first[order]))
            of_query, times = np.argsort(order)[of_row], None
        else:
            known = self.queries.table.distinct(queries, QUERY, rejected)
            known = known.take(pa.array(hash_order(known[QUERY])))
            found = pc.index_in(rows[QUERY], value_set=known[QUERY])
            unknown = pc.is_null(found).to_numpy(zero_copy_only=False)
            self.table.reject(rows, unknown, "unknown query id", rejected)
            rows, of_query = take(rows, ~unknown), found.drop_null().to_numpy().astype(np.int64)
            if rejected is not None and (without := known.num_rows - len(np.unique(of_query))):
                rejected.unused["query without judgments"] += without
            times = known[TIMESTAMP].to_numpy() if TIMESTAMP in known.schema.names else None
        document = rows[self.document]
        number = coded(document)[0] if self.document == DOCUMENT else document.to_numpy()
        impression = coded(rows[IMPRESSION])[0] if IMPRESSION in rows.schema.names else None
        return known, ListRows.of(rows, of_query, number, self.table.file_splits(rows), times, impression)


def _first_rows(listed: ListRows) -> pa.RecordBatch:
    """The first row of each list: what is of the query in it, and else of no document."""
    names = [name for name in listed.rows.schema.names if name != WEIGHT]
    return listed.rows.select(names).take(pa.array(listed.first))
