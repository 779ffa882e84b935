"""Which of some tables holds the queries, which the documents, and which the judgments; or one all of them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ranker.errors import RankerError
from ranker.workflows.column_faults import position_faults, weight_faults
from ranker.workflows.head import Head
from ranker.workflows.kinds import guess_kind

__all__ = ["Roles", "tell_roles"]

_MOST_GRADES = 31  # of labels, as many as LambdaMART takes
_QUERY_WORDS = re.compile(r"quer|search|user|session|topic|customer|question|context|qid|uid|\bq\b", re.IGNORECASE)
_DOCUMENT_WORDS = re.compile(
    r"doc|product|item|movie|article|passage|page|sku|offer|book|song|track|hotel|job|video|did\b|pid\b", re.IGNORECASE
)
_ID_WORDS = re.compile(r"(^|_)(id|key|no)$|[a-z]I[dD]$|^[a-z]id$", re.IGNORECASE)
_TIME_WORDS = re.compile(r"(date|time|timestamp)$|(^|_)(ts|at)$", re.IGNORECASE)
_TIMES_OF_QUERIES = re.compile(
    r"^(((query|search|session|request|event)_?)?(timestamp|ts|time|date|datetime)|(asked|searched|created)(_at)?)$",
    re.IGNORECASE,
)
_POSITION_WORDS = re.compile(r"(^|_)(position|pos|rank)$", re.IGNORECASE)
_WEIGHT_WORDS = re.compile(r"(^|_)(weight|importance)$", re.IGNORECASE)
_LABEL_WORDS = re.compile(r"label|rating|grade|relevan|\brel\b|gain|judg", re.IGNORECASE)


@dataclass(frozen=True)
class Roles:
    """The tables by what they hold, and the columns that join them.

    Attributes:
        queries: one row per query.
        documents: one row per document.
        judgments: one row per pair.
        query_id: column of queries and judgments.
        document_id: column of documents and judgments.
        label: column of judgments.
        unused: files without a role.
        one_table: whether all is in one file; queries and documents are then its columns of each, and first rows.
        weight: column of judgments, if there is one.
        position: column of judgments, if there is one.
        timestamp: column of judgments or queries, if there is one.
    """

    queries: Head
    documents: Head
    judgments: Head
    query_id: str
    document_id: str
    label: str
    unused: list[Path]
    one_table: bool = False
    weight: str | None = None
    position: str | None = None
    timestamp: str | None = None

    @property
    def of_judgments(self) -> list[str]:
        """The columns that are ids, label, weight, position or timestamp."""
        named = (self.query_id, self.document_id, self.label, self.weight, self.position, self.timestamp)
        return [name for name in named if name is not None]


@dataclass(frozen=True)
class _Link:
    """A column of one table whose values are keys of another, under the same name."""

    table: Head
    column: str


def tell_roles(heads: Sequence[Head]) -> Roles:
    """Tell by the columns that tables share, or of one table by the names of its columns.

    The judgments have two columns that are keys in two other tables, under the same names, and a column of labels.
    Which of the two is the table of queries is told by names, else by the judgments being grouped by query.

    Raises:
        RankerError: if there is no such table, or more than one.
    """
    if len(heads) == 1:
        return _one_table(heads[0])
    if len(heads) < 3:
        raise RankerError(
            f"expected three files, with queries, documents and judgments, or one table with everything in it; got "
            f"{len(heads)}"
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
    ids = (queries.column, documents.column)
    timestamp = _column(judgments, _TIME_WORDS, _is_time, ids)
    return Roles(
        queries.table,
        documents.table,
        judgments,
        *ids,
        _label(judgments, ids),
        [head.path for head in heads if head not in used],
        weight=_column(judgments, _WEIGHT_WORDS, _is_weight, ids),
        position=_column(judgments, _POSITION_WORDS, _is_position, ids),
        timestamp=timestamp or _column(queries.table, _TIMES_OF_QUERIES, _is_time, ids),
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

    others = [name for name in judgments.columns if name not in ids and not _is_judged_otherwise(name)]
    return [name for name in others if could_be(judgments.columns[name])]


def _is_judged_otherwise(name: str) -> bool:
    """Whether the name is that of a weight, position or timestamp."""
    return any(words.search(name) for words in (_WEIGHT_WORDS, _POSITION_WORDS, _TIME_WORDS))


def _label(judgments: Head, ids: Sequence[str]) -> str:
    candidates = _labels(judgments, ids)
    named = [name for name in candidates if _LABEL_WORDS.search(name)] or candidates
    if len(named) > 1 and "label" not in named:
        raise RankerError(
            f"{judgments.path}: cannot tell the label: {_listed(named)} all hold numbers >= 0 with few different "
            f"values; call the right one 'label'"
        )
    return "label" if "label" in named else named[0]


def _column(head: Head, words: re.Pattern[str], is_one: Callable[[Head, str], bool], ids: Sequence[str]) -> str | None:
    """The first column whose name and values are those of a weight, position or timestamp."""
    names = (name for name in head.columns if name not in ids and words.search(name))
    return next((name for name in names if is_one(head, name)), None)


def _is_weight(head: Head, name: str) -> bool:
    return not any(weight_faults(head, head.columns[name])) and any(head.columns[name])


def _is_position(head: Head, name: str) -> bool:
    return not any(position_faults(head, head.columns[name])) and any(head.columns[name])


def _is_time(head: Head, name: str) -> bool:
    return guess_kind(head, name).kind == "date"


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


# --- one table with everything ----------------------------------------------------------------------------------------


def _one_table(head: Head) -> Roles:
    """The roles of the columns: ids by their names; what is the same in all rows of a query is known of the query."""
    query_id = _id_by_name(head, "query_id", _QUERY_WORDS, _DOCUMENT_WORDS)
    document_id = _id_by_name(head, "document_id", _DOCUMENT_WORDS, _QUERY_WORDS)
    if query_id is None or document_id is None or query_id == document_id:
        raise RankerError(
            f"{head.path}: one table with everything in it needs a column of query ids, nowhere missing and each in "
            f"several rows, one of document ids and one of labels; call the ids query_id and document_id. Columns "
            f"without missing values: {_listed([name for name in head.columns if _is_always_id(head, name)])}"
        )
    ids = (query_id, document_id)
    if not _labels(head, ids):
        raise RankerError(
            f"{head.path}: no column of labels (numbers >= 0, at most {_MOST_GRADES} different), beside the ids "
            f"{query_id!r} and {document_id!r}; there are {_listed(list(head.columns))}"
        )
    label = _label(head, ids)
    weight = _column(head, _WEIGHT_WORDS, _is_weight, (*ids, label))
    position = _column(head, _POSITION_WORDS, _is_position, (*ids, label))
    times = [name for name in head.columns if _TIMES_OF_QUERIES.search(name) and _is_time(head, name)]
    timestamp = (
        "timestamp" if "timestamp" in times else next((n for n in times if _is_of_query(head, query_id, n)), None)
    )
    taken = (*ids, label, weight, position, timestamp)
    features = [name for name in head.columns if name not in taken]
    of_query = [name for name in features if _is_of_query(head, query_id, name)]
    return Roles(
        _first_rows(head, query_id, of_query),
        _first_rows(head, document_id, [name for name in features if name not in of_query]),
        head,
        *ids,
        label,
        [],
        one_table=True,
        weight=weight,
        position=position,
        timestamp=timestamp,
    )


def _id_by_name(head: Head, name: str, words: re.Pattern[str], others: re.Pattern[str]) -> str | None:
    """The column of ids of queries, or of documents; None if names do not tell."""
    if name in head.columns:
        return name
    could_be = [name for name in head.columns if _is_always_id(head, name) and words.search(name)]
    could_be = [name for name in could_be if not others.search(name)] or could_be
    could_be = [name for name in could_be if _ID_WORDS.search(name)] or could_be
    return could_be[0] if len(could_be) == 1 else None


def _is_always_id(head: Head, name: str) -> bool:
    values = head.columns[name]
    return all(map(_is_id, values)) and len(set(values)) < len(values)


def _is_of_query(head: Head, query_id: str, name: str) -> bool:
    """Whether all rows of a query have the same value."""
    first: dict[Any, Any] = {}
    pairs = zip(head.columns[query_id], head.columns[name], strict=True)
    return all(first.setdefault(query, value) == value for query, value in pairs)


def _first_rows(head: Head, key: str, names: Sequence[str]) -> Head:
    """The first row of each value of a column, with that and some more columns."""
    first: dict[Any, int] = {}
    for row, value in enumerate(head.columns[key]):
        first.setdefault(value, row)
    columns = {name: [head.columns[name][row] for row in first.values()] for name in (key, *names)}
    return replace(head, columns=columns, rows=len(first))
