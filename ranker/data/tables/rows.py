"""What the readers of table files share: the columns asked for, the rows they give, those they set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.columns import MISSING_INT
from ranker.data.data_error import DataError
from ranker.data.tables.dates import seconds_of
from ranker.data.tables.text_lists import text_lists
from ranker.data.tables.vectors import vectors_of

__all__ = ["UNPARSABLE", "WRONG_LENGTH", "ColumnWatch", "Reject", "Rows", "TableColumns", "WrongValue"]

UNPARSABLE = "unparsable line"
WRONG_LENGTH = "vector of the wrong length"

Reject = Callable[[str, int, str, str], None]
"""Sets a row aside: name of its file, line, reason, the row as read."""


@dataclass(frozen=True)
class TableColumns:
    """What to read of a table. A column may be wanted twice, as the same.

    Attributes:
        ids: columns of ids; text.
        texts: columns of other texts.
        numbers: columns of numbers other than the label.
        label: the column of labels, if there is one.
        dates: columns of dates or moments.
        lists: columns of texts with any number of values, each with the separator of those that are one text, if any.
        vectors: columns of vectors of numbers, each with its width.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    label: str | None = None
    dates: tuple[str, ...] = ()
    lists: tuple[tuple[str, str | None], ...] = ()
    vectors: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        wanted: dict[str, str] = {}
        for names, what in (
            (self.all_texts, "text"),
            (dict(self.lists), "lists of texts"),
            (self.all_dates, "dates"),
            (dict(self.vectors), "vectors"),
            (self.all_numbers, "numbers"),
        ):
            for name in sorted(names):
                if name in wanted:
                    raise DataError(
                        f"column {name!r} is to be read as {wanted[name]} and as {what}; expected one of them"
                    )
                wanted[name] = what

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which no row can be used."""
        return self.ids if self.label is None else (*self.ids, self.label)

    @property
    def all_texts(self) -> tuple[str, ...]:
        """Ids and texts, each name once."""
        return tuple(dict.fromkeys((*self.ids, *self.texts)))

    @property
    def all_dates(self) -> tuple[str, ...]:
        """Dates, each name once."""
        return tuple(dict.fromkeys(self.dates))

    @property
    def all_numbers(self) -> tuple[str, ...]:
        """Numbers and the label, each name once."""
        return tuple(dict.fromkeys((*self.numbers, *(() if self.label is None else (self.label,)))))

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, each once: texts, lists, dates, vectors, numbers."""
        return (*self.all_texts, *dict(self.lists), *self.all_dates, *dict(self.vectors), *self.all_numbers)

    @property
    def schema(self) -> pa.Schema:
        """Of `Rows.values`."""
        fields = [(name, pa.string()) for name in self.all_texts]
        fields += [(name, pa.list_(pa.string())) for name in dict(self.lists)]
        fields += [(name, pa.int64()) for name in self.all_dates]
        fields += [(name, pa.list_(pa.float32(), width)) for name, width in dict(self.vectors).items()]
        return pa.schema(fields + [(name, pa.float64()) for name in self.all_numbers])

    def expected(self, name: str) -> str:
        """What the values of column `name` are to be, for messages."""
        if name in self.all_dates:
            return "dates (seconds since 1970, or texts such as 2024-05-01T10:00:00Z)"
        if name in dict(self.lists):
            return "texts or lists of texts"
        if name in dict(self.vectors):
            return f"vectors of {dict(self.vectors)[name]} numbers"
        return "text" if name in self.all_texts else "numbers"

    def wrong_type(self, name: str) -> str:
        """The reason to reject a row for the type of its value in column `name`."""
        return "bad label" if name == self.label else "value of the wrong type"

    def convert(
        self, name: str, array: pa.Array, shown: Callable[[int], tuple[str, str]], *, cells: bool
    ) -> tuple[pa.Array, list[WrongValue]]:
        """The values of a date, list or vector column, as its type in `schema`, and those that are wrong.

        Args:
            name: of the column.
            array: what was read of it.
            shown: what there is in a row: its kind, and how it is written.
            cells: whether texts are cells of CSV, which may hold numbers of seconds, JSON arrays or vectors.
        """
        wrong: list[WrongValue] = []
        if name in self.all_dates:
            values, bad = seconds_of(array, numbers=cells)
        elif name in (lists := dict(self.lists)):
            values, bad = text_lists(array, lists[name], json_texts=cells)
        else:
            width = dict(self.vectors)[name]
            values, bad, sizes = vectors_of(array, width)
            for row in np.flatnonzero((sizes != width) & (sizes >= 0) & ~bad).tolist():
                count = f"{sizes[row]} number{'' if sizes[row] == 1 else 's'}"
                wrong.append(WrongValue(row, name, count, shown(row)[1], WRONG_LENGTH))
        wrong += [WrongValue(row, name, *shown(row)) for row in np.flatnonzero(bad).tolist()]
        return values, wrong


@dataclass(frozen=True)
class Rows:
    """Rows of a file that could be read.

    Attributes:
        path: the file.
        values: with `TableColumns.schema`; no nulls, missing is "", no text at all, the smallest int64 or NaN.
        lines: int64 `[rows]`, the line (text) or row (Parquet) of the file, from 1.
        text: a row as it was read, by its place in `values`.
    """

    path: Path
    values: pa.RecordBatch
    lines: npt.NDArray[np.int64]
    text: Callable[[int], str]


@dataclass(frozen=True)
class WrongValue:
    """A value that is not of its column's type; `row` is its place among the rows that were parsed.

    Attributes:
        row: see above.
        column: its name.
        got: what kind of value there is.
        value: the value, as it is written.
        reason: for which its row is rejected; None if for its type.
    """

    row: int
    column: str
    got: str
    value: str
    reason: str | None = None


class ColumnWatch:
    """What was found of each column of a table so far; tells a bad row from a bad column."""

    def __init__(self, columns: TableColumns) -> None:
        self.columns = columns
        self._unseen = set(columns.names)
        self._sound: set[str] = set()
        self._found: list[str] = []

    @property
    def unseen(self) -> frozenset[str]:
        """Columns that no row had so far."""
        return frozenset(self._unseen)

    def found(self, names: Iterable[str]) -> None:
        """Rows have these columns, maybe others too."""
        self._unseen.difference_update(names)

    def named(self, names: Iterable[str]) -> None:
        """What the first row says the columns are, for the message."""
        self._found = self._found or list(names)

    def check(self, path: Path, names: Iterable[str]) -> None:
        """Raise a DataError if one of the columns was not found."""
        for name in names:
            if name in self._unseen:
                raise DataError(f"{path}: no column {name!r}; there are {', '.join(self._found)}")

    def rows(
        self,
        path: Path,
        arrays: dict[str, pa.Array],
        lines: npt.NDArray[np.int64],
        text: Callable[[int], str],
        wrong: list[WrongValue],
        reject: Reject,
    ) -> Rows:
        """Fill missing values, and set aside the rows with values of the wrong type.

        Args:
            path: the file.
            arrays: each column; a wrong value is null.
            lines: line of each row.
            text: each row as read.
            wrong: values of the wrong type.
            reject: takes those rows.

        Raises:
            DataError: if a column has had wrong values only.
        """
        for name, array in arrays.items():
            if name not in self._sound and array.null_count < len(array):
                self._sound.add(name)
        bad: dict[int, str] = {}
        for value in wrong:
            if value.column not in self._sound:
                expected = self.columns.expected(value.column)
                raise DataError(
                    f"{path}: column {value.column!r}: expected {expected}, got {value.got}; "
                    f"e.g. {value.value[:100]} in line {lines[value.row]}"
                )
            bad.setdefault(value.row, value.reason or self.columns.wrong_type(value.column))
        filled = [_filled(arrays[field.name], field.type) for field in self.columns.schema]
        values = pa.RecordBatch.from_arrays(filled, schema=self.columns.schema)
        if not bad:
            return Rows(path, values, lines, text)
        for row in sorted(bad):
            reject(path.name, int(lines[row]), bad[row], text(row))
        kept = np.delete(np.arange(len(lines)), list(bad))
        return Rows(path, values.take(pa.array(kept)), lines[kept], lambda row: text(int(kept[row])))


def _filled(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values of a type without null."""
    if pa.types.is_fixed_size_list(kind):
        return array if not array.null_count else pa.FixedSizeListArray.from_arrays(array.values, kind.list_size)
    if pa.types.is_list(kind):
        return array if not array.null_count else pa.ListArray.from_arrays(array.offsets, array.values)
    missing = {pa.string(): "", pa.int64(): MISSING_INT, pa.float64(): np.nan}[kind]
    return pc.fill_null(array, missing).cast(kind)
