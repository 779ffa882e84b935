"""Statistics of the lists of a split, added up batch by batch and shard by shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.statistics.frequent_values import FrequentValues
from features.statistics.measured import Measured
from features.statistics.moments import Moments
from features.statistics.row_sample import RowSample, priorities_of_documents
from features.statistics.summary import COARSE_LEVELS, LEVELS, ColumnSummary, Numbers, SplitSummary, Values
from ranker.data.columns import MISSING_INT, Scope
from ranker.data.id_hash import hash_ids

__all__ = ["SplitStatistics"]

_BUCKETS = 20
_TOP = 1000
_WIDE = 256  # components of a vector, of which each has as many quantiles as a column
_SECONDS = 86_400
_WORD = r"[\pL\pM\pN]+"

_Floats = npt.NDArray[np.float64]
_Arrays = dict[str, npt.NDArray[Any]]


class SplitStatistics:
    """Accumulates the statistics of `SplitSummary` in memory that does not grow with the data.

    Counts, bounds and samples do not depend on how the data is cut into batches and shards; means and deviations do in
    their last bits, estimated counts (see `FrequentValues`) within their error.
    """

    def __init__(self, columns: Sequence[Measured]) -> None:
        self._dated = any(column.kind == "time" for column in columns)
        relevant = ["relevant"] if any(column.kind == "label" for column in columns) else []
        self._lists = _Rows([c for c in columns if c.column.scope == "query"], ["length", *relevant], self._dated)
        self._documents = _Rows([c for c in columns if c.column.scope == "document"], [], self._dated)
        self._columns = list(columns)

    def add(self, lists: pa.RecordBatch) -> None:
        """Take in a batch of lists, see `ranker.data.columns.list_schema`."""
        if not lists.num_rows:
            return
        lengths = pc.list_value_length(lists["document_id"]).to_numpy().astype(np.int64)
        own = {"length": lengths.astype(np.float64)}
        if "relevant" in self._lists.own:
            starts = np.cumsum(lengths) - lengths
            own["relevant"] = np.add.reduceat(lists["label"].flatten().to_numpy() > 0, starts, dtype=np.float64)
        time = _seconds(lists["timestamp"]) if self._dated else None
        hashes = hash_ids(lists["query_id"])
        self._lists.add(self._values(lists, "query"), hashes, time, own)
        of_documents = None if time is None else np.repeat(time, lengths)
        self._documents.add(self._values(lists, "document"), priorities_of_documents(hashes, lengths), of_documents, {})

    def _values(self, lists: pa.RecordBatch, scope: Scope) -> dict[str, pa.Array]:
        columns = [column.column for column in self._columns if column.column.scope == scope]
        return {c.name: lists[c.name].flatten() if scope == "document" else lists[c.name] for c in columns}

    def merge(self, other: SplitStatistics) -> None:
        """Take in what `other`, of the same columns, has seen."""
        self._lists.merge(other._lists)
        self._documents.merge(other._documents)

    def missing(self) -> dict[str, int]:
        """Values that are missing, per column that has any; of a vector, missing numbers."""
        counts = {column.name: self._of(column).missing_numbers(column) for column in self._columns}
        return {name: count for name, count in counts.items() if count}

    def _of(self, column: Measured) -> _Rows:
        return self._lists if column.column.scope == "query" else self._documents

    def summary(self, name: str, queries: float | None = None) -> SplitSummary:
        """What was found, of the split `name`; for `queries` see `SplitSummary`."""
        return SplitSummary(
            name,
            lists=self._lists.rows,
            documents=self._documents.rows,
            length=self._lists.numbers("length"),
            relevant=self._lists.numbers("relevant") if "relevant" in self._lists.own else None,
            columns=tuple(self._of(column).summary(column) for column in self._columns),
            queries=queries,
        )

    def to_arrays(self) -> _Arrays:
        """As arrays that can be written."""
        sides = {"lists": self._lists, "documents": self._documents}
        return {f"{side}/{key}": array for side, rows in sides.items() for key, array in rows.to_arrays().items()}

    @classmethod
    def from_arrays(cls, columns: Sequence[Measured], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Inverse of `to_arrays`, of statistics of the same columns."""
        statistics = cls(columns)
        for side, rows in (("lists", statistics._lists), ("documents", statistics._documents)):
            rows.load({key.removeprefix(f"{side}/"): a for key, a in arrays.items() if key.startswith(f"{side}/")})
        return statistics


class _Rows:
    """Columns with a value for each list, or for each document.

    Scalar numbers, those measured of texts too, are one block `[rows, n]`, each vector is one of its own.

    Attributes:
        own: names of numbers that are no columns.
        rows: how many were seen.
    """

    def __init__(self, columns: Sequence[Measured], own: Sequence[str], dated: bool) -> None:
        self.own, self.rows = tuple(own), 0
        self._columns = [column for column in columns if column.kind != "vector"]
        self._vectors = [column for column in columns if column.kind == "vector"]
        ages = [f"{column.name} age" for column in self._columns if column.kind == "date" and dated]
        self._scalars = [*own, *(column.name for column in self._columns if column.measure), *ages]
        widths = [len(self._scalars), *(column.column.width or 0 for column in self._vectors)]
        self._moments = [Moments(width) for width in widths]
        self._sample = RowSample(widths)
        self._values = {column.name: FrequentValues() for column in self._columns if column.has_values}
        self._missing = {c.name: 0 for c in columns if c.kind in ("text", "category", "categories", "vector")}

    def add(
        self,
        values: Mapping[str, pa.Array],
        priorities: npt.NDArray[np.uint64],
        time: _Floats | None,
        own: Mapping[str, _Floats],
    ) -> None:
        """Take in rows.

        Args:
            values: of each column, one per row.
            priorities: of the rows, for the sample.
            time: seconds since 1970 at which the query of each row was asked, if known.
            own: numbers that are no columns.
        """
        self.rows += len(priorities)
        scalars = dict(own)
        for column in self._columns:
            scalars |= self._scalars_of(column, values[column.name], time)
        block = np.empty((len(priorities), len(self._scalars)))
        for at, name in enumerate(self._scalars):
            block[:, at] = scalars[name]
        blocks: list[npt.NDArray[Any]] = [block]
        for column in self._vectors:
            vector = values[column.name].flatten().to_numpy().reshape(-1, column.column.width)
            absent = np.isnan(vector[:, 0])
            self._missing[column.name] += int(np.isnan(vector[absent]).all(axis=1).sum())
            blocks.append(vector)
        for moments, numbers in zip(self._moments, blocks, strict=True):
            moments.add(numbers)
        self._sample.add(priorities, blocks)

    def _scalars_of(self, column: Measured, values: pa.Array, time: _Floats | None) -> dict[str, _Floats]:
        """The numbers of a column; its texts are counted on the way."""
        if column.kind in ("date", "time"):
            seconds = _seconds(values)
            age = {} if column.kind == "time" or time is None else {f"{column.name} age": (time - seconds) / _SECONDS}
            return {column.name: seconds, **age}
        if column.kind in ("text", "category"):
            present = values.filter(pc.not_equal(values, ""))
            self._count(column, present, len(values) - len(present))
            return {column.name: _words(values)} if column.kind == "text" else {}
        if column.kind == "categories":
            lengths = pc.list_value_length(values).to_numpy()
            self._count(column, values.flatten(), int((lengths == 0).sum()))
            return {column.name: lengths.astype(np.float64)}
        numbers = values.to_numpy().astype(np.float64)
        if column.kind == "position":
            numbers[numbers == 0] = np.nan
        if column.kind == "label":
            self._values[column.name].add(_label_texts(numbers))
        return {column.name: numbers}

    def _count(self, column: Measured, texts: pa.StringArray, missing: int) -> None:
        self._missing[column.name] += missing
        self._values[column.name].add(texts)

    def merge(self, other: _Rows) -> None:
        """Take in what `other` has seen."""
        self.rows += other.rows
        for moments, more in zip(self._moments, other._moments, strict=True):
            moments.merge(more)
        self._sample.merge(other._sample)
        for name, values in self._values.items():
            values.merge(other._values[name])
        for name in self._missing:
            self._missing[name] += other._missing[name]

    def missing_numbers(self, column: Measured) -> int:
        """How many values of a column are missing; of a vector, how many numbers."""
        if column.kind == "vector":
            moments = self._moments[1 + self._vectors.index(column)]
            return int((self.rows - moments.count).sum())
        if column.name in self._missing:
            return self._missing[column.name]
        return self.rows - int(self._moments[0].count[self._scalars.index(column.name)])

    def summary(self, column: Measured) -> ColumnSummary:
        """Statistics of a column."""
        if column.kind == "vector":
            components = tuple(self._components(column))
            missing = self._missing[column.name]
            return ColumnSummary(column, self.rows, missing, self._together(column), components=components)
        dated = f"{column.name} age" in self._scalars
        counted = self._values.get(column.name)
        return ColumnSummary(
            column,
            self.rows,
            self.missing_numbers(column),
            self.numbers(column.name) if column.measure else None,
            self.numbers(f"{column.name} age") if dated else None,
            None if counted is None else _values(counted),
        )

    def numbers(self, name: str) -> Numbers:
        """Figures of a scalar."""
        at = self._scalars.index(name)
        return _numbers(self._moments[0], at, self._sample.blocks()[0][:, at], self.rows, LEVELS)

    def _components(self, column: Measured) -> Iterator[Numbers]:
        block = 1 + self._vectors.index(column)
        rows = np.ascontiguousarray(self._sample.blocks()[block].T)
        levels = LEVELS if len(rows) <= _WIDE else COARSE_LEVELS
        for at, sampled in enumerate(rows):
            yield _numbers(self._moments[block], at, sampled, self.rows, levels)

    def _together(self, column: Measured) -> Numbers:
        """Figures of all components of a vector as if they were one column."""
        block = 1 + self._vectors.index(column)
        together = Moments(1)
        for component in self._moments[block].to_array().T:
            together.merge(Moments.from_array(component[:, np.newaxis]))
        sampled = self._sample.blocks()[block].ravel()
        return _numbers(together, 0, sampled, self.rows * len(self._moments[block].count), LEVELS)

    def to_arrays(self) -> _Arrays:
        """As arrays that can be written."""
        arrays: _Arrays = {"rows": np.array([self.rows, *self._missing.values()], np.int64)}
        arrays |= {f"moments/{at}": moments.to_array() for at, moments in enumerate(self._moments)}
        arrays |= {f"sample/{at}": array for at, array in enumerate(self._sample.to_arrays())}
        for name, values in self._values.items():
            arrays |= {f"values/{name}/{at}": array for at, array in enumerate(values.to_arrays())}
        return arrays

    def load(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Become what `to_arrays` wrote."""
        self.rows, *missing = arrays["rows"].tolist()
        self._missing = dict(zip(self._missing, missing, strict=True))
        self._moments = [Moments.from_array(arrays[f"moments/{at}"]) for at in range(len(self._moments))]
        self._sample = RowSample.from_arrays([arrays[f"sample/{at}"] for at in range(len(self._moments) + 1)])
        for name in self._values:
            self._values[name] = FrequentValues.from_arrays([arrays[f"values/{name}/{at}"] for at in range(3)])


def _numbers(moments: Moments, at: int, sampled: npt.NDArray[Any], rows: int, levels: _Floats) -> Numbers:
    count = int(moments.count[at])
    sampled = sampled[~np.isnan(sampled)].astype(np.float64)
    low, high = float(moments.minimum[at]), float(moments.maximum[at])
    quantiles = histogram = np.empty(0)
    if count:
        sampled = sampled if len(sampled) else np.array([low, high])  # hardly a row has a number
        quantiles = np.quantile(sampled, levels)
        quantiles[[0, -1]] = low, high
        bounds = (low, high) if high > low else (low, low + 1)
        histogram = np.histogram(sampled, _BUCKETS, bounds)[0] * (count / len(sampled))
    return Numbers(
        count,
        rows - count,
        float(moments.mean[at]) if count else np.nan,
        float(moments.sd[at]) if count else np.nan,
        low if count else np.nan,
        high if count else np.nan,
        int(moments.zeros[at]),
        levels if count else np.empty(0),
        quantiles,
        histogram,
        len(sampled),
    )


def _seconds(values: pa.Int64Array) -> _Floats:
    """float64, exact for the next 285 million years; missing is NaN."""
    seconds = values.to_numpy()
    return np.where(seconds == MISSING_INT, np.nan, seconds.astype(np.float64))


def _words(texts: pa.StringArray) -> _Floats:
    """How many words each text has, as `features.text.tokenize` splits them; NaN for a missing text."""
    words = pc.count_substring_regex(texts, _WORD).to_numpy().astype(np.float64)
    words[pc.equal(texts, "").to_numpy(zero_copy_only=False)] = np.nan
    return words


def _label_texts(labels: _Floats) -> pa.StringArray:
    distinct, which = np.unique(labels.astype(np.float32), return_inverse=True)
    return pa.DictionaryArray.from_arrays(which.astype(np.int32), [f"{label:.9g}" for label in distinct]).cast(
        pa.string()
    )


def _values(values: FrequentValues) -> Values:
    mean_length = values.characters / max(values.count, 1)
    return Values(values.count, mean_length, values.distinct, values.exact, tuple(values.top(_TOP)))
