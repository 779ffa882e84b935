"""The first rows of a table file, in plain Python values: enough to see what is in it without reading the whole."""

from __future__ import annotations

import difflib
import io
import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv

from ranker.data.files import is_remote, open_binary, open_unpacked, parent_names
from ranker.data.tables.text_blocks import end_of_quoted_lines, filled_lines, line_starts, text_blocks
from ranker.errors import RankerError

__all__ = ["Head", "read_head"]

_LONGEST_ROW = 16 << 20  # bytes, as in the connector
_MOST_BYTES = 64 << 20  # of all rows
_OBJECTS = 8  # times as many bytes as in Arrow have numbers in lists of Python
_BLOCK = 1 << 20  # bytes of CSV parsed at a time
_NULLS = frozenset(pyarrow.csv.ConvertOptions().null_values)


@dataclass(frozen=True)
class Head:
    """The first rows of a file.

    Attributes:
        path: of the file.
        columns: values by column, None where a row has none. CSV gives strings only.
        rows: how many were read.
        whole: whether these are all rows of the file.
        typed: whether the format tells numbers from text (CSV does not).
        lines: of the rows, where they are known.
    """

    path: Path
    columns: dict[str, list[Any]]
    rows: int
    whole: bool
    typed: bool
    lines: Sequence[int] | None = None

    def line(self, row: int) -> int:
        """The line of the file, from 1, in which a row, from 0, begins; of Parquet the row."""
        if self.lines is not None:
            return self.lines[row]
        return row + 1 if self.typed else _line_of_csv(self.path, row)

    def number(self, value: Any) -> float:
        """A value of this file as a number, NaN where it is missing.

        Raises:
            ValueError: if it is none.
        """
        if value is None or (not self.typed and value in _NULLS):
            return math.nan
        if self.typed and (isinstance(value, bool) or not isinstance(value, int | float | Decimal)):
            raise ValueError("not a number")
        if not self.typed and "_" in value:
            raise ValueError("not a number, though Python takes it for one")
        return float(value)


def read_head(path: Path, rows: int = 1000) -> Head:
    """Read at most `rows` rows, and 64 MiB, of a JSONL, CSV (both also .gz, .zst) or Parquet file.

    Raises:
        RankerError: if the file cannot be read, is not of the format of its ending, or has no rows.
    """
    if not is_remote(path) and path.is_dir():
        raise RankerError(f"{path}: is a folder; name its files")
    ending = path.with_suffix("").suffix if path.suffix in (".gz", ".zst") else path.suffix
    if ending not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise RankerError(f"{path}: cannot tell the format from {ending!r}; expected {known} (text also .gz, .zst)")
    try:
        head = _FORMATS[ending](path, rows)
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, parent_names(path), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RankerError(f"{path}: no such file{hint}") from None
    except OSError as error:
        raise RankerError(f"{path}: cannot read: {error.strerror or error}") from None
    except pa.ArrowInvalid as error:
        raise RankerError(f"{path}: not valid {ending[1:].upper()}: {error}") from None
    if not head.rows:
        raise RankerError(f"{path}: no rows; expected at least one")
    return head


def _read_jsonl(path: Path, rows: int) -> Head:
    columns: dict[str, list[Any]] = {}
    numbers: list[int] = []
    count, size, whole = 0, 0, False
    with io.BufferedReader(open_unpacked(path)) as lines:
        for number in itertools.count(1):
            line = lines.readline(_LONGEST_ROW)
            if not line or count == rows or size > _MOST_BYTES:
                whole = not line
                break
            size += len(line)
            if line.isspace():
                continue
            for name, value in _object(path, number, line).items():
                column = columns.setdefault(name, [])
                column.extend([None] * (count - len(column)))
                column.append(value)
            numbers.append(number)
            count += 1
    for column in columns.values():
        column.extend([None] * (count - len(column)))
    return Head(path, columns, count, whole, typed=True, lines=numbers)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(line.strip())
    except orjson.JSONDecodeError as error:
        try:
            row = json.loads(line)  # slower, but takes NaN as the connector does
        except (ValueError, RecursionError):
            what = f"{error.msg} in column {error.colno}"
            raise RankerError(f"{path}:{number}: not valid JSON: {what}; expected one object per line") from None
    if not isinstance(row, dict):
        raise RankerError(f"{path}:{number}: expected an object, got {row!r:.40}")
    return row


def _read_csv(path: Path, rows: int) -> Head:
    try:
        return _read_csv_by(_BLOCK, path, rows)
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            raise RankerError(f"{path}: is empty; expected a line of column names and rows") from None
        if "straddling" in str(error):  # a row that is longer than the block
            return _read_csv_by(_LONGEST_ROW, path, rows)
        raise


def _read_csv_by(block: int, path: Path, rows: int) -> Head:
    def batches(names: list[str]) -> pyarrow.csv.CSVStreamingReader:
        return pyarrow.csv.open_csv(
            open_unpacked(path),
            pyarrow.csv.ReadOptions(block_size=block, use_threads=False),  # threads would not count rows in errors
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )

    with batches([]) as reader:
        names = reader.schema.names
    with batches(names) as reader:
        return _of_batches(path, names, iter(reader), rows, typed=False)


def _line_of_csv(path: Path, row: int) -> int:
    left = row + 1  # the header is the first that is filled
    for block in text_blocks(path, end_of_quoted_lines):
        starts = line_starts(block.data, quoted=True)
        filled = filled_lines(block.data, starts)
        if left < len(filled):
            return block.first + block.data.count(b"\n", 0, int(starts[filled[left]]))
        left -= len(filled)
    raise ValueError(f"{path} has no row {row}")


def _read_parquet(path: Path, rows: int) -> Head:
    import pyarrow.parquet

    with open_binary(path) as opened, pyarrow.parquet.ParquetFile(opened) as file:
        batches = file.iter_batches(batch_size=min(rows, 1000))
        return _of_batches(path, file.schema_arrow.names, batches, rows, typed=True)


def _of_batches(path: Path, names: list[str], batches: Any, rows: int, *, typed: bool) -> Head:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise RankerError(f"{path}: {names.count(repeated[0])} columns are called {repeated[0]!r}; expected one")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    count, size, whole = 0, 0, True
    for batch in batches:
        part = batch.slice(0, rows - count)
        count = count + part.num_rows
        for name, column in zip(names, part.columns, strict=True):
            size += column.nbytes * (_OBJECTS if pa.types.is_nested(column.type) else 1)
            columns[name].extend(_plain(column).to_pylist())
        if count == rows or size > _MOST_BYTES:
            whole = part.num_rows == batch.num_rows and not any(more.num_rows for more in batches)
            break
    return Head(path, columns, count, whole, typed)


def _plain(column: pa.Array) -> pa.Array:
    """Without what Python's own moments cannot hold."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column


_FORMATS: dict[str, Callable[[Path, int], Head]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
