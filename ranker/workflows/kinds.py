"""What kind of feature a column is likely to make, told from its first values."""

from __future__ import annotations

import datetime
import itertools
import math
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ranker.workflows.head import Head
from ranker.workflows.head_values import are_dates, first_and_last_day, lists_of, vector_sizes

__all__ = ["Guess", "guess_kind"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}/\d{1,2}/\d{1,2}.*")
_DATE_NAME = re.compile(r"(date|time|timestamp)$|(^|_)(ts|at)$", re.IGNORECASE)
_EARLIEST_TIMESTAMP = 1e8  # 1973 in seconds since 1970
_LATEST_TIMESTAMP = 1e11  # 5138; what is above is in milliseconds
_ID_NAME = re.compile(
    r"(^|_)(id|key|code|sku|ean|gtin|isbn|asin|uuid|hash|row|index)s?$|[a-z](Id|ID|Key)$", re.IGNORECASE
)
_TEXT_NAME = re.compile(r"quer|title|text|desc|body|abstract|keyword|summary|content|question|search", re.IGNORECASE)
_MOST_COMMON = 0.95  # of the values have to be dates or addresses for the column to be one of them
_SEPARATORS = {"|": 0.5, ";": 0.5, ",": 0.2}  # with the most different parts among all: a comma is also in sentences
_LONGEST_PART = 3  # words of a part, on average
_MOST_ONE_HOT = 50  # columns


@dataclass(frozen=True)
class Guess:
    """What a column is likely to be.

    Attributes:
        name: of the column.
        kind: of the feature; None if it makes none.
        why: what was seen.
        skewed: whether numbers are better taken as logarithms.
        multivalued: whether there are any number of values in a row.
        separator: of these, if they are one text.
        width: of vectors.
        one_hot: of multi-valued ones, how many values there are, if they are few enough for a column each.
    """

    name: str
    kind: Literal["numeric", "date", "categorical", "text", "vector"] | None
    why: str
    skewed: bool = False
    multivalued: bool = False
    separator: str | None = None
    width: int | None = None
    one_hot: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether the feature has columns of numbers for each document."""
        return self.kind in ("numeric", "date", "vector") or self.one_hot is not None


def guess_kind(head: Head, name: str) -> Guess:
    """Guess from all values that were read."""
    values = [value for value in head.columns[name] if value is not None and (head.typed or value != "")]
    missing = _share(head.rows - len(values), head.rows)
    if not values:
        return Guess(name, None, "no values")
    types = {_type(value) for value in values}
    if "object" in types:
        return Guess(name, None, "objects")
    if len(types) > 1:
        return Guess(name, None, f"values of several types: {', '.join(sorted(types))}")
    if types == {"list"} or (not head.typed and all(value.lstrip().startswith("[") for value in values)):
        return _guess_lists(head, name, values, missing)
    different = len(set(values))
    if different == 1:
        return Guess(name, None, f"one value only, {_shown(values[0])}")
    if types == {"time"}:
        return Guess(name, None, f"times of day or lengths of time, e.g. {_shown(str(values[0]))}")
    if types == {"date"} or _mostly(values, lambda value: isinstance(value, str) and _DATE.fullmatch(value)):
        return _guess_dates(head, name, values, missing)
    numbers = _numbers(head, values)
    if numbers:
        return _guess_numbers(head, name, numbers, missing)
    texts = [str(value) for value in values]
    return _guess_separated(head, name, texts, missing) or _guess_texts(name, texts, different, missing)


def _type(value: Any) -> str:
    if isinstance(value, datetime.date):
        return "date"
    if isinstance(value, datetime.time | datetime.timedelta):
        return "time"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    if isinstance(value, bool):
        return "true/false"
    return "text" if isinstance(value, str) else "number"


def _guess_dates(head: Head, name: str, values: list[Any], missing: str) -> Guess:
    good = are_dates(head, values)
    if not all(good):
        odd = next(value for value, is_good in zip(values, good, strict=True) if not is_good)
        return Guess(name, None, f"dates, but not all as in 2024-05-01T10:00:00Z, e.g. {_shown(str(odd))}")
    first, last = first_and_last_day(head, values)
    return Guess(name, "date", f"{first} to {last}{missing}")


def _guess_lists(head: Head, name: str, values: list[Any], missing: str) -> Guess:
    """Lists of numbers, all of one length, are vectors; others are values of a multi-valued category."""
    sizes = vector_sizes(head, values)
    size = sizes[0]
    if size is not None and size > 1 and set(sizes) == {size}:
        return Guess(name, "vector", f"{size} numbers in each row{missing}", width=size)
    lists = lists_of(head, values, None)
    if None in lists:
        return Guess(name, None, f"lists of other things than texts or numbers, e.g. {_shown(values[0])}")
    found = [values for values in lists if values is not None]
    return _guess_values(Guess(name, "categorical", "", multivalued=True), found, missing)


def _guess_separated(head: Head, name: str, texts: list[str], missing: str) -> Guess | None:
    """Short texts that come again and again, several of them in most rows."""
    for separator, most in _SEPARATORS.items():
        if 2 * sum(separator in text for text in texts) <= len(texts):
            continue
        lists = [values or [] for values in lists_of(head, texts, separator)]
        parts = list(itertools.chain.from_iterable(lists))
        if not parts or len(set(parts)) > most * len(parts):
            continue
        if statistics.fmean(len(part.split()) for part in parts) <= _LONGEST_PART:
            return _guess_values(Guess(name, "categorical", "", multivalued=True, separator=separator), lists, missing)
    return None


def _guess_values(guess: Guess, lists: Sequence[list[str]], missing: str) -> Guess:
    values = list(itertools.chain.from_iterable(lists))
    different = len(set(values))
    if different <= 1:
        return Guess(guess.name, None, f"one value only, {_shown(values[0])}" if values else "no values")
    seen = (
        f"{different:,} different values, {len(values) / len(lists):.1f} in a row on average, e.g. {_shown(values[0])}"
    )
    if different > 0.9 * len(values):
        return Guess(guess.name, None, f"{seen}: ids or names that tell nothing of other rows")
    one_hot = different if different <= _MOST_ONE_HOT else None
    return replace(guess, why=seen + missing, one_hot=one_hot)


def _numbers(head: Head, values: list[Any]) -> list[float]:
    """The finite numbers, if all values are numbers or missing."""
    try:
        return [number for value in values if math.isfinite(number := head.number(value))]
    except ValueError:
        return []


def _guess_numbers(head: Head, name: str, numbers: list[float], missing: str) -> Guess:
    low, high = min(numbers), max(numbers)
    distinct = len(set(numbers)) == len(numbers)
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    counted = steps == {1.0} and low in (0, 1)
    if distinct and (_ID_NAME.search(name) or counted):
        return Guess(name, None, f"another number in each row, {low:g} to {high:g}: an id")
    if low > _EARLIEST_TIMESTAMP and _DATE_NAME.search(name):
        if high > _LATEST_TIMESTAMP:
            return Guess(name, None, f"times, but not in seconds since 1970, {low:.0f} to {high:.0f}")
        first, last = first_and_last_day(head, numbers)
        return Guess(name, "date", f"seconds since 1970, {first} to {last}{missing}")
    typical = statistics.median(numbers)
    skewed = low >= 0 and high > 10 * max(typical, 1.0)
    return Guess(name, "numeric", f"{low:g} to {high:g}{missing}", skewed)


def _guess_texts(name: str, texts: list[str], different: int, missing: str) -> Guess:
    words = statistics.fmean(len(text.split()) for text in texts)
    seen = f"{different:,} different values in {len(texts):,} rows, e.g. {_shown(texts[0])}{missing}"
    if _mostly(texts, lambda text: text.startswith(("http://", "https://"))):
        return Guess(name, None, f"addresses, e.g. {_shown(texts[0])}")
    few = different <= max(2, 0.2 * len(texts)) and different < len(texts)
    if few and words <= 4:
        return Guess(name, "categorical", seen)
    if _TEXT_NAME.search(name) or words >= 1.5:
        return Guess(name, "text", f"{words:.1f} words on average, e.g. {_shown(texts[0])}{missing}")
    if _ID_NAME.search(name) or different > 0.9 * len(texts):
        return Guess(name, None, f"{seen}: ids or names that tell nothing of other rows")
    return Guess(name, "categorical", seen)


def _mostly(values: list[Any], holds: Callable[[Any], Any]) -> bool:
    return sum(bool(holds(value)) for value in values) >= _MOST_COMMON * len(values)


def _share(part: int, rows: int) -> str:
    return f", missing in {part / rows:.1%}" if part else ""


def _shown(value: Any) -> str:
    """On one line, with nothing in it that YAML does not take."""
    text = ascii(value) if not str(value).isprintable() else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
