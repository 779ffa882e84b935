"""Score tables: one row per query and document, with the label and a column of scores per model."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.lists import FloatArray, IntArray, Lists
from eval.ragged import BoolArray

__all__ = ["ScoreTable", "check_columns", "numbers", "read_score_table"]

_ID_TYPES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer)


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """The rows of a score table as lists.

    Args:
        lists: with document ids, and what is judged where the table says so.
        scores: float64 [documents] by model, in the order of `lists.labels`.
        units: str [lists], what is resampled: the query ids, or those of clusters such as users.
        columns: what else was asked for, by name, each [documents] in the order of `lists.labels`.
    """

    lists: Lists
    scores: Mapping[str, FloatArray]
    units: NDArray[Any]
    columns: Mapping[str, pa.Array]

    def select(self, lists: BoolArray) -> Self:
        """Some of the lists, bool [lists]."""
        chosen, documents = self.lists.select(lists)
        taken = pa.array(documents)
        return type(self)(
            chosen,
            {model: scores[documents] for model, scores in self.scores.items()},
            self.units[lists],
            {name: values.take(taken) for name, values in self.columns.items()},
        )


def read_score_table(
    table: pa.Table, models: Sequence[str], columns: Sequence[str] = (), cluster: str | None = None
) -> ScoreTable:
    """Group the rows of a score table into lists.

    Args:
        table: columns `query_id` and `document_id` (text or integers), `label` (a number, finite and >= 0) and one
            column of finite numbers per model; if there is one named `judged` (bool), documents that are not judged
            have label 0. Rows come in any order: lists stand in the order of their first rows, and documents of a list
            in the order of their rows.
        models: names of score columns.
        columns: further columns to keep, of any type.
        cluster: a column (text or integers) with the same value in all rows of a query, such as the user.

    Raises:
        ValueError: a column is missing or of another type, there are no rows, a value is null, NaN or out of range,
            or a query holds a document twice; the first culprit is named by query and document.
    """
    judged = "judged" if "judged" in table.column_names else None
    named = [name for name in (cluster, judged) if name is not None]
    check_columns(table.column_names, ["query_id", "document_id", "label", *models, *columns, *named])
    if table.num_rows == 0:
        raise ValueError("score table: expected at least one row, got none; check the split or filter that made it")
    (queries, query_names), (documents, document_names) = (_codes(table, name) for name in ("query_id", "document_id"))

    def place(row: int) -> str:
        return f"query {query_names[queries[row]].as_py()!r}, document {document_names[documents[row]].as_py()!r}"

    values = _checked_numbers(table, models, place)
    _refuse_repeats(queries * len(document_names) + documents, place)
    order = np.argsort(queries, kind="stable")
    rows = pa.array(order)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(queries))]).astype(np.int64)
    query_ids = query_names.to_numpy(zero_copy_only=False)
    lists = Lists(
        query_ids,
        offsets,
        values["label"][order],
        document_names.to_numpy(zero_copy_only=False)[documents[order]],
        None if judged is None else _flags(table, judged, place)[order],
    )
    units = query_ids if cluster is None else _units(table, cluster, order, lists)
    kept = {name: _whole(table, name).take(rows) for name in columns}
    return ScoreTable(lists, {model: values[model][order] for model in models}, units, kept)


def check_columns(there: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a table that lacks a column, or has one twice.

    Raises:
        ValueError: naming the first.
    """
    missing = [name for name in dict.fromkeys(names) if name not in there]
    if missing:
        near = difflib.get_close_matches(missing[0], there, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "add it, or name one that is there"
        raise ValueError(f"score table: expected a column {missing[0]!r}, got {', '.join(there) or 'none'}; {hint}")
    double = [name for name in names if list(there).count(name) > 1]
    if double:
        raise ValueError(f"score table: expected one column {double[0]!r}, got several; rename or drop the others")


def _checked_numbers(table: pa.Table, models: Sequence[str], place: Callable[[int], str]) -> dict[str, FloatArray]:
    """The label and the scores, float64 [rows] each."""
    found = {}
    for name, least, expected in [("label", 0.0, "finite and >= 0"), *((model, -np.inf, "finite") for model in models)]:
        values = found[name] = numbers(table, name)
        wrong = ~(np.isfinite(values) & (values >= least))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"score table, column {name!r}: expected numbers {expected}, got {values[row]} for {place(row)}"
                f" ({int(wrong.sum())} such rows); mend or drop them"
            )
    return found


def _refuse_repeats(pairs: IntArray, place: Callable[[int], str]) -> None:
    """Refuse a query that holds a document twice; `pairs` int64 [rows] is a number of query and document."""
    _, first = np.unique(pairs, return_index=True)
    if len(first) == len(pairs):
        return
    again = np.ones(len(pairs), dtype=np.bool_)
    again[first] = False
    raise ValueError(
        f"score table: expected each document once per query, got {place(int(np.argmax(again)))} again"
        f" ({int(again.sum())} such rows); keep one row of each"
    )


def _flags(table: pa.Table, name: str, place: Callable[[int], str]) -> BoolArray:
    column = _whole(table, name)
    if not pa.types.is_boolean(column.type):
        raise ValueError(f"score table, column {name!r}: expected true or false, got {column.type}; cast it")
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise ValueError(f"score table, column {name!r}: expected true or false, got null for {place(row)}")
    return column.to_numpy(zero_copy_only=False)


def _units(table: pa.Table, cluster: str, order: IntArray, lists: Lists) -> NDArray[Any]:
    """The cluster of each list, str [lists]."""
    codes, names = _codes(table, cluster)
    codes = codes[order]
    firsts = codes[lists.offsets[:-1]]
    differs = np.flatnonzero(codes != firsts[lists.ragged.rows])
    if differs.size:
        at = int(differs[0])
        query, other = lists.ragged.rows[at], names[codes[at]].as_py()
        raise ValueError(
            f"score table, column {cluster!r}: expected one value for query {lists.query_ids[query]!r}, got"
            f" {names[firsts[query]].as_py()!r} and {other!r}; make query ids that belong to one cluster each"
        )
    return names.to_numpy(zero_copy_only=False)[firsts]


def _whole(table: pa.Table, name: str) -> pa.Array:
    """A column in one piece, dictionaries unpacked."""
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type):  # texts of a table may pass the 2 GB that one array of string holds
        column = column.cast(pa.large_string())
    return column.combine_chunks()


def _codes(table: pa.Table, name: str) -> tuple[IntArray, pa.Array]:
    """Ids as int64 [rows], numbered by first appearance, and the text of each number."""
    column = _whole(table, name)
    if not any(fits(column.type) for fits in _ID_TYPES):
        raise ValueError(f"score table, column {name!r}: expected text or integers, got {column.type}; cast it")
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise ValueError(
            f"score table, column {name!r}: expected no nulls, got {column.null_count}, the first in row {row} (from 0)"
        )
    encoded = column.cast(pa.large_string()).dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary


def numbers(table: pa.Table, name: str) -> FloatArray:
    """A column as float64 [rows]; null is NaN.

    Raises:
        ValueError: it holds no numbers.
    """
    column = table.column(name)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise ValueError(f"score table, column {name!r}: expected numbers, got {column.type}; cast it")
    return column.cast(pa.float64()).fill_null(np.nan).to_numpy()
