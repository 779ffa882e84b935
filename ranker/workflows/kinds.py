"""What kind of feature a column is likely to make, told from its first values."""

from __future__ import annotations

import datetime
import itertools
import math
import re
import statistics
from dataclasses import dataclass
from typing import Any, Literal

from ranker.workflows.head import Head

__all__ = ["Guess", "guess_kind"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}/\d{1,2}/\d{1,2}.*")
_DATE_NAME = re.compile(r"time|date|(^|_)(ts|at)$", re.IGNORECASE)
_EARLIEST_TIMESTAMP = 1e8  # 1973 in seconds since 1970
_ID_NAME = re.compile(
    r"(^|_)(id|key|code|sku|ean|gtin|isbn|asin|uuid|hash|row|index)s?$|[a-z](Id|ID|Key)$", re.IGNORECASE
)
_TEXT_NAME = re.compile(r"quer|title|text|desc|body|abstract|keyword|summary|content|question|search", re.IGNORECASE)
_MOST_COMMON = 0.95  # of the values have to be dates or addresses for the column to be one of them


@dataclass(frozen=True)
class Guess:
    """What a column is likely to be.

    Attributes:
        name: of the column.
        kind: of the feature; None if it makes none.
        why: what was seen.
        skewed: whether numbers are better taken as logarithms.
    """

    name: str
    kind: Literal["numeric", "categorical", "text"] | None
    why: str
    skewed: bool = False


def guess_kind(head: Head, name: str) -> Guess:
    """Guess from all values that were read."""
    values = [value for value in head.columns[name] if value is not None and (head.typed or value != "")]
    missing = _share(head.rows - len(values), head.rows)

    def leave_out(why: str) -> Guess:
        return Guess(name, None, why)

    if not values:
        return leave_out("no values")
    types = {_type(value) for value in values}
    if types & {"list", "object"}:
        return leave_out("lists or objects")
    if len(types) > 1:
        return leave_out(f"values of several types: {', '.join(sorted(types))}")
    different = len(set(values))
    if different == 1:
        return leave_out(f"one value only, {_shown(values[0])}")
    if types == {"date"} or _mostly(values, lambda value: isinstance(value, str) and _DATE.fullmatch(value)):
        return leave_out(f"dates, e.g. {_shown(str(values[0]))}")
    numbers = _numbers(head, values)
    if numbers:
        return _guess_numbers(name, numbers, missing)
    return _guess_texts(name, [str(value) for value in values], different, missing)


def _type(value: Any) -> str:
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return "date"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    if isinstance(value, bool):
        return "true/false"
    return "text" if isinstance(value, str) else "number"


def _numbers(head: Head, values: list[Any]) -> list[float]:
    """The finite numbers, if all values are numbers or missing."""
    try:
        return [number for value in values if math.isfinite(number := head.number(value))]
    except ValueError:
        return []


def _guess_numbers(name: str, numbers: list[float], missing: str) -> Guess:
    low, high = min(numbers), max(numbers)
    distinct = len(set(numbers)) == len(numbers)
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    counted = steps == {1.0} and low in (0, 1)
    if distinct and (_ID_NAME.search(name) or counted):
        return Guess(name, None, f"another number in each row, {low:g} to {high:g}: an id")
    if low > _EARLIEST_TIMESTAMP and _DATE_NAME.search(name):
        return Guess(name, None, f"times as numbers, {low:.0f} to {high:.0f}")
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


def _mostly(values: list[Any], holds: Any) -> bool:
    return sum(bool(holds(value)) for value in values) >= _MOST_COMMON * len(values)


def _share(part: int, rows: int) -> str:
    return f", missing in {part / rows:.1%}" if part else ""


def _shown(value: Any) -> str:
    """On one line, with nothing in it that YAML does not take."""
    text = ascii(value) if not str(value).isprintable() else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
