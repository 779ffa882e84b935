"""Reader of JSONL: blocks of lines to Arrow columns, line by line only where a block has a fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from ranker.data.tables.rows import UNPARSABLE, ColumnWatch, Reject, Rows, TableColumns, WrongValue
from ranker.data.tables.text_blocks import Block, end_of_lines, line_starts, text_blocks

__all__ = ["json_columns", "read_json_lines"]

_SPACE = b" \t\r\n"
_Value = TypeVar("_Value")
_OPEN, _CLOSE, _RETURN = b"{"[0], b"}"[0], b"\r"[0]


def read_json_lines(path: Path, watch: ColumnWatch, reject: Reject) -> Iterator[Rows]:
    """The rows of a JSONL file, one object per line. A number in a column of texts is the text it is written as.

    Args:
        path: the file.
        watch: says which columns to read.
        reject: takes the lines that hold no object, and objects with a value of the wrong type.

    Raises:
        DataError: for faults of the whole file.
    """
    reader = _Reader(path, watch, reject)
    for block in text_blocks(path, end_of_lines):
        yield reader.rows(block)


def json_columns(path: Path) -> list[str]:
    """The keys in the first block of a JSONL file, in the order they come."""
    names: dict[str, None] = {}
    for block in text_blocks(path, end_of_lines):
        for line in block.data.splitlines():
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(record, dict):
                names |= dict.fromkeys(record)
        if names:
            break
    return list(names)


class _Literal(str):
    """A number as it is written."""

    __slots__ = ()


class _Reader:
    def __init__(self, path: Path, watch: ColumnWatch, reject: Reject) -> None:
        self._path, self._watch, self._reject = path, watch, reject
        columns = watch.columns
        self._types: dict[str, pa.DataType] = dict.fromkeys((*columns.all_texts, *columns.all_dates), pa.string())
        self._types |= {
            name: pa.list_(pa.string()) if separator is None else pa.string()
            for name, separator in dict(columns.lists).items()
        }

    def rows(self, block: Block) -> Rows:
        starts = line_starts(block.data, quoted=False)
        places = _objects(block.data, starts)
        table = None if places is None else self._parse(block.data)
        if places is None or table is None or table.num_rows != len(places):
            return self._one_by_one(block, starts)
        self._see(block.data, table)

        def text(row: int) -> str:
            return _line(block.data, starts, int(places[row])).decode()

        columns = self._watch.columns
        wrong: list[WrongValue] = []
        arrays = {name: table[name].combine_chunks() for name in columns.names}
        for name in columns.names:
            if name in columns.all_texts:
                arrays[name] = _as_text(arrays[name])
            elif name not in columns.all_numbers:
                arrays[name] = _converted(columns, name, arrays[name], wrong)
        return self._watch.rows(self._path, arrays, places + block.first, text, wrong, self._reject)

    def _parse(self, data: bytes) -> pa.Table | None:
        """The block as Arrow reads it: with the types that did for the block before, or else with those it infers."""
        if not _is_utf8(data):
            return None
        table = _read(data, self._schema(self._types))
        if table is None:
            inferred = _read(data, self._schema({}), infer=True)
            if inferred is not None:
                for name in self._types:
                    self._types[name] = self._type_of(name, inferred)
                table = _read(data, self._schema(self._types))
        return table

    def _schema(self, texts: dict[str, pa.DataType]) -> pa.Schema:
        columns = self._watch.columns
        vectors = [(name, pa.list_(pa.float64())) for name in dict(columns.vectors)]
        return pa.schema([*texts.items(), *vectors, *((name, pa.float64()) for name in columns.all_numbers)])

    def _type_of(self, name: str, inferred: pa.Table) -> pa.DataType:
        """As what to read a column whose type is not the same in all files."""
        columns = self._watch.columns
        found = inferred[name].type if name in inferred.column_names else pa.null()
        if pa.types.is_null(found):
            return self._types[name]
        if name in columns.all_dates:
            return found if pa.types.is_integer(found) or pa.types.is_floating(found) else pa.string()
        if name in dict(columns.lists) and pa.types.is_list(found):
            return pa.list_(_type_of_numbers(found.value_type))
        return _type_of_numbers(found)

    def _see(self, data: bytes, table: pa.Table) -> None:
        """A key whose values are all null is seen by its name in the text."""
        if not self._watch.unseen:
            return
        self._watch.named(_record(data.lstrip().partition(b"\n")[0]) or {})
        for name in self._watch.unseen:
            written = {json.dumps(name).encode(), json.dumps(name, ensure_ascii=False).encode()}
            if table[name].null_count < table.num_rows or any(key in data for key in written):
                self._watch.found([name])

    def _one_by_one(self, block: Block, starts: npt.NDArray[np.int64]) -> Rows:
        records: list[dict[str, Any]] = []
        places: list[int] = []
        for place in range(len(starts) - 1):
            line = _line(block.data, starts, place)
            if not line.strip(_SPACE):
                continue
            record = _record(line)
            if record is None:
                shown = line.decode(errors="replace")
                self._reject(self._path.name, block.first + place, UNPARSABLE, shown)
            else:
                records.append(record)
                places.append(place)
        for record in records:
            self._watch.named(record)
            self._watch.found(record)
        wrong: list[WrongValue] = []
        columns = self._watch.columns
        arrays = {name: pa.array(_texts(records, name, wrong), pa.string()) for name in columns.all_texts}
        arrays |= {name: pa.array(_numbers(records, name, wrong), pa.float64()) for name in columns.all_numbers}
        for name in dict(columns.vectors):
            vectors = pa.array(_vectors(records, name, wrong), pa.list_(pa.float64()))
            arrays[name] = _converted(columns, name, vectors, wrong)
        for name in columns.all_dates:
            numbers = _converted(columns, name, pa.array(_of_kind(records, name, _seconds), pa.float64()), wrong)
            texts = _converted(columns, name, pa.array(_of_kind(records, name, _string), pa.string()), wrong)
            arrays[name] = pc.coalesce(numbers, texts)
            _refuse(records, name, wrong, lambda value: isinstance(value, str))
        for name in dict(columns.lists):
            ones = _converted(columns, name, pa.array(_of_kind(records, name, _written), pa.string()), wrong)
            lists = pa.array(_of_kind(records, name, _list), pa.list_(pa.string()))
            arrays[name] = pc.coalesce(ones, _converted(columns, name, lists, wrong))
            _refuse(records, name, wrong, lambda value: _written(value) is not None or _list(value) is not None)

        def text(row: int) -> str:
            return _line(block.data, starts, places[row]).decode()

        lines = np.array(places, np.int64) + block.first
        return self._watch.rows(self._path, arrays, lines, text, wrong, self._reject)


# --- whole blocks -----------------------------------------------------------------------------------------------------


def _objects(data: bytes, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """Places of the lines that are not empty; None if one of them does not begin with `{` or end with `}`.

    Arrow itself takes objects over several lines, and dies of a first line `null`.
    """
    array = np.frombuffer(data, np.uint8)
    first, behind = starts[:-1], starts[1:] - 1
    behind = behind - ((behind > first) & (array[behind - 1] == _RETURN))
    filled = np.flatnonzero(behind > first)
    sound = (array[first[filled]] == _OPEN) & (array[behind[filled] - 1] == _CLOSE)
    return filled if len(filled) and sound.all() else None


def _is_utf8(data: bytes) -> bool:
    text = pa.StringArray.from_buffers(1, pa.array([0, len(data)], pa.int32()).buffers()[1], pa.py_buffer(data))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _read(data: bytes, schema: pa.Schema, *, infer: bool = False) -> pa.Table | None:
    try:
        return pa.json.read_json(
            pa.BufferReader(data),
            pa.json.ReadOptions(block_size=len(data) + 1, use_threads=False),
            pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer" if infer else "ignore"),
        )
    except pa.ArrowInvalid:
        return None


def _type_of_numbers(inferred: pa.DataType) -> pa.DataType:
    """As what to read values that are wanted as text: Arrow reads a number as text only by way of an integer."""
    if pa.types.is_integer(inferred):
        return pa.int64()
    return pa.uint64() if pa.types.is_floating(inferred) else pa.string()


def _as_text(array: pa.Array) -> pa.Array:
    return array.cast(pa.string()) if pa.types.is_integer(array.type) else array


def _converted(columns: TableColumns, name: str, array: pa.Array, wrong: list[WrongValue]) -> pa.Array:
    """The values of a column of dates, lists or vectors; null where missing or wrong."""

    def shown(row: int) -> tuple[str, str]:
        value = array[row].as_py()
        return _kind(value), json.dumps(value)

    values, faults = columns.convert(name, array, shown, cells=False)
    wrong += faults
    return values


# --- line by line -----------------------------------------------------------------------------------------------------


def _line(data: bytes, starts: npt.NDArray[np.int64], place: int) -> bytes:
    return data[starts[place] : starts[place + 1]].rstrip(b"\r\n")


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line.decode(), parse_int=_Literal, parse_float=_Literal, parse_constant=_Literal)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    if b"\\u" in line:
        try:
            json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a surrogate pair
            return None
    return record


def _texts(records: list[dict[str, Any]], name: str, wrong: list[WrongValue]) -> list[str | None]:
    return [_text(row, name, record.get(name), wrong) for row, record in enumerate(records)]


def _text(row: int, name: str, value: Any, wrong: list[WrongValue]) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return None
    if isinstance(value, str):
        if value < "\ud800" or not any("\ud800" <= c <= "\udfff" for c in value):
            return value
        wrong.append(WrongValue(row, name, "half a surrogate pair", ascii(value)))
    else:
        wrong.append(WrongValue(row, name, _kind(value), json.dumps(value)))
    return None


def _numbers(records: list[dict[str, Any]], name: str, wrong: list[WrongValue]) -> list[float | None]:
    numbers: list[float | None] = []
    for row, record in enumerate(records):
        value = record.get(name)
        numbers.append(float(value) if isinstance(value, _Literal) else None)
        if value is not None and not isinstance(value, _Literal):
            wrong.append(WrongValue(row, name, _kind(value), json.dumps(value)))
    return numbers


def _vectors(records: list[dict[str, Any]], name: str, wrong: list[WrongValue]) -> list[list[float | None] | None]:
    def vector(value: Any) -> list[float | None] | None:
        if not isinstance(value, list) or not all(item is None or isinstance(item, _Literal) for item in value):
            return None
        return [None if item is None else float(item) for item in value]

    _refuse(records, name, wrong, lambda value: vector(value) is not None)
    return _of_kind(records, name, vector)


def _of_kind(records: list[dict[str, Any]], name: str, convert: Callable[[Any], _Value | None]) -> list[_Value | None]:
    """The values of one kind, None for others."""
    return [convert(record.get(name)) for record in records]


def _refuse(records: list[dict[str, Any]], name: str, wrong: list[WrongValue], is_good: Callable[[Any], bool]) -> None:
    """Values of no kind that the column may have."""
    for row, record in enumerate(records):
        value = record.get(name)
        if value is not None and not is_good(value):
            wrong.append(WrongValue(row, name, _kind(value), json.dumps(value)))


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, _Literal) else None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and not isinstance(value, _Literal) else None


def _written(value: Any) -> str | None:
    """A value that is no list, as a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None


def _list(value: Any) -> list[str | None] | None:
    if not isinstance(value, list) or any(isinstance(item, list | dict) for item in value):
        return None
    return [_written(item) for item in value]


def _kind(value: Any) -> str:
    kinds = {
        bool: "a truth value",
        str: "a string",
        _Literal: "a number",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return kinds[type(value)]
