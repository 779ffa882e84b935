"""A list to be scored, as people write it: `{"id", "query": {...}, "documents": [{"id", "features": {...}}]}`.

Dates, and the `timestamp` of the query, are seconds since 1970 in UTC or ISO 8601 texts; multi-valued features are
arrays of texts, or one text: split at the separator of the feature as in tables, without one an array of one. Vectors
are arrays of numbers. `null` or no key at all is missing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ranker.data.columns import MISSING_INT, Column, Scope
from ranker.data.tables.dates import seconds_of
from ranker.data.tables.text_lists import text_lists
from ranker.errors import RankerError

__all__ = ["RankRequest", "RequestError", "parse_request", "rank_documents", "to_request"]

_REQUEST_KEYS = ("id", "query", "documents", "top_n")
_DOCUMENT_KEYS = ("id", "features")
_LARGEST = float(np.finfo(np.float32).max)
_END_OF_TIME = 2**63  # in seconds, of int64


class RequestError(RankerError):
    """A request cannot be scored; the message says where in it, what was expected and found."""


@dataclass(frozen=True)
class RankRequest:
    """One list ready for scoring.

    Attributes:
        query_id: the request's own id, or "".
        document_ids: one id per document.
        tensors: the inputs of `serving_default` for a batch of one: per query feature `[1]`, per document feature
            `[1, list]`, and `mask` bool `[1, list]`, all True. Vectors have a further axis of their width, multi-valued
            features one as long as most values, filled with b"".
        top_n: how many documents to answer with, or None for all.
        missing: features that some document (or the query) lacks and that took their default.
    """

    query_id: str
    document_ids: Sequence[str]
    tensors: Mapping[str, np.ndarray]
    top_n: int | None = None
    missing: Sequence[str] = ()


def parse_request(content: Any, columns: Sequence[Column]) -> RankRequest:
    """Check a decoded JSON request and turn it into tensors.

    Args:
        content: the decoded JSON.
        columns: the raw features of the bundle.

    Raises:
        RequestError: at the first fault.
    """
    request = _object(content, "request", _REQUEST_KEYS)
    query = _object(request.get("query", {}), "query", [c.name for c in columns if c.scope == "query"])
    documents = request.get("documents")
    if not isinstance(documents, list) or not documents:
        raise RequestError(f"documents: expected a list with at least one document, got {_show(documents)}")
    document_columns = [c.name for c in columns if c.scope == "document"]
    ids, features = [], []
    for place, document in enumerate(documents):
        where = f"documents[{place}]"
        _object(document, where, _DOCUMENT_KEYS)
        ids.append(_id(document.get("id"), f"{where}.id"))
        features.append(_object(document.get("features", {}), f"{where}.features", document_columns))
    (repeated, count), *_ = Counter(ids).most_common(1)
    if count > 1:
        raise RequestError(f"documents: id {repeated!r} is there twice; every document of a list needs its own")
    missing: list[str] = []
    tensors: dict[str, np.ndarray] = {"mask": np.ones((1, len(ids)), bool)}
    for column in columns:
        if column.scope == "query":
            raw = [query.get(column.name)]
            tensors[column.name] = column.array(_values(raw, column, [f"query.{column.name}"]))
        else:
            raw = [f.get(column.name) for f in features]
            places = [f"documents[{at}].features.{column.name}" for at in range(len(raw))]
            tensors[column.name] = column.array(_values(raw, column, places))[np.newaxis]
        if any(value is None for value in raw):
            missing.append(column.name)
    query_id = "" if request.get("id") is None else _id(request["id"], "id")
    return RankRequest(query_id, ids, tensors, _top_n(request.get("top_n")), missing)


def to_request(request: RankRequest, columns: Sequence[Column]) -> dict[str, Any]:
    """The JSON form of a request: the inverse of `parse_request`, what is missing left out."""

    def present(scope: Scope, at: int | tuple[int, int]) -> dict[str, Any]:
        own = [column for column in columns if column.scope == scope]
        values = {column.name: _plain(request.tensors[column.name][at], column) for column in own}
        return {name: value for name, value in values.items() if value is not None}

    own = {"id": request.query_id or None, "top_n": request.top_n}
    return {key: value for key, value in own.items() if value is not None} | {
        "query": present("query", 0),
        "documents": [{"id": i, "features": present("document", (0, at))} for at, i in enumerate(request.document_ids)],
    }


def rank_documents(request: RankRequest, scores: np.ndarray) -> list[dict[str, Any]]:
    """Documents of a request by falling score, ties in the order of the request.

    Args:
        request: the list that was scored.
        scores: float32 `[list]`.

    Returns:
        `{"rank", "id", "score", "index"}` each; `rank` from 1, `index` the place in the request.
    """
    order = np.argsort(-scores, kind="stable")[: request.top_n]
    return [
        {"rank": rank, "id": request.document_ids[at], "score": float(scores[at]), "index": int(at)}
        for rank, at in enumerate(order, start=1)
    ]


def _object(content: Any, where: str, known: Sequence[str]) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise RequestError(f"{where}: expected an object, got {_show(content)}")
    for key in content:
        if key not in known:
            raise RequestError(f"{where}: unknown key {key!r}; known here: {', '.join(known)}")
    return content


def _id(value: Any, where: str) -> str:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RequestError(f"{where}: expected a text that is not empty, or a whole number; got {_show(value)}")


def _top_n(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise RequestError(f"top_n: expected a whole number from 1, got {_show(value)}")


def _values(given: Sequence[Any], column: Column, where: Sequence[str]) -> list[Any]:
    """Values as `Column.array` takes them; `where` each is."""
    if column.dtype == "int64":
        return _dates(given, where)
    if column.separator is not None:
        given = _split(given, column.separator)
    placed = zip(given, where, strict=True)
    if column.multivalued:
        return [_texts(value, place) for value, place in placed]
    if column.width is not None:
        return [_vector(value, column.width, place) for value, place in placed]
    one: Callable[[Any, str], bytes | float] = _text if column.dtype == "string" else _number
    return [one(value, place) for value, place in placed]


def _split(given: Sequence[Any], separator: str) -> list[Any]:
    """Texts, and whole numbers as they are written, split as readers of tables split them; all else as it is."""
    whole = [isinstance(value, str | int) and not isinstance(value, bool) for value in given]
    written = [_text(value, "").decode() if one else None for value, one in zip(given, whole, strict=True)]
    parts = text_lists(pa.array(written, pa.string()), separator, json_texts=False)[0].to_pylist()
    return [part if one else value for value, part, one in zip(given, parts, whole, strict=True)]


def _texts(value: Any, where: str) -> list[bytes]:
    if value is None or isinstance(value, str | int):
        value = [value]
    if not isinstance(value, list):
        raise RequestError(f"{where}: expected a list of texts, or one text; got {_show(value)}")
    return [text for at, one in enumerate(value) if (text := _text(one, f"{where}[{at}]"))]


def _vector(value: Any, width: int, where: str) -> list[float]:
    if value is None:
        return [math.nan] * width
    if not isinstance(value, list) or len(value) != width:
        raise RequestError(f"{where}: expected a list of {width} numbers, got {_show(value)}")
    return [_number(number, f"{where}[{at}]") for at, number in enumerate(value)]


def _text(value: Any, where: str) -> bytes:
    if value is None:
        return b""
    if isinstance(value, int) and not isinstance(value, bool):  # a table may hold a code as a number, too
        value = str(value)
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace")
    raise RequestError(f"{where}: expected text, got {_show(value)}")


def _number(value: Any, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    raise RequestError(f"{where}: expected a finite float32 number, got {_show(value)}")


def _dates(given: Sequence[Any], where: Sequence[str]) -> list[int]:
    """Seconds since 1970, rounded down as in tables."""
    written = [value.encode("utf-8", errors="replace").decode() if isinstance(value, str) else None for value in given]
    parsed, wrong = seconds_of(pa.array(written, pa.string()))
    seconds = parsed.fill_null(MISSING_INT).to_pylist()
    for at, value in enumerate(given):
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _END_OF_TIME:
            seconds[at] = math.floor(value)
        elif wrong[at] or not (value is None or isinstance(value, str)):
            raise RequestError(
                f"{where[at]}: expected a date, as seconds since 1970 or a text such as 2024-05-01T10:00:00Z; "
                f"got {_show(value)}"
            )
    return seconds


def _plain(value: Any, column: Column) -> Any:
    """A value as JSON has it, None if it is missing."""
    if column.multivalued:
        return [text.decode() for text in value if text] or None
    if column.width is not None:
        numbers = [None if np.isnan(number) else float(number) for number in value]
        return None if all(number is None for number in numbers) else numbers
    if column.dtype == "string":
        return value.decode() or None
    if column.dtype == "int64":
        return None if value == MISSING_INT else int(value)
    return None if np.isnan(value) else float(value)


def _show(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"
