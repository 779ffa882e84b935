"""Table files in any of their formats, read as a stream of rows; what cannot be read is set aside."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from glob import glob
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from ranker.data.csv_lines import read_csv_lines
from ranker.data.data_error import DataError
from ranker.data.json_lines import read_json_lines
from ranker.data.table_rows import UNPARSABLE, ColumnWatch, Reject, Rows, TableColumns

__all__ = ["read_table", "table_paths", "text_size"]

_PARQUET_BATCH = 2 << 20  # bytes
_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
_Reader = Callable[[Path, ColumnWatch, Reject], Iterator[Rows]]


def table_paths(path: Path) -> list[Path]:
    """The files of a table, sorted: one, or all that match if its name holds `*`, `?` or `[`.

    Raises:
        DataError: if there is none, or one is in no known format.
    """
    named = not path.exists() and any(c in str(path) for c in "*?[")
    paths = sorted(Path(found) for found in glob(str(path))) if named else [path]  # noqa: PTH207 - path may be absolute
    if not paths:
        raise DataError(f"{path}: no file matches; the spec's data.sources names it")
    for one in paths:
        _reader(one)
        if one.is_dir():
            raise DataError(f"{one}: cannot read: it is a folder; name its files, e.g. {one}/*.parquet")
        if not one.exists():
            raise DataError(f"{one}: cannot read: No such file or directory; the spec's data.sources names this file")
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
        for rows in _reader(path)(path, watch, faults.reject):
            if len(rows.lines):
                if not any_rows:
                    watch.check(path, columns.required)
                any_rows = True
                yield rows
    if not any_rows:
        raise DataError(f"{paths[0]}: no rows; expected at least one{faults.told()}")
    watch.check(paths[0], columns.names)


def text_size(path: Path) -> int:
    """About how many bytes the rows of a file take in memory, by its size and format."""
    packed = path.suffix in (".gz", ".zst", ".parquet")
    return path.stat().st_size * (6 if packed else 1)


class _Faults:
    def __init__(self, reject: Reject) -> None:
        self._reject, self._count, self._first = reject, 0, ""

    def reject(self, file: str, line: int, reason: str, row: str) -> None:
        self._count += 1
        self._first = self._first or f"{reason} {file}:{line}: {row[:100]}"
        self._reject(file, line, reason, row)

    def told(self) -> str:
        return f"; {self._count:,} were set aside, first {self._first}" if self._count else ""


def _reader(path: Path) -> _Reader:
    readers: dict[str, _Reader] = {".jsonl": read_json_lines, ".csv": read_csv_lines, ".parquet": _read_parquet}
    ending = path.with_suffix("").suffix if path.suffix in (".gz", ".zst") else path.suffix
    if ending not in readers or (ending == ".parquet" and path.suffix != ending):
        raise DataError(
            f"{path}: cannot tell the format from {''.join(path.suffixes[-2:])!r}; "
            "expected .jsonl or .csv (also .gz, .zst) or .parquet"
        )
    return readers[ending]


# --- Parquet ----------------------------------------------------------------------------------------------------------


def _read_parquet(path: Path, watch: ColumnWatch, reject: Reject) -> Iterator[Rows]:
    row = 1
    try:
        with pa.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            _check_schema(path, file.schema_arrow, watch)
            for batch in file.iter_batches(_rows_per_batch(file), columns=list(watch.columns.names), use_threads=False):
                yield _parquet_rows(path, batch, row, watch, reject)
                row += batch.num_rows
    except (OSError, pa.ArrowInvalid) as error:
        far = f" on from row {row:,}" if row > 1 else ""
        raise DataError(f"{path}: cannot read{far}: not valid Parquet: {error}") from None


def _check_schema(path: Path, schema: pa.Schema, watch: ColumnWatch) -> None:
    watch.named(schema.names)
    watch.found(schema.names)
    watch.check(path, watch.columns.names)
    for name in watch.columns.names:
        if (count := schema.names.count(name)) > 1:
            raise DataError(f"{path}: {count} columns {name!r}; there are {', '.join(schema.names)}")
        kind = schema.field(name).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if name in watch.columns.all_texts:
            if not (_is_text(value) or pa.types.is_primitive(value) or pa.types.is_null(value)):
                raise DataError(f"{path}: column {name!r}: expected text, got {kind}")
        elif not any(is_kind(value) for is_kind in _NUMERIC):
            raise DataError(f"{path}: column {name!r}: expected numbers, got {kind}")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _rows_per_batch(file: pa.parquet.ParquetFile) -> int:
    meta = file.metadata
    size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
    return max(1, min(1 << 16, _PARQUET_BATCH * meta.num_rows // max(size, 1)))


def _parquet_rows(path: Path, batch: pa.RecordBatch, first: int, watch: ColumnWatch, reject: Reject) -> Rows:
    lines = np.arange(first, first + batch.num_rows)
    garbled = np.zeros(batch.num_rows, bool)
    for name in watch.columns.all_texts:
        try:
            batch[name].validate(full=True)
        except pa.ArrowInvalid:
            garbled |= _not_utf8(batch[name])
    for place in np.flatnonzero(garbled).tolist():
        reject(path.name, int(lines[place]), UNPARSABLE, _shown(batch, place))
    if garbled.any():
        kept = np.flatnonzero(~garbled)
        batch, lines = batch.take(pa.array(kept)), lines[kept]
    arrays = {name: batch[name].cast(pa.string()) for name in watch.columns.all_texts}
    arrays |= {name: batch[name].cast(pa.float64(), safe=False) for name in watch.columns.all_numbers}
    return watch.rows(path, arrays, lines, lambda place: _shown(batch, place), [], reject)


def _not_utf8(array: pa.Array) -> np.ndarray:
    def bad(value: bytes | None) -> bool:
        try:
            (value or b"").decode()
        except UnicodeDecodeError:
            return True
        return False

    return np.array([bad(value) for value in array.cast(pa.large_binary()).to_pylist()], bool)


def _shown(batch: pa.RecordBatch, place: int) -> str:
    """A row as JSON."""

    def plain(value: object) -> object:
        return None if isinstance(value, float) and math.isnan(value) else value

    def cell(array: pa.Array) -> object:
        if _is_text(array.type):
            text = array[place].cast(pa.large_binary()).as_py()
            return None if text is None else text.decode(errors="replace")
        return plain(array[place].as_py())

    row = {name: cell(batch[name]) for name in batch.schema.names}
    return json.dumps(row, ensure_ascii=False, default=str)
