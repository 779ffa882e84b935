"""Rows of a score table on their way to partitions, in which each has all rows of its unit."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.score_table import check_columns
from ranker.data.id_hash import hash_ids, partition_of

__all__ = ["divided_query", "hashes_of", "partitions_of", "plain_rows", "plain_schema"]


def plain_schema(given: pa.Schema, named: list[str]) -> pa.Schema:
    """Types of the columns that are kept: those named, and `judged` where it is there; without dictionaries.

    Raises:
        ValueError: a column is missing.
    """
    check_columns(given.names, named)
    names = [*named, *(["judged"] if "judged" in given.names else [])]
    return pa.schema([_plain(given.field(name)) for name in names])


def plain_rows(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of the schema, as it says.

    Raises:
        ValueError: a column is of another type.
    """
    arrays = [_unpacked(batch.column(name), name, schema) for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def partitions_of(rows: pa.RecordBatch, key: str, partitions: int) -> NDArray[np.int64]:
    """The partition of each row, int64 [rows], by a column of ids; errors as of `hashes_of`."""
    return partition_of(hashes_of(rows, key), partitions)


def hashes_of(rows: pa.RecordBatch, key: str) -> NDArray[np.uint64]:
    """The hash of a column of ids, uint64 [rows].

    Raises:
        ValueError: one is null, or they are no ids.
    """
    values = rows.column(key)
    if values.null_count:
        raise ValueError(
            f"score table, column {key!r}: expected no nulls, got {values.null_count} in"
            f" {rows.num_rows} rows, the first after query {_before(rows, values)}"
        )
    if not (pa.types.is_string(values.type) or pa.types.is_integer(values.type)):
        raise ValueError(f"score table, column {key!r}: expected text or integers, got {values.type}; cast it")
    return hash_ids(values.cast(pa.string()))


def divided_query(cluster: str | None, query: str) -> ValueError:
    """The error for a query of several clusters."""
    return ValueError(
        f"score table, column {cluster!r}: expected one value for query {query!r}, got"
        " several; make query ids that belong to one cluster each"
    )


def _plain(field: pa.Field) -> pa.Field:
    """The field without a dictionary and the 64-bit offsets that no batch needs; one without any value is of texts."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_large_string(kind) or pa.types.is_null(kind):
        kind = pa.string()
    return pa.field(field.name, kind)


def _unpacked(values: pa.Array, name: str, schema: pa.Schema) -> pa.Array:
    wanted = schema.field(name).type
    if pa.types.is_float64(values.type) and pa.types.is_floating(wanted) and values.type != wanted:
        raise ValueError(  # a cast would round without a word, and make ties
            f"score table, column {name!r}: expected {wanted} as in its first rows, got {values.type}; write all files"
            " with one type"
        )
    try:
        return values if values.type == wanted else values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ValueError(
            f"score table, column {name!r}: expected {wanted} as in its first rows, got {values.type} ({error})"
        ) from None


def _before(rows: pa.RecordBatch, values: pa.Array) -> str:
    row = pc.index(values.is_null(), True).as_py()
    return repr(rows.column("query_id")[row - 1].as_py()) if row else "none"
