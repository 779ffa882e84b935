"""What is wrong with the first values of a column of a table, by what the column is for."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from ranker.data.columns import column_of
from ranker.spec import Categorical, Feature
from ranker.workflows.head import Head
from ranker.workflows.head_values import are_dates, are_lists, number_or_none, vector_sizes

__all__ = [
    "FaultsOf",
    "click_faults",
    "date_faults",
    "feature_faults",
    "id_faults",
    "impression_position_faults",
    "join_faults",
    "label_faults",
    "no_column",
    "number_faults",
    "position_faults",
    "text_faults",
    "weight_faults",
]

Fault = tuple[int, str]
"""The first row, from 0, with the fault, and what it is."""

FaultsOf = Callable[[Head, Sequence[Any]], Iterator[Fault]]
"""Finds the faults among the first values of a column."""


def no_column(head: Head, name: str) -> str:
    """The message for a column that is not there."""
    near = difflib.get_close_matches(name, head.columns, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    [only, *more] = head.columns
    split = [mark for mark in (";", "\t", "|") if mark in only]
    if split and not more and not head.typed:
        hint = f"; its values seem to be separated by {split[0]!r}, expected commas"
    seen = "" if head.whole else f" in the first {head.rows:,} rows"
    return f"no column {name!r}{seen}; there are {', '.join(map(repr, head.columns))}{hint}"


def feature_faults(feature: Feature) -> FaultsOf:
    """What the values of a feature may be."""
    column = column_of(feature, "document")
    if column.width is not None:
        return partial(_vector_faults, column.width)
    if isinstance(feature, Categorical) and feature.multivalued:
        return partial(_list_faults, feature.separator)
    of_dtype: dict[str, FaultsOf] = {"float32": number_faults, "int64": date_faults, "string": text_faults}
    return of_dtype[column.dtype]


def id_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """An id is a text or a number, and never missing."""
    yield from _faults(values, [value is not None and value != "" for value in values], "an id")
    yield from text_faults(head, values)


def label_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """A label is a finite number, not below 0, and never missing."""
    numbers = [number_or_none(head, value) for value in values]
    good = [number is not None and 0 <= number < math.inf for number in numbers]
    yield from _faults(values, good, "a number >= 0")


def click_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """Whether a document was clicked, as a number: 1 or 0, never missing."""
    numbers = [number_or_none(head, value) for value in values]
    yield from _faults(values, [number in (0, 1) for number in numbers], "1 for a click, or 0")


def weight_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """A weight is a finite number, not below 0, or missing."""
    numbers = [number_or_none(head, value) for value in values]
    good = [number is not None and (math.isnan(number) or 0 <= number < math.inf) for number in numbers]
    yield from _faults(values, good, "a number >= 0")


def position_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """A position is a whole number from 1, or missing."""
    good = [math.isnan(number) or _is_position(number) for number in _numbers(head, values)]
    yield from _faults(values, good, "a whole number >= 1, or nothing for a document that was not shown")


def impression_position_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """The position of a document that was shown is a whole number from 1, and never missing."""
    good = [_is_position(number) for number in _numbers(head, values)]
    yield from _faults(values, good, "a whole number >= 1")


def _is_position(number: float) -> bool:
    return number >= 1 and number.is_integer()


def _numbers(head: Head, values: Sequence[Any]) -> list[float]:
    """The values as numbers, NaN where missing; -1 for what is none."""
    found = [number_or_none(head, value) for value in values]
    return [-1.0 if number is None else number for number in found]


def date_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """A moment, or missing."""
    expected = "a date: seconds since 1970, or a text such as 2024-05-01T10:00:00Z"
    yield from _faults(values, are_dates(head, values), expected)


def number_faults(head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """A finite number, or missing."""
    numbers = [number_or_none(head, value) for value in values]
    yield from _faults(values, [number is not None and not math.isinf(number) for number in numbers], "a finite number")


def text_faults(_: Head, values: Sequence[Any]) -> Iterator[Fault]:
    """A text, or anything that is written as one."""
    yield from _faults(values, [not isinstance(value, list | dict) for value in values], "text")


def _list_faults(separator: str | None, head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    yield from _faults(values, are_lists(head, values, separator), "a list of texts, or one text")


def _vector_faults(width: int | None, head: Head, values: Sequence[Any]) -> Iterator[Fault]:
    sizes = vector_sizes(head, values)
    good = [size in (-1, width) for size in sizes]
    other = next((size for size in sizes if size not in (-1, width)), None)
    got = None if other is None else f"one of {other}"
    yield from _faults(values, good, f"a vector of {width} finite numbers", got)


def _faults(values: Sequence[Any], good: Sequence[bool], expected: str, got: str | None = None) -> Iterator[Fault]:
    bad = [row for row, is_good in enumerate(good) if not is_good]
    if bad:
        if got is None:
            got = "nothing" if (first := values[bad[0]]) in (None, "") else f"{first!r:.60}"
        yield bad[0], f"expected {expected}, got {got}; {len(bad):,} of {len(values):,} rows are like this"


def join_faults(judgments: Head, keyed: Head, key: str) -> Iterator[Fault]:
    """Judgments may name a few rows that are not there, but if none is there the wrong columns or files are named."""
    if not keyed.whole or key not in keyed.columns or key not in judgments.columns:
        return
    if not {str(value) for value in judgments.columns[key]} & {str(value) for value in keyed.columns[key]}:
        yield 0, f"none of its values is in {keyed.path}; e.g. {judgments.columns[key][0]!r}"
