"""What the readers of table files share: the columns asked for, the rows they give, those they set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.data_error import DataError

__all__ = ["UNPARSABLE", "ColumnWatch", "Reject", "Rows", "TableColumns", "WrongValue"]

UNPARSABLE = "unparsable line"

Reject = Callable[[str, int, str, str], None]
"""Sets a row aside: name of its file, line, reason, the row as read."""


@dataclass(frozen=True)
class TableColumns:
    """What to read of a table.

    Attributes:
        ids: columns of ids; text.
        texts: columns of other texts.
        numbers: columns of numbers other than the label.
        label: the column of labels, if there is one.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    label: str | None = None

    def __post_init__(self) -> None:
        if both := sorted(set(self.all_texts) & set(self.all_numbers)):
            raise DataError(f"column {both[0]!r} is to be read as text and as numbers; expected one of them")

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which no row can be used."""
        return self.ids if self.label is None else (*self.ids, self.label)

    @property
    def all_texts(self) -> tuple[str, ...]:
        """Ids and texts, each name once."""
        return tuple(dict.fromkeys((*self.ids, *self.texts)))

    @property
    def all_numbers(self) -> tuple[str, ...]:
        """Numbers and the label, each name once."""
        return tuple(dict.fromkeys((*self.numbers, *(() if self.label is None else (self.label,)))))

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, each once, texts first."""
        return (*self.all_texts, *self.all_numbers)

    @property
    def schema(self) -> pa.Schema:
        """Of `Rows.values`."""
        fields = [(name, pa.string()) for name in self.all_texts]
        return pa.schema(fields + [(name, pa.float64()) for name in self.all_numbers])

    def wrong_type(self, name: str) -> str:
        """The reason to reject a row for the type of its value in column `name`."""
        return "bad label" if name == self.label else "value of the wrong type"


@dataclass(frozen=True)
class Rows:
    """Rows of a file that could be read.

    Attributes:
        path: the file.
        values: with `TableColumns.schema`; no nulls, missing is "" or NaN.
        lines: int64 `[rows]`, the line (text) or row (Parquet) of the file, from 1.
        text: a row as it was read, by its place in `values`.
    """

    path: Path
    values: pa.RecordBatch
    lines: npt.NDArray[np.int64]
    text: Callable[[int], str]


@dataclass(frozen=True)
class WrongValue:
    """A value that is not of its column's type; `row` is its place among the rows that were parsed."""

    row: int
    column: str
    got: str
    value: str


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
                expected = "text" if value.column in self.columns.all_texts else "numbers"
                raise DataError(
                    f"{path}: column {value.column!r}: expected {expected}, got {value.got}; "
                    f"e.g. {value.value[:100]} in line {lines[value.row]}"
                )
            bad.setdefault(value.row, self.columns.wrong_type(value.column))
        filled = [
            pc.fill_null(arrays[field.name], "" if field.type == pa.string() else np.nan).cast(field.type)
            for field in self.columns.schema
        ]
        values = pa.RecordBatch.from_arrays(filled, schema=self.columns.schema)
        if not bad:
            return Rows(path, values, lines, text)
        for row in sorted(bad):
            reject(path.name, int(lines[row]), bad[row], text(row))
        kept = np.delete(np.arange(len(lines)), list(bad))
        return Rows(path, values.take(pa.array(kept)), lines[kept], lambda row: text(int(kept[row])))
