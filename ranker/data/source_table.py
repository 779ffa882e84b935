"""A table as the join sees it: its sound rows, spread over partitions on disk."""

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

from ranker.data.columns import Column
from ranker.data.data_error import DataError
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import Spill
from ranker.data.table_files import read_table
from ranker.data.table_rows import Reject, Rows, TableColumns
from ranker.spec import Spec

__all__ = ["DOCUMENT", "LABEL", "PLACE", "QUERY", "Count", "Mask", "SourceTable", "coded", "take"]

QUERY, DOCUMENT, LABEL = "query_id", "document_id", "label"
PLACE = "#place"  # of a row in its table: file number * 2**_LINE_BITS + line; also the order of rows
_LINE_BITS = 40
_MISSING_ID = {QUERY: "missing query id", DOCUMENT: "missing document id"}

Mask = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int64]


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
    """A table as the join sees it: rows of `schema`, ids under the names of this module."""

    spec: Spec
    paths: list[Path]
    ids: tuple[str, ...]
    columns: list[Column]
    count: Count
    label: bool

    def __post_init__(self) -> None:
        for column in self.columns:
            if column.width is not None:
                raise DataError(f"{self.paths[0]}: feature {column.name!r}: tables hold numbers and texts, no vectors")

    @property
    def schema(self) -> pa.Schema:
        """Of the rows: ids, label, columns, place."""
        label = [(LABEL, pa.float32())] if self.label else []
        columns = [(c.name, c.arrow_type) for c in self.columns]
        return pa.schema([*((name, pa.string()) for name in self.ids), *label, *columns, (PLACE, pa.int64())])

    def spill(
        self,
        directory: Path,
        key: str,
        partitions: int,
        reject: Reject,
        keep: Callable[[pa.StringArray], Mask] | None = None,
    ) -> Spill:
        """The rows that can be used, spread by the hash of the ids in column `key`."""
        spill = Spill(directory, self.schema, partitions)
        for batch in self._batches(reject):
            rows = batch if keep is None else take(batch, keep(batch[QUERY]))
            spill.write(rows, partition_of(hash_ids(rows[key]), partitions))
        spill.close()
        return spill

    def _batches(self, reject: Reject) -> Iterator[pa.RecordBatch]:
        names = {QUERY: self.spec.data.query_id, DOCUMENT: self.spec.data.document_id}
        wanted = TableColumns(
            ids=tuple(names[name] for name in self.ids),
            texts=tuple(c.name for c in self.columns if c.dtype == "string"),
            numbers=tuple(c.name for c in self.columns if c.dtype == "float32"),
            label=self.spec.data.label if self.label else None,
        )
        numbers = {path: number for number, path in enumerate(self.paths)}
        for rows in read_table(self.paths, wanted, reject):
            places = (numbers[rows.path] << _LINE_BITS) + rows.lines
            values = {name: rows.values[names[name]] for name in self.ids}
            if self.label:
                values[LABEL] = _float32(rows.values[self.spec.data.label])
            for column in self.columns:
                array = rows.values[column.name]
                values[column.name] = array if column.dtype == "string" else _float32(array)
            batch = pa.RecordBatch.from_arrays([*values.values(), pa.array(places)], schema=self.schema)
            self.count.add(batch.num_rows)
            yield self._sound(batch, rows, reject)

    def _sound(self, batch: pa.RecordBatch, rows: Rows, reject: Reject) -> pa.RecordBatch:
        """The rows without a fault; a row with several is rejected for the first."""
        bad = np.zeros(batch.num_rows, bool)
        for reason, mask in self._faults(batch):
            for row in np.flatnonzero(mask & ~bad).tolist():
                reject(rows.path.name, int(rows.lines[row]), reason, rows.text(row))
            bad |= mask
        return take(batch, ~bad)

    def _faults(self, batch: pa.RecordBatch) -> Iterator[tuple[str, Mask]]:
        for name in self.ids:
            yield _MISSING_ID[name], pc.equal(batch[name], "").to_numpy(zero_copy_only=False)
        if self.label:
            labels = batch[LABEL].to_numpy()
            yield "bad label", ~((labels >= 0) & np.isfinite(labels))
        for column in self.columns:
            if column.dtype == "float32":
                yield "infinite feature value", np.isinf(batch[column.name].to_numpy())

    def distinct(self, rows: pa.RecordBatch, key: str, rejected: RejectedRows) -> pa.RecordBatch:
        """The first row of each id in column `key`."""
        _, first, _ = coded(rows[key])
        again = np.ones(rows.num_rows, bool)
        again[first] = False
        self.reject(rows, again, f"duplicate {key.replace('_', ' ')}", rejected.add)
        return take(rows, ~again)

    def reject(self, rows: pa.RecordBatch, mask: Mask, reason: str, reject: Reject) -> None:
        """Set rows aside; what was read of them, as JSON."""
        names = {QUERY: self.spec.data.query_id, DOCUMENT: self.spec.data.document_id, LABEL: self.spec.data.label}
        wanted = [name for name in self.schema.names if name != PLACE]
        bad = np.flatnonzero(mask)
        for start in range(0, len(bad), 1024):
            chunk = rows.take(pa.array(bad[start : start + 1024]))
            for place, row in zip(chunk[PLACE].to_pylist(), chunk.select(wanted).to_pylist(), strict=True):
                shown = {names.get(name, name): _plain(value) for name, value in row.items()}
                file = self.paths[place >> _LINE_BITS].name
                reject(file, place & ((1 << _LINE_BITS) - 1), reason, json.dumps(shown, ensure_ascii=False))


def coded(ids: pa.StringArray) -> tuple[_Ints, _Ints, _Ints]:
    """A number for each id, and as `np.unique`: the first row of each distinct id, and for each row which that is.

    Distinct ids are numbered by their first row.
    """
    codes = ids.dictionary_encode().indices.to_numpy().astype(np.int64)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return codes, first, inverse


def take(rows: pa.RecordBatch, mask: Mask) -> pa.RecordBatch:
    """The rows where the mask is true."""
    return rows if mask.all() else rows.filter(pa.array(mask))


def _float32(array: pa.Array) -> pa.Array:
    return array.cast(pa.float32(), safe=False)


def _plain(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
