"""A table as the join sees it: its sound rows, and how those that are not are set aside."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.columns import MISSING_INT, Column
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import Spill
from ranker.data.split import SPLITS, SplitName, SplitRule
from ranker.data.tables.files import read_table
from ranker.data.tables.id_groups import Mask, coded, distinct_values, take
from ranker.data.tables.roles import TableFiles
from ranker.data.tables.rows import Rows, TableColumns
from ranker.spec import Categorical, Spec

__all__ = ["DOCUMENT", "LABEL", "PLACE", "POSITION", "QUERY", "TIMESTAMP", "WEIGHT", "Count", "SourceTable"]

QUERY, DOCUMENT = "query_id", "document_id"
LABEL, WEIGHT, POSITION, TIMESTAMP = "label", "weight", "position", "timestamp"
PLACE = "#place"  # of a row in its table: file number * 2**_LINE_BITS + line; also the order of rows
_LINE_BITS = 40
_LINE = (1 << _LINE_BITS) - 1
_MISSING_ID = {QUERY: "missing query id", DOCUMENT: "missing document id"}
_JUDGED = {LABEL: pa.float32(), WEIGHT: pa.float32(), POSITION: pa.int64(), TIMESTAMP: pa.int64()}
_NOT_SHOWN, _BAD_POSITION = 0, -1
_CHUNK = 1024  # rejected rows that are turned into Python values at once


class Count:
    """Adds up the rows read from several tables, and tells."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress, self._rows = progress, 0

    def add(self, rows: int) -> None:
        """So many more rows were read."""
        self._rows += rows
        self._progress(self._rows)


@dataclass(frozen=True)
class SourceTable:
    """A table as the join sees it: rows of `schema`, ids and judgments under the names of this module.

    Attributes:
        spec: names the columns.
        files: of the table.
        ids: which of QUERY and DOCUMENT it has.
        columns: of features.
        count: told of the rows read.
        judged: which of LABEL, WEIGHT, POSITION and TIMESTAMP it has.
        rule: tells the splits of rows that are set aside.
        own_names: whether ids have the names of this module in the files too, not those of the spec.
    """

    spec: Spec
    files: TableFiles
    ids: tuple[str, ...]
    columns: list[Column]
    count: Count
    judged: tuple[str, ...] = ()
    rule: SplitRule | None = None
    own_names: bool = False

    @property
    def schema(self) -> pa.Schema:
        """Of the rows: ids, what is judged, columns, place."""
        judged = [(name, _JUDGED[name]) for name in self.judged]
        columns = [(c.name, c.arrow_type) for c in self.columns]
        return pa.schema([*((name, pa.string()) for name in self.ids), *judged, *columns, (PLACE, pa.int64())])

    def spill(self, directory: Path, key: str, partitions: int, rejected: RejectedRows | None) -> Spill:
        """The rows that can be used, spread by the hash of the ids in column `key`."""
        spill = Spill(directory, self.schema, partitions)
        for rows in self.rows(rejected):
            spill.write(rows, partition_of(hash_ids(rows[key]), partitions))
        spill.close()
        return spill

    def rows(self, rejected: RejectedRows | None) -> Iterator[pa.RecordBatch]:
        """The rows that can be used, in their order.

        Args:
            rejected: takes the others; None where they were or will be told elsewhere.
        """
        names = self._names
        files = _InTurn(self.files)

        def reject(_: str, line: int, reason: str, row: str) -> None:
            if rejected is not None:
                number = files.number
                rejected.read(self.files.names, 1)
                rejected.add(self.files.names[number], line, reason, row, self._split("", number))

        for rows in read_table(files, self._wanted, reject):
            values = [rows.values[names[name]] for name in self.ids]
            values += [_judged(name, rows.values[names[name]]) for name in self.judged]
            values += [_feature(column, rows.values[column.name]) for column in self.columns]
            places = (files.number << _LINE_BITS) + rows.lines
            batch = pa.RecordBatch.from_arrays([*values, pa.array(places)], schema=self.schema)
            self.count.add(batch.num_rows)
            if rejected is not None:
                rejected.read(self.files.names, batch.num_rows)
            yield self._sound(batch, rows, rejected)

    @property
    def _names(self) -> dict[str, str]:
        """What ids and judgments are called in the files."""
        data = self.spec.data
        ids = (
            {QUERY: QUERY, DOCUMENT: DOCUMENT} if self.own_names else {QUERY: data.query_id, DOCUMENT: data.document_id}
        )
        judged = {LABEL: data.label, WEIGHT: data.weight, POSITION: data.position, TIMESTAMP: data.timestamp}
        return ids | {name: called for name, called in judged.items() if called is not None}

    @property
    def _wanted(self) -> TableColumns:
        names = self._names
        features = (*self.spec.features.query, *self.spec.features.of_documents)
        separators = {one.name: one.separator for one in features if isinstance(one, Categorical)}
        plain = [c for c in self.columns if c.width is None and not c.multivalued]
        of_dtype = {dtype: [c.name for c in plain if c.dtype == dtype] for dtype in ("string", "int64", "float32")}
        numbers = [names[name] for name in (WEIGHT, POSITION) if name in self.judged]
        dates = [names[TIMESTAMP]] if TIMESTAMP in self.judged else []
        return TableColumns(
            ids=tuple(names[name] for name in self.ids),
            texts=tuple(of_dtype["string"]),
            numbers=(*of_dtype["float32"], *numbers),
            label=names[LABEL] if LABEL in self.judged else None,
            dates=(*of_dtype["int64"], *dates),
            lists=tuple((c.name, separators[c.name]) for c in self.columns if c.multivalued),
            vectors=tuple((c.name, c.width) for c in self.columns if c.width is not None),
        )

    def _sound(self, batch: pa.RecordBatch, rows: Rows, rejected: RejectedRows | None) -> pa.RecordBatch:
        """The rows without a fault; a row with several is rejected for the first."""
        bad = np.zeros(batch.num_rows, bool)
        for reason, mask in self._faults(batch):
            if rejected is not None:
                for row in np.flatnonzero(mask & ~bad).tolist():
                    number = batch[PLACE][row].as_py() >> _LINE_BITS
                    split = self._split(batch[QUERY][row].as_py() if QUERY in self.ids else "", number)
                    rejected.add(self.files.names[number], int(rows.lines[row]), reason, rows.text(row), split)
            bad |= mask
        return take(batch, ~bad)

    def _faults(self, batch: pa.RecordBatch) -> Iterator[tuple[str, Mask]]:
        for name in self.ids:
            yield _MISSING_ID[name], pc.equal(batch[name], "").to_numpy(zero_copy_only=False)
        for name in (LABEL, WEIGHT):
            if name in self.judged:
                values = batch[name].to_numpy()
                yield f"bad {name}", ~((values >= 0) & np.isfinite(values))
        if POSITION in self.judged:
            yield "bad position", batch[POSITION].to_numpy() == _BAD_POSITION
        for column in self.columns:
            if column.dtype == "float32":
                yield "infinite feature value", _infinite(batch[column.name], column.width)

    def distinct(self, rows: pa.RecordBatch, key: str, rejected: RejectedRows | None) -> pa.RecordBatch:
        """The first row of each id in column `key`; `rejected` takes the others, unless they are told elsewhere."""
        _, first, _ = coded(rows[key])
        again = np.ones(rows.num_rows, bool)
        again[first] = False
        self.reject(rows, again, f"duplicate {key.replace('_', ' ')}", rejected)
        return take(rows, ~again)

    def file_splits(self, rows: pa.RecordBatch) -> npt.NDArray[np.int8]:
        """The splits that the files of rows have, as places in SPLITS; 0 for all if they have none."""
        if not self.files.splits:
            return np.zeros(rows.num_rows, np.int8)
        return np.array(self.files.splits, np.int8)[rows[PLACE].to_numpy() >> _LINE_BITS]

    def reject(
        self,
        rows: pa.RecordBatch,
        mask: Mask,
        reason: str,
        rejected: RejectedRows | None,
        splits: npt.NDArray[np.int8] | None = None,
    ) -> None:
        """Set rows aside; what was read of them, as JSON.

        Args:
            rows: have the columns of `schema`, or some of them and the place.
            mask: which of them.
            reason: why.
            rejected: takes them; None where they are told elsewhere.
            splits: of all rows, as places in SPLITS, where the table cannot tell them.
        """
        names = self._names
        wanted = [name for name in self.schema.names if name != PLACE and name in rows.schema.names]
        if rejected is None:
            return
        bad = np.flatnonzero(mask)
        for start in range(0, len(bad), _CHUNK):
            some = bad[start : start + _CHUNK]
            chunk = rows.take(pa.array(some))
            shown = chunk.select(wanted).to_pylist()
            for at, place, row in zip(some.tolist(), chunk[PLACE].to_pylist(), shown, strict=True):
                number = place >> _LINE_BITS
                split = self._split(row.get(QUERY, ""), number) if splits is None else SPLITS[splits[at]]
                values = {names.get(name, name): _plain(name, value) for name, value in row.items()}
                text = json.dumps(values, ensure_ascii=False)
                rejected.add(self.files.names[number], place & _LINE, reason, text, split)

    def _split(self, query_id: str, file: int) -> SplitName | None:
        return None if self.rule is None else self.rule.of_row(query_id, file)


class _InTurn(list[Path]):
    """The files of a table; knows the number of the one that is being read, since they are read one by one."""

    def __init__(self, files: TableFiles) -> None:
        super().__init__(files.paths)
        self.number = 0

    def __iter__(self) -> Iterator[Path]:
        for self.number, path in enumerate(super().__iter__()):
            yield path


def _judged(name: str, values: pa.Array) -> pa.Array:
    if name == TIMESTAMP:
        return values
    if name != POSITION:
        return _float32(pc.if_else(pc.is_nan(values), 1.0, values) if name == WEIGHT else values)
    numbers = values.to_numpy()
    with np.errstate(invalid="ignore"):
        whole = (np.floor(numbers) == numbers) & (numbers >= 1) & (numbers < 2.0**63)
    positions = np.where(np.isnan(numbers), _NOT_SHOWN, _BAD_POSITION)
    positions[whole] = numbers[whole]
    return pa.array(positions)


def _feature(column: Column, values: pa.Array) -> pa.Array:
    if column.multivalued:
        return distinct_values(values)
    return _float32(values) if column.dtype == "float32" and column.width is None else values


def _float32(array: pa.Array) -> pa.Array:
    return array.cast(pa.float32(), safe=False)


def _infinite(values: pa.Array, width: int | None) -> Mask:
    if width is None:
        return np.isinf(values.to_numpy())
    found: Mask = np.isinf(values.flatten().to_numpy().reshape(-1, width)).any(axis=1)
    return found


def _plain(name: str, value: object) -> object:
    """A value as JSON has it: what was missing is null."""
    if isinstance(value, list):
        return [_plain(name, one) for one in value]
    missing = value == MISSING_INT or (name == POSITION and value == _NOT_SHOWN)
    return None if missing or (isinstance(value, float) and math.isnan(value)) else value
