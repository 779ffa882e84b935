"""Table files in any of their formats, read as a stream of rows; what cannot be read is set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ranker.data.data_error import DataError
from ranker.data.files import matching_files, size_of
from ranker.data.tables.csv_lines import csv_columns, read_csv_lines
from ranker.data.tables.json_lines import json_columns, read_json_lines
from ranker.data.tables.parquet_rows import parquet_columns, read_parquet_rows
from ranker.data.tables.rows import ColumnWatch, Reject, Rows, TableColumns

__all__ = ["column_names", "read_table", "table_paths", "text_size"]


@dataclass(frozen=True)
class _Format:
    """How to read the rows, and the names of the columns, of a file."""

    rows: Callable[[Path, ColumnWatch, Reject], Iterator[Rows]]
    names: Callable[[Path], list[str]]


_FORMATS = {
    ".jsonl": _Format(read_json_lines, json_columns),
    ".csv": _Format(read_csv_lines, csv_columns),
    ".parquet": _Format(read_parquet_rows, parquet_columns),
}


def table_paths(path: Path) -> list[Path]:
    """The files of a table, sorted: one, or all that match if its name holds `*`, `?` or `[`.

    Raises:
        DataError: if there is none, or one is in no known format.
    """
    if not any(mark in path.name for mark in "*?["):
        _format(path)
    paths = matching_files(path)
    for one in paths:
        _format(one)
    return paths


def read_table(paths: list[Path], columns: TableColumns, reject: Reject) -> Iterator[Rows]:
    """The rows of a table, file by file; memory is that of a block of a few megabytes.

    Args:
        paths: as `table_paths` gives them.
        columns: what to read.
        reject: takes the rows that cannot be parsed or have a value of the wrong type.

    Yields:
        rows in the order of the files.

    Raises:
        DataError: for a fault of a whole file: it cannot be read or is cut off, a column is missing, a column has
            values of the wrong type only, there are no rows.
    """
    watch = ColumnWatch(columns)
    faults = _Faults(reject)
    any_rows = False
    for path in paths:
        for rows in _format(path).rows(path, watch, faults.reject):
            if len(rows.lines):
                if not any_rows:
                    watch.check(path, columns.required)
                any_rows = True
                yield rows
    if not any_rows:
        raise DataError(f"{paths[0]}: no rows; expected at least one{faults.told()}")
    watch.check(paths[0], columns.names)


def column_names(paths: list[Path]) -> list[str]:
    """The columns of a table: those of the first file that has any; of JSONL, the keys in its first few megabytes.

    Raises:
        DataError: if a file cannot be read.
    """
    for path in paths:
        if names := _format(path).names(path):
            return names
    return []


def text_size(path: Path) -> int:
    """About how many bytes the rows of a file take in memory, by its size and format."""
    packed = path.suffix in (".gz", ".zst", ".parquet")
    return size_of(path) * (6 if packed else 1)


class _Faults:
    def __init__(self, reject: Reject) -> None:
        self._reject, self._count, self._first = reject, 0, ""

    def reject(self, file: str, line: int, reason: str, row: str) -> None:
        self._count += 1
        self._first = self._first or f"{reason} {file}:{line}: {row[:100]}"
        self._reject(file, line, reason, row)

    def told(self) -> str:
        return f"; {self._count:,} were set aside, first {self._first}" if self._count else ""


def _format(path: Path) -> _Format:
    ending = path.with_suffix("").suffix if path.suffix in (".gz", ".zst") else path.suffix
    if ending not in _FORMATS or (ending == ".parquet" and path.suffix != ending):
        raise DataError(
            f"{path}: cannot tell the format from {''.join(path.suffixes[-2:])!r}; "
            "expected .jsonl or .csv (also .gz, .zst) or .parquet"
        )
    return _FORMATS[ending]
