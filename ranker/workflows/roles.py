"""Which of some tables holds the queries, which the documents, and which the judgments."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ranker.errors import RankerError
from ranker.workflows.head import Head

__all__ = ["Roles", "tell_roles"]

_MOST_GRADES = 31  # of labels, as many as LambdaMART takes
_QUERY_WORDS = re.compile(r"quer|search|user|session|topic|customer|question|context|qid|uid|\bq\b", re.IGNORECASE)
_DOCUMENT_WORDS = re.compile(
    r"doc|product|item|movie|article|passage|page|sku|offer|book|song|track|hotel|job|video|did\b|pid\b", re.IGNORECASE
)
_LABEL_WORDS = re.compile(r"label|rating|grade|relevan|\brel\b|gain|judg", re.IGNORECASE)


@dataclass(frozen=True)
class Roles:
    """The tables by what they hold, and the columns that join them."""

    queries: Head
    documents: Head
    judgments: Head
    query_id: str
    document_id: str
    label: str
    unused: list[Path]


@dataclass(frozen=True)
class _Link:
    """A column of one table whose values are keys of another, under the same name."""

    table: Head
    column: str


def tell_roles(heads: Sequence[Head]) -> Roles:
    """Tell by the columns that tables share.

    The judgments have two columns that are keys in two other tables, under the same names, and a column of labels.
    Which of the two is the table of queries is told by names, else by the judgments being grouped by query.

    Raises:
        RankerError: if there is no such table, or more than one.
    """
    if len(heads) < 3:
        raise RankerError(
            f"expected three files, with queries, documents and judgments, got {len(heads)}; for one table with "
            f"everything in it no spec can be guessed: write one by hand, with a source of kind 'table' (`ranker demo` "
            f"writes a spec to start from)"
        )
    found = [
        (judgments, one, other)
        for judgments in heads
        if _labels(judgments, ())
        for one, other in itertools.combinations(_links(judgments, heads), 2)
        if one.table is not other.table
        and one.column != other.column
        and _labels(judgments, (one.column, other.column))
    ]
    if not found:
        raise RankerError(_nothing_found(heads))
    if len(found) > 1:
        ways = "; ".join(
            f"{j.path} by {one.column!r} of {one.table.path} and {other.column!r} of {other.table.path}"
            for j, one, other in found
        )
        raise RankerError(f"more than one way to join judgments with queries and documents: {ways}; name fewer files")
    [(judgments, one, other)] = found
    queries, documents = _oriented(judgments, one, other)
    used = (judgments, queries.table, documents.table)
    return Roles(
        queries.table,
        documents.table,
        judgments,
        queries.column,
        documents.column,
        _label(judgments, (queries.column, documents.column)),
        [head.path for head in heads if head not in used],
    )


def _keys(head: Head) -> list[str]:
    """Columns with another value in each row."""
    return [
        name
        for name, values in head.columns.items()
        if all(_is_id(value) for value in values) and len(set(values)) == len(values)
    ]


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _links(judgments: Head, heads: Sequence[Head]) -> Iterator[_Link]:
    for head in heads:
        if head is not judgments:
            for key in _keys(head):
                values = judgments.columns.get(key, [])
                if (
                    values
                    and all(map(_is_id, values))
                    and (not head.whole or _values(judgments, key) & _values(head, key))
                ):
                    yield _Link(head, key)


def _values(head: Head, name: str) -> set[str]:
    return {str(value) for value in head.columns[name]}


def _labels(judgments: Head, ids: Sequence[str]) -> list[str]:
    """Columns that could be labels: nowhere missing, >= 0, and with few different values."""

    def could_be(values: list[Any]) -> bool:
        try:
            numbers = {judgments.number(value) for value in values}
        except (TypeError, ValueError):
            return False
        return len(numbers) <= _MOST_GRADES and all(0 <= number < math.inf for number in numbers)

    return [name for name, values in judgments.columns.items() if name not in ids and could_be(values)]


def _label(judgments: Head, ids: Sequence[str]) -> str:
    candidates = _labels(judgments, ids)
    named = [name for name in candidates if _LABEL_WORDS.search(name)] or candidates
    if len(named) > 1 and "label" not in named:
        raise RankerError(
            f"{judgments.path}: cannot tell the label: {_listed(named)} all hold numbers >= 0 with few different "
            f"values; call the right one 'label'"
        )
    return "label" if "label" in named else named[0]


def _oriented(judgments: Head, one: _Link, other: _Link) -> tuple[_Link, _Link]:
    """The link to the queries, then that to the documents."""

    def votes(queries: _Link, documents: _Link) -> int:
        return sum(
            bool(words.search(text))
            for words, link in ((_QUERY_WORDS, queries), (_DOCUMENT_WORDS, documents))
            for text in (link.column, link.table.path.name)
        )

    def runs(link: _Link) -> int:
        values = judgments.columns[link.column]
        return sum(a != b for a, b in itertools.pairwise(values))

    forth, back = votes(one, other), votes(other, one)
    if forth == back:
        forth, back = runs(other), runs(one)  # grouped by query: the query changes less often
    if forth == back:
        raise RankerError(
            f"cannot tell which of {one.table.path} and {other.table.path} holds the queries; call its file or its id "
            f"'query', as in query_id"
        )
    return (one, other) if forth > back else (other, one)


def _nothing_found(heads: Sequence[Head]) -> str:
    lines = [
        "cannot tell which files are queries, documents and judgments: no file has two columns that are keys (another "
        "value in each row) of two other files under the same names, and a label column (numbers >= 0, at most "
        f"{_MOST_GRADES} different). Found:"
    ]
    for head in heads:
        links = list(_links(head, heads))
        joined = [f"{link.column!r} is a key of {link.table.path}" for link in links]
        others = [name for name in head.columns if name not in [link.column for link in links]]
        lines.append(f"  {head.path}: {'; '.join(joined) or 'no column that is a key of another file'}")
        lines.append(
            f"    own keys: {_listed(_keys(head))}; could be labels: {_listed(_labels(head, ()))}; "
            f"keys of no other file: {_listed(others)}"
        )
        lines += [f"    {renamed}" for renamed in _renamed(head, heads)]
    return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _renamed(judgments: Head, heads: Sequence[Head]) -> Iterator[str]:
    """Joins that fail by the name of a column only."""
    for head, (name, values) in itertools.product(heads, judgments.columns.items()):
        if head is judgments or name in (*head.columns, *_labels(judgments, ())) or not all(map(_is_id, values)):
            continue
        for key in _keys(head):
            if key not in judgments.columns and _values(judgments, name) <= _values(head, key):
                yield f"{name!r} holds values of {key!r} of {head.path}: give both columns one name"
