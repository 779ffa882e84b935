"""Reader of CSV: blocks of lines to Arrow columns, row by row only where a block has a fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from ranker.data.data_error import DataError
from ranker.data.tables.rows import UNPARSABLE, ColumnWatch, Reject, Rows, TableColumns, WrongValue
from ranker.data.tables.text_blocks import (
    LONGEST_ROW,
    Block,
    end_of_quoted_lines,
    filled_lines,
    line_starts,
    text_blocks,
)
from ranker.data.tables.text_numbers import numbers_of_texts

__all__ = ["csv_columns", "read_csv_lines"]


def read_csv_lines(path: Path, watch: ColumnWatch, reject: Reject) -> Iterator[Rows]:
    """The rows of a CSV file: a header, commas, double quotes; a quoted text may hold line breaks.

    Args:
        path: the file.
        watch: says which columns to read.
        reject: takes rows that cannot be parsed or have a value of the wrong type.

    Raises:
        DataError: for faults of the whole file.
    """
    reader = None
    for block in text_blocks(path, end_of_quoted_lines):
        rest = block
        if reader is None:
            header, rest = _header(path, block)
            if header is not None:
                watch.named(header)
                watch.found(header)
                watch.check(path, watch.columns.names)
                reader = _Reader(path, header, watch, reject)
        if reader is not None and rest.data:
            yield reader.rows(rest)


def csv_columns(path: Path) -> list[str]:
    """The names in the header of a CSV file; none if it is empty."""
    for block in text_blocks(path, end_of_quoted_lines):
        header, _ = _header(path, block)
        if header is not None:
            return header
    return []


def _header(path: Path, block: Block) -> tuple[list[str] | None, Block]:
    """The names of the columns, and what comes after them; None if there are only empty lines."""
    starts = line_starts(block.data, quoted=True)
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        line = block.data[start:end].strip(b"\r\n")
        if line:
            rest = Block(block.data[end:], block.first + block.data.count(b"\n", 0, end))
            try:
                return next(csv.reader([line.decode()], strict=True)), rest
            except (UnicodeDecodeError, csv.Error) as error:
                raise DataError(f"{path}:{block.first}: header is not CSV: {error}") from None
    if block.data.strip():
        raise DataError(f"{path}:{block.first}: header is not CSV: a quote is not closed")
    return None, Block(b"", block.first)


class _Reader:
    def __init__(self, path: Path, header: list[str], watch: ColumnWatch, reject: Reject) -> None:
        self._path, self._header, self._watch, self._reject = path, header, watch, reject
        for name in watch.columns.names:
            if (count := header.count(name)) > 1:
                raise DataError(f"{path}: {count} columns {name!r}; there are {', '.join(header)}")
        self._place = {name: header.index(name) for name in watch.columns.names}

    def rows(self, block: Block) -> Rows:
        table = self._parse(block.data)
        starts = line_starts(block.data, quoted=True)
        filled = filled_lines(block.data, starts)
        if table is None or table.num_rows != len(filled):
            return self._one_by_one(block)
        lines = np.searchsorted(line_starts(block.data, quoted=False), starts[filled]) + block.first

        def text(row: int) -> str:
            at = int(filled[row])
            return block.data[starts[at] : starts[at + 1]].rstrip(b"\r\n").decode()

        wrong: list[WrongValue] = []
        columns = self._watch.columns
        arrays = {name: table[str(place)].combine_chunks() for name, place in self._place.items()}
        for name in columns.names:
            if name not in (*columns.all_texts, *columns.all_numbers):
                arrays[name] = _converted(columns, name, arrays[name], wrong)
        return self._watch.rows(self._path, arrays, lines, text, wrong, self._reject)

    def _parse(self, data: bytes) -> pa.Table | None:
        columns = self._watch.columns
        types = {str(self._place[name]): pa.string() for name in columns.names}
        types |= {str(self._place[name]): pa.float64() for name in columns.all_numbers}
        try:
            return pa.csv.read_csv(
                pa.BufferReader(data),
                pa.csv.ReadOptions(
                    column_names=[str(place) for place in range(len(self._header))],
                    block_size=len(data) + 1,
                    use_threads=False,
                ),
                pa.csv.ParseOptions(newlines_in_values=b'"' in data),
                pa.csv.ConvertOptions(column_types=types, include_columns=list(types)),
            )
        except pa.ArrowInvalid:
            return None

    def _one_by_one(self, block: Block) -> Rows:
        raw = block.data.split(b"\n")[:-1]
        found: list[list[str]] = []
        places: list[int] = []
        counts: list[int] = []

        def shown(place: int, count: int) -> str:
            return b"\n".join(raw[place : place + count]).removesuffix(b"\r").decode(errors="replace")

        for place, count, fields in _records(raw):
            if fields is not None and len(fields) == len(self._header):
                found.append(fields)
                places.append(place)
                counts.append(count)
            else:
                self._reject(self._path.name, block.first + place, UNPARSABLE, shown(place, count))
        wrong: list[WrongValue] = []
        arrays = {}
        columns = self._watch.columns
        for name in columns.names:
            values = pa.array([fields[self._place[name]] for fields in found], pa.string())
            arrays[name] = values if name in columns.all_texts else _converted(columns, name, values, wrong)

        def text(row: int) -> str:
            return shown(places[row], counts[row])

        lines = np.array(places, np.int64) + block.first
        return self._watch.rows(self._path, arrays, lines, text, wrong, self._reject)


def _records(lines: list[bytes]) -> Iterator[tuple[int, int, list[str] | None]]:
    """Records as (place of the first line, number of lines, fields); no fields if it cannot be read.

    After a fault it goes on with the next line: a quote that nothing closes costs one row, not all that follow.
    """
    place = 0
    with _long_fields():
        while place < len(lines):
            begin = place
            reader = csv.reader(_decoded(lines, begin), strict=True)
            try:
                for fields in reader:
                    behind = begin + reader.line_num
                    if fields:
                        yield place, behind - place, fields
                    place = behind
            except (UnicodeDecodeError, csv.Error):
                yield place, 1, _leniently(lines[place])
                place += 1


def _leniently(line: bytes) -> list[str] | None:
    """A line by itself with text behind a closing quote, which Arrow takes too; None if it is not that."""
    if line.count(b'"') % 2:
        return None
    try:
        return next(csv.reader([line.removesuffix(b"\r").decode()]))
    except (UnicodeDecodeError, csv.Error):
        return None


def _decoded(lines: list[bytes], begin: int) -> Iterator[str]:
    for place in range(begin, len(lines)):
        yield lines[place].removesuffix(b"\r").decode() + "\n"


@contextmanager
def _long_fields() -> Iterator[None]:
    limit = csv.field_size_limit(2 * LONGEST_ROW)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _converted(columns: TableColumns, name: str, texts: pa.StringArray, wrong: list[WrongValue]) -> pa.Array:
    """The cells of a column that is not of texts; null where missing or wrong."""

    def shown(row: int) -> tuple[str, str]:
        return "a string", texts[row].as_py()

    if name in columns.all_numbers:
        values, bad = numbers_of_texts(texts)
        wrong += [WrongValue(row, name, *shown(row)) for row in np.flatnonzero(bad).tolist()]
        return values
    values, faults = columns.convert(name, texts, shown, cells=True)
    wrong += faults
    return values
