"""Score tables: one row per query and document, with the label and a column of scores per model."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.lists import FloatArray, IntArray, Lists

__all__ = ["read_score_table"]


def read_score_table(table: pa.Table, models: Sequence[str]) -> tuple[Lists, dict[str, FloatArray]]:
    """Group the rows of a score table into lists.

    Args:
        table: columns `query_id` and `document_id` (text or integers), `label` (a number, finite and >= 0) and one
            column of finite numbers per model; others are ignored. Rows come in any order: lists stand in the order
            of their first rows, and documents of a list in the order of their rows.
        models: names of score columns.

    Returns:
        The lists, and float64 [documents] of scores by model, in the order of `lists.labels`.

    Raises:
        ValueError: a column is missing or of another type, there are no rows, a value is null, NaN or out of range,
            or a query holds a document twice; the first culprit is named by query and document.
    """
    _check_columns(table, ["query_id", "document_id", "label", *models])
    if table.num_rows == 0:
        raise ValueError("score table: expected at least one row, got none; check the split or filter that made it")
    (queries, query_names), (documents, document_names) = (_codes(table, name) for name in ("query_id", "document_id"))

    def place(row: int) -> str:
        return f"query {query_names[queries[row]].as_py()!r}, document {document_names[documents[row]].as_py()!r}"

    columns = {}
    for name, least, expected in [("label", 0.0, "finite and >= 0"), *((model, -np.inf, "finite") for model in models)]:
        values = columns[name] = _numbers(table, name)
        wrong = ~(np.isfinite(values) & (values >= least))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"score table, column {name!r}: expected numbers {expected}, got {values[row]} for {place(row)}"
                f" ({int(wrong.sum())} such rows); mend or drop them"
            )
    pairs = queries * len(document_names) + documents
    _, first = np.unique(pairs, return_index=True)
    if len(first) < len(pairs):
        again = np.ones(len(pairs), dtype=np.bool_)
        again[first] = False
        raise ValueError(
            f"score table: expected each document once per query, got {place(int(np.argmax(again)))} again"
            f" ({int(again.sum())} such rows); keep one row of each"
        )
    by_query = np.argsort(queries, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(queries))]).astype(np.int64)
    lists = Lists(query_names.to_numpy(zero_copy_only=False), offsets, columns["label"][by_query])
    return lists, {model: columns[model][by_query] for model in models}


def _check_columns(table: pa.Table, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise ValueError(
            f"score table: expected columns {', '.join(names)}, got {', '.join(table.column_names) or 'none'};"
            f" add {', '.join(missing)}, or name models that are there"
        )
    double = [name for name in names if table.column_names.count(name) > 1]
    if double:
        raise ValueError(f"score table: expected one column {double[0]!r}, got several; rename or drop the others")


def _codes(table: pa.Table, name: str) -> tuple[IntArray, pa.Array]:
    """Ids as int64 [rows], numbered by first appearance, and the text of each number."""
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not any(fits(column.type) for fits in (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer)):
        raise ValueError(f"score table, column {name!r}: expected text or integers, got {column.type}; cast it")
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise ValueError(
            f"score table, column {name!r}: expected no nulls, got {column.null_count}, the first in row {row} (from 0)"
        )
    # large_string: ids of a table may pass the 2 GB that one array of string holds
    encoded = column.cast(pa.large_string()).combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary


def _numbers(table: pa.Table, name: str) -> FloatArray:
    """A column as float64 [rows]; null is NaN."""
    column = table.column(name)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise ValueError(f"score table, column {name!r}: expected numbers, got {column.type}; cast it")
    return column.cast(pa.float64()).fill_null(np.nan).to_numpy()
