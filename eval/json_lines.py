"""JSON lines as record batches, block by block: pyarrow's parser, and Python's where a value is of another type.

Beyond pyarrow's parser, `NaN` and `Infinity` are read, as Python writes them; texts in columns of numbers come as text,
for whoever asked to judge; and texts that look like times stay texts.
"""

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.json

__all__ = ["json_batches", "json_schema"]

_BLOCK: Final = 8 << 20  # bytes


def json_schema(path: Path) -> pa.Schema:
    """Names and types of the columns, as far as the first block tells: text where values are of several types.

    Args:
        path: of a file with an object per line; `.gz` is unpacked.

    Raises:
        ValueError: the file is empty, or a line is no JSON object.
    """
    block = next(_blocks(path), b"")
    if not block.strip():
        raise ValueError(f"{path}: cannot read: the file is empty; expected a JSON object per line")
    try:
        found = pa.json.read_json(io.BytesIO(block), pa.json.ReadOptions(block_size=len(block)))
    except pa.ArrowInvalid:
        rows = _objects(path, block, 1)
        names = dict.fromkeys(name for row in rows for name in row)
        return pa.schema([(name, _inferred([row.get(name) for row in rows])) for name in names])
    return pa.schema([(field.name, _settled(field.type)) for field in found.schema])


def json_batches(path: Path, columns: Mapping[str, bool]) -> Iterator[pa.RecordBatch]:
    """The rows, block by block.

    Args:
        path: of the file.
        columns: names, and whether they hold numbers: these come as float64, or as text in a block where one of them is
            neither a number nor null.

    Raises:
        ValueError: a line is no JSON object, or a value is of another type than those before it.
    """
    known = json_schema(path)
    schema = pa.schema([(name, pa.float64() if number else known.field(name).type) for name, number in columns.items()])
    parse = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    first = 1
    for block in _blocks(path):
        if not block.strip():
            continue
        try:
            table = pa.json.read_json(io.BytesIO(block), pa.json.ReadOptions(block_size=len(block)), parse)
            found = table.select(list(columns)).combine_chunks().to_batches()
        except pa.ArrowInvalid:
            found = [_batch(path, _objects(path, block, first), first, columns, schema)]
        for batch in found:
            yield batch
            first += batch.num_rows


def _blocks(path: Path) -> Iterator[bytes]:
    """The file in blocks of whole lines."""
    with pa.input_stream(str(path), compression="detect") as stream:
        rest = b""
        while read := stream.read(_BLOCK):
            whole, line, part = read.rpartition(b"\n")
            if not line:
                rest += read
                continue
            yield rest + whole + line
            rest = part
        if rest:
            yield rest


def _objects(path: Path, block: bytes, first: int) -> list[dict[str, Any]]:
    """The objects of a block, whose first row has this number."""
    found: list[dict[str, Any]] = []
    for line in filter(bytes.strip, block.split(b"\n")):
        try:
            row = json.loads(line)
        except ValueError as error:
            what = str(error)
            if isinstance(error, json.JSONDecodeError):  # its own text counts lines, of which there is one
                what = f"{error.msg} at character {error.pos + 1}"
            raise ValueError(f"{path}: cannot read: row {first + len(found)} is not JSON: {what}") from None
        if not isinstance(row, dict):
            raise ValueError(f"{path}: cannot read: row {first + len(found)}: expected a JSON object, got {row!r:.60}")
        found.append(row)
    return found


def _batch(
    path: Path, rows: Sequence[Mapping[str, Any]], first: int, columns: Mapping[str, bool], schema: pa.Schema
) -> pa.RecordBatch:
    arrays = []
    for name, number in columns.items():
        values = [row.get(name) for row in rows]
        arrays.append(_numbers(values) if number else _typed(path, name, values, schema.field(name).type, first))
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def _numbers(values: Sequence[Any]) -> pa.Array:
    """float64, or the values as text."""
    if all(value is None or type(value) in (int, float) for value in values):
        return pa.array([None if value is None else _float(value) for value in values], pa.float64())
    return pa.array([value if value is None or isinstance(value, str) else json.dumps(value) for value in values])


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # of an integer
        return math.copysign(math.inf, value)


def _typed(path: Path, name: str, values: Sequence[Any], kind: pa.DataType, first: int) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        row = next(row for row, value in enumerate(values) if not _fits(value, kind))
        raise ValueError(
            f"{path}: cannot read: row {first + row}, column {name!r}: expected {kind} as in the first rows, got"
            f" {values[row]!r:.60}"
        ) from None


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.array([value], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return False
    return True


def _inferred(values: Sequence[Any]) -> pa.DataType:
    try:
        return _settled(pa.array(values).type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.string()


def _settled(kind: pa.DataType) -> pa.DataType:
    """The type of a column of which the first rows have this one."""
    if pa.types.is_null(kind) or pa.types.is_timestamp(kind):
        return pa.string()
    return pa.list_(_settled(kind.value_type)) if pa.types.is_list(kind) else kind
