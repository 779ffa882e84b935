"""Connector: a log of impressions and clicks, to the rows of judgments that the join of tables takes.

The log is read once and spread over partitions by query. Propensities are estimated from these; then each partition is
turned into judgments, with the weights of clicks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ranker.data.clicks.counts import estimate
from ranker.data.clicks.impressions import IMPRESSION, ImpressionLog, ImpressionTable, codes_of, wanted_columns
from ranker.data.clicks.propensities import Propensities
from ranker.data.columns import Column
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SplitRule
from ranker.data.tables.roles import TableFiles
from ranker.data.tables.source_table import DOCUMENT, LABEL, PLACE, POSITION, QUERY, TIMESTAMP, WEIGHT, Count
from ranker.spec import ClicksSource, Spec

__all__ = ["ClickTable", "open_clicks"]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClickTable(ImpressionTable):
    """Impressions as judgments; a row of a list per query stands at the place of the first of its impressions.

    Attributes:
        log: the impressions; its rows are read for the last time.
        propensities: of positions, if the spec wants them.
    """

    log: ImpressionLog | None = None
    propensities: Propensities | None = None

    def rows(self, rejected: RejectedRows | None) -> Iterator[pa.RecordBatch]:
        """Rows of judgments by the hash of their query, for the join: to be read once."""
        if self.log is None:
            raise ValueError("no log to read rows of")
        propensity = self.source.propensity
        weights = None if self.propensities is None else self.propensities.weights(propensity.clip)
        for part in range(self.log.rows.partitions):
            shown = self.log.take(part, rejected)
            if not shown.num_rows:
                continue
            clicked, position = shown[LABEL].to_numpy(), shown[POSITION].to_numpy()
            value = np.ones(len(clicked)) if weights is None else np.where(clicked > 0, weights[position - 1], 1.0)
            yield self._per_query(shown, value) if self.source.lists == "query" else self._per_impression(shown, value)

    def _per_impression(self, shown: pa.RecordBatch, weight: _Floats) -> pa.RecordBatch:
        weights = pa.array(weight.astype(np.float32))
        arrays = [weights if name == WEIGHT else shown[name] for name in self.schema.names]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _per_query(self, shown: pa.RecordBatch, weight: _Floats) -> pa.RecordBatch:
        """One row per query and document: mean weight of clicks, latest time, else as the first of them."""
        _, pair = codes_of(shown)
        order = np.lexsort((shown[PLACE].to_numpy(), pair))
        starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
        value = np.bincount(pair, shown[LABEL].to_numpy() * weight) / np.bincount(pair)
        new = {LABEL: pa.array(value.astype(np.float32))}
        if TIMESTAMP in self.judged:
            new[TIMESTAMP] = pa.array(np.maximum.reduceat(shown[TIMESTAMP].to_numpy()[order], starts))
        first = shown.take(pa.array(order[starts]))
        arrays = [new.get(name, first[name] if name in first.schema.names else None) for name in self.schema.names]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def open_clicks(
    spec: Spec,
    files: TableFiles,
    pair: list[Column],
    directory: Path,
    rejected: RejectedRows,
    count: Count,
    rule: SplitRule,
) -> ClickTable:
    """Read a log, and estimate propensities if the spec says how.

    Memory is that of a partition, which has all impressions of some queries, and of the counts.

    Args:
        spec: of a source of clicks.
        files: of the impressions.
        pair: columns of impressions that features read.
        directory: takes the partitions; it may not be there yet.
        rejected: takes the rows that cannot be used.
        count: told of the rows read.
        rule: tells the splits of rows that are set aside.

    Raises:
        DataError: for faults of whole files, or if propensities cannot be told.
    """
    source = spec.data.sources[0]
    if not isinstance(source, ClicksSource):
        raise TypeError(f"a source of kind {source.kind!r} has no impressions")
    ids, timed = (QUERY, DOCUMENT), () if source.timestamp is None else (TIMESTAMP,)
    columns = wanted_columns(source, pair)
    table = ImpressionTable(spec, files, ids, columns, count, (LABEL, POSITION, *timed), rule)
    log = ImpressionLog.read(table, directory, rejected)
    found = None if source.propensity.by == "none" else estimate(log)
    if source.lists == "query":
        return ClickTable(spec, files, ids, pair, count, (LABEL, *timed), rule, log=log, propensities=found)
    judged = (LABEL, *(() if found is None else (WEIGHT,)), POSITION, *timed)
    columns = [Column(IMPRESSION, "document", "string"), *pair]
    return ClickTable(spec, files, ids, columns, count, judged, rule, log=log, propensities=found)
