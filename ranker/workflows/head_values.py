"""Which of the first values of a column the connector takes as numbers, dates, lists of texts or vectors."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from ranker.data.tables.dates import seconds_of
from ranker.data.tables.text_lists import text_lists
from ranker.data.tables.vectors import vectors_of
from ranker.workflows.head import Head

__all__ = ["are_dates", "are_lists", "first_and_last_day", "lists_of", "number_or_none", "vector_sizes"]

_LATEST = 2.0**63  # seconds


def number_or_none(head: Head, value: Any) -> float | None:
    """A value as a number, NaN where it is missing; None if it is no number."""
    try:
        return head.number(value)
    except (TypeError, ValueError):
        return None


def are_dates(head: Head, values: Sequence[Any]) -> list[bool]:
    """Whether each is a date, a number of seconds, or missing."""
    texts = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
    _, wrong = seconds_of(texts, numbers=not head.typed)

    def could_be(value: Any) -> bool:
        if value is None or isinstance(value, str | datetime.date):
            return True
        number = number_or_none(head, value)
        return number is not None and not abs(number) >= _LATEST

    return [could_be(value) and not bad for value, bad in zip(values, wrong.tolist(), strict=True)]


def lists_of(head: Head, values: Sequence[Any], separator: str | None) -> list[list[str] | None]:
    """The texts of each value; None for what is no list of texts. A missing value has none."""
    cells = not head.typed or head.path.suffix == ".parquet"
    texts = pa.array(
        [None if value is None or isinstance(value, list) else str(value) for value in values], pa.string()
    )
    found, wrong = text_lists(texts, separator, json_texts=cells)
    lists: list[list[str] | None] = []
    for value, split, bad in zip(values, found.to_pylist(), wrong.tolist(), strict=True):
        if isinstance(value, list):
            plain = not any(isinstance(item, list | dict) for item in value)
            lists.append([str(item) for item in value if item not in (None, "")] if plain else None)
        else:
            lists.append(None if bad or isinstance(value, dict) else split or [])
    return lists


def first_and_last_day(head: Head, values: Sequence[Any]) -> tuple[str, str]:
    """The days of the earliest and of the latest of some dates, for messages."""
    texts = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
    found, _ = seconds_of(texts, numbers=not head.typed)
    seconds = [second for second in found.to_pylist() if second is not None]
    seconds += [_seconds(value) for value in values if value is not None and not isinstance(value, str)]
    return _day(min(seconds)), _day(max(seconds))


def _seconds(value: Any) -> float:
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=value.tzinfo or datetime.UTC).timestamp()
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC).timestamp()
    return float(value)


def _day(seconds: float) -> str:
    day = np.datetime64(math.floor(seconds), "s").astype("datetime64[D]")
    return str(day)


def are_lists(head: Head, values: Sequence[Any], separator: str | None) -> list[bool]:
    """Whether each is a list of texts, or a text that is split at the separator, or missing."""
    return [found is not None for found in lists_of(head, values, separator)]


def vector_sizes(head: Head, values: Sequence[Any]) -> list[int | None]:
    """How many numbers each vector has, -1 for a missing one, None for what is no vector of finite numbers."""
    if not head.typed:
        texts = pa.array(values, pa.string())
        _, wrong, sizes = vectors_of(texts, 1)
        infinite = ["inf" in value.lower() for value in values]
        bad = [a or b for a, b in zip(wrong.tolist(), infinite, strict=True)]
        return [None if is_bad else size for is_bad, size in zip(bad, sizes.tolist(), strict=True)]
    return [_size(value) for value in values]


def _size(value: Any) -> int | None:
    if value is None:
        return -1
    if not isinstance(value, list) or not all(map(_is_component, value)):
        return None
    return len(value)


def _is_component(value: Any) -> bool:
    if value is None:
        return True
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return is_number and not math.isinf(value)
