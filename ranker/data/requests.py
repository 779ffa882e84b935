"""A list to be scored, as people write it: `{"id", "query": {...}, "documents": [{"id", "features": {...}}]}`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ranker.data.columns import Column
from ranker.errors import RankerError

__all__ = ["RankRequest", "RequestError", "parse_request", "rank_documents", "to_request"]

_REQUEST_KEYS = ("id", "query", "documents", "top_n")
_DOCUMENT_KEYS = ("id", "features")
_LARGEST = float(np.finfo(np.float32).max)


class RequestError(RankerError):
    """A request cannot be scored; the message says where in it, what was expected and found."""


@dataclass(frozen=True)
class RankRequest:
    """One list ready for scoring.

    Attributes:
        query_id: the request's own id, or "".
        document_ids: one id per document.
        tensors: the inputs of `serving_default` for a batch of one: per query feature `[1]`, per document feature
            `[1, list]`, and `mask` bool `[1, list]`, all True.
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
            values = [_value(query.get(column.name), column, f"query.{column.name}")]
            absent = query.get(column.name) is None
            tensors[column.name] = column.array(values)
        else:
            raw = [f.get(column.name) for f in features]
            values = [_value(v, column, f"documents[{i}].features.{column.name}") for i, v in enumerate(raw)]
            absent = None in raw
            tensors[column.name] = column.array(values)[np.newaxis]
        if absent:
            missing.append(column.name)
    query_id = "" if request.get("id") is None else _id(request["id"], "id")
    return RankRequest(query_id, ids, tensors, _top_n(request.get("top_n")), missing)


def to_request(request: RankRequest, columns: Sequence[Column]) -> dict[str, Any]:
    """The JSON form of a request: the inverse of `parse_request`, what is missing left out."""

    def present(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in pairs if value != "" and value == value}

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [None if np.isnan(number) else float(number) for number in value]
        return value.decode() if isinstance(value, bytes) else float(value)

    scopes = {scope: [c.name for c in columns if c.scope == scope] for scope in ("query", "document")}
    own = {"id": request.query_id or None, "top_n": request.top_n}
    return {key: value for key, value in own.items() if value is not None} | {
        "query": present([(name, plain(request.tensors[name][0])) for name in scopes["query"]]),
        "documents": [
            {"id": i, "features": present([(name, plain(request.tensors[name][0, at])) for name in scopes["document"]])}
            for at, i in enumerate(request.document_ids)
        ],
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


def _value(value: Any, column: Column, where: str) -> bytes | float | list[float]:
    if column.width is None:
        return _scalar(value, column, where)
    if value is None:
        return [math.nan] * column.width
    if not isinstance(value, list) or len(value) != column.width:
        raise RequestError(f"{where}: expected a list of {column.width} numbers, got {_show(value)}")
    return [float(_scalar(number, column, f"{where}[{at}]")) for at, number in enumerate(value)]


def _scalar(value: Any, column: Column, where: str) -> bytes | float:
    if column.dtype == "string":
        if value is None:
            return b""
        if isinstance(value, int) and not isinstance(value, bool):  # a table may hold a code as a number, too
            value = str(value)
        if isinstance(value, str):
            return value.encode("utf-8", errors="replace")
        raise RequestError(f"{where}: expected text, got {_show(value)}")
    if value is None:
        return math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    raise RequestError(f"{where}: expected a finite float32 number, got {_show(value)}")


def _show(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"
