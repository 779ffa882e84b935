"""Reader of Parquet: its columns as those of the other formats."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from ranker.data.data_error import DataError
from ranker.data.files import is_remote, open_binary
from ranker.data.tables.dates import is_date
from ranker.data.tables.rows import UNPARSABLE, ColumnWatch, Reject, Rows, TableColumns, WrongValue
from ranker.data.tables.text_lists import is_list, is_text

__all__ = ["parquet_columns", "read_parquet_rows"]

_BATCH = 2 << 20  # bytes
_BUFFER = 1 << 20
_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)


def parquet_columns(path: Path) -> list[str]:
    """The names of the columns of a Parquet file."""
    try:
        with _opened(path) as file:
            return list(file.schema_arrow.names)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: cannot read: not valid Parquet: {error}") from None


def read_parquet_rows(path: Path, watch: ColumnWatch, reject: Reject) -> Iterator[Rows]:
    """The rows of a Parquet file.

    Args:
        path: the file.
        watch: says which columns to read.
        reject: takes rows with text that is no UTF-8, or with a value of the wrong type.

    Raises:
        DataError: for faults of the whole file, a column of the wrong type too.
    """
    row = 1
    try:
        with _opened(path) as file:
            _check_schema(path, file.schema_arrow, watch)
            for batch in file.iter_batches(_rows_per_batch(file), columns=list(watch.columns.names), use_threads=False):
                yield _rows(path, batch, row, watch, reject)
                row += batch.num_rows
    except (OSError, pa.ArrowInvalid) as error:
        far = f" on from row {row:,}" if row > 1 else ""
        raise DataError(f"{path}: cannot read{far}: not valid Parquet: {error}") from None


@contextmanager
def _opened(path: Path) -> Iterator[pa.parquet.ParquetFile]:
    """The file; one on this machine as Arrow opens it, which is faster than by way of Python."""
    if not is_remote(path):
        with pa.parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            yield file
        return
    with open_binary(path) as opened, pa.parquet.ParquetFile(opened, buffer_size=_BUFFER, pre_buffer=False) as file:
        yield file


def _check_schema(path: Path, schema: pa.Schema, watch: ColumnWatch) -> None:
    watch.named(schema.names)
    watch.found(schema.names)
    watch.check(path, watch.columns.names)
    for name in watch.columns.names:
        if (count := schema.names.count(name)) > 1:
            raise DataError(f"{path}: {count} columns {name!r}; there are {', '.join(schema.names)}")
        kind = schema.field(name).type
        if not _fits(watch.columns, name, _value_type(kind)):
            raise DataError(f"{path}: column {name!r}: expected {watch.columns.expected(name)}, got {kind}")


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _fits(columns: TableColumns, name: str, kind: pa.DataType) -> bool:
    as_text = is_text(kind) or pa.types.is_primitive(kind) or pa.types.is_null(kind)
    if name in columns.all_texts:
        return bool(as_text)
    if name in columns.all_dates:
        return is_text(kind) or is_date(kind) or _is_number(kind)
    if name in dict(columns.lists):
        return bool(as_text) or (is_list(kind) and _fits_text(_value_type(kind.value_type)))
    if name in dict(columns.vectors):
        return bool(pa.types.is_null(kind)) or (is_list(kind) and _is_number(kind.value_type))
    return _is_number(kind)


def _fits_text(kind: pa.DataType) -> bool:
    return bool(is_text(kind) or pa.types.is_primitive(kind) or pa.types.is_null(kind))


def _is_number(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in _NUMERIC)


def _rows_per_batch(file: pa.parquet.ParquetFile) -> int:
    meta = file.metadata
    size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
    return max(1, min(1 << 16, _BATCH * meta.num_rows // max(size, 1)))


def _rows(path: Path, batch: pa.RecordBatch, first: int, watch: ColumnWatch, reject: Reject) -> Rows:
    lines = np.arange(first, first + batch.num_rows)
    columns = watch.columns
    garbled = np.zeros(batch.num_rows, bool)
    for name in columns.names:
        if _holds_text(batch[name].type):
            try:
                batch[name].validate(full=True)
            except pa.ArrowInvalid:
                garbled |= _not_utf8(batch[name])
    for place in np.flatnonzero(garbled).tolist():
        reject(path.name, int(lines[place]), UNPARSABLE, _shown(batch, place))
    if garbled.any():
        kept = np.flatnonzero(~garbled)
        batch, lines = batch.take(pa.array(kept)), lines[kept]
    wrong: list[WrongValue] = []
    arrays = {name: _converted(columns, name, batch[name], wrong) for name in columns.names}
    return watch.rows(path, arrays, lines, lambda place: _shown(batch, place), wrong, reject)


def _converted(columns: TableColumns, name: str, array: pa.Array, wrong: list[WrongValue]) -> pa.Array:
    """The values of a column; null where missing or wrong."""
    array = _without_nan(array) if name in (*columns.all_texts, *dict(columns.lists)) else array
    if name in columns.all_texts:
        return array.cast(pa.string())
    if name in columns.all_numbers:
        return array.cast(pa.float64(), safe=False)
    is_date_text = name in columns.all_dates and is_text(_value_type(array.type))

    def shown(row: int) -> tuple[str, str]:
        value = array[row].as_py()
        return "a string" if is_date_text else str(array.type), json.dumps(value, ensure_ascii=False, default=str)

    values, faults = columns.convert(name, array, shown, cells=name in dict(columns.lists))
    wrong += faults
    return values


def _without_nan(array: pa.Array) -> pa.Array:
    """Numbers that are read as texts: a missing one is null, not the word nan."""
    if pa.types.is_dictionary(array.type) and pa.types.is_floating(array.type.value_type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array


def _holds_text(kind: pa.DataType) -> bool:
    value = _value_type(kind)
    return is_text(value) or (is_list(value) and is_text(_value_type(value.value_type)))


def _not_utf8(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Which values hold text that is no UTF-8."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if is_list(array.type):
        rows = np.repeat(np.arange(len(array)), pc.fill_null(pc.list_value_length(array), 0).to_numpy())
        bad = np.zeros(len(array), bool)
        bad[rows[_not_utf8(pc.list_flatten(array))]] = True
        return bad
    return np.array([_decoded(value, "strict") is None for value in array.cast(pa.large_binary()).to_pylist()], bool)


def _decoded(value: bytes | None, errors: str) -> str | None:
    try:
        return (value or b"").decode(errors=errors)
    except UnicodeDecodeError:
        return None


def _shown(batch: pa.RecordBatch, place: int) -> str:
    """A row as JSON."""

    def cell(array: pa.Array) -> object:
        if _holds_text(array.type):
            return _texts(array.take(pa.array([place])))[0]
        if pa.types.is_timestamp(array.type):  # in UTC, without a look into a database of zones
            return array.take(pa.array([place])).view(pa.timestamp(array.type.unit)).cast(pa.string())[0].as_py()
        value = array[place].as_py()
        return None if isinstance(value, float) and math.isnan(value) else value

    row = {name: cell(batch[name]) for name in batch.schema.names}
    return json.dumps(row, ensure_ascii=False, default=str)


def _texts(array: pa.Array) -> list[object]:
    """Texts, or lists of them, whatever their bytes."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if is_list(array.type):
        return [None if values is None else _texts(values) for values in map(_values, array)]
    found = array.cast(pa.large_binary()).to_pylist()
    return [None if value is None else value.decode(errors="replace") for value in found]


def _values(scalar: pa.ListScalar) -> pa.Array | None:
    values: pa.Array | None = scalar.values
    return values
