"""The values that documents have: of a column, of buckets of numbers, of the length of their list, crossed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.ragged import FloatArray, IntArray, Ragged
from eval.score_table import ScoreTable

__all__ = ["LENGTH", "MISSING", "Cut", "Values", "bucket_names", "numbers_of", "values_of"]

LENGTH = "list length"
MISSING = "(missing)"

_CROSS = " × "


@dataclass(frozen=True)
class Cut:
    """One thing that lists are cut by.

    Args:
        column: of the score table; or `LENGTH`, the number of documents of the list.
        buckets: of numbers: how many with as many lists each, or the edges between them, rising. None: each value is
            a slice of its own.
    """

    column: str
    buckets: int | tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        buckets = self.buckets
        if isinstance(buckets, int) and buckets < 2:
            raise ValueError(f"slices by {self.column!r}: expected at least 2 buckets, got {buckets}")
        if isinstance(buckets, tuple) and (not buckets or np.any(np.diff(buckets) <= 0) or np.isnan(buckets).any()):
            raise ValueError(f"slices by {self.column!r}: expected rising edges of buckets, got {list(buckets)}")


@dataclass(frozen=True, eq=False)
class Values:
    """The values of documents: document `documents[i]` has the value `names[codes[i]]`.

    A document of a multi-valued column has several, so that it is there several times.

    Args:
        documents: int64 [pairs], never falling.
        codes: int64 [pairs].
        names: each once.
    """

    documents: IntArray
    codes: IntArray
    names: Sequence[str]

    def crossed(self, other: "Values", documents: int) -> "Values":
        """The pairs of values that documents have; `documents` is the number of all. Names are joined as they are."""
        ragged = Ragged.of_sizes(np.bincount(other.documents, minlength=documents))
        times = ragged.sizes[self.documents]
        starts = ragged.offsets[self.documents]
        within = Ragged.of_sizes(times)
        places = np.repeat(starts - 1, times) + within.positions
        both = np.repeat(self.codes, times) * len(other.names) + other.codes[places]
        distinct, codes = np.unique(both, return_inverse=True)
        firsts, seconds = np.divmod(distinct, len(other.names))
        names = [
            f"{self.names[first]}{_CROSS}{other.names[second]}"
            for first, second in zip(firsts.tolist(), seconds.tolist(), strict=True)
        ]
        return Values(np.repeat(self.documents, times), codes.astype(np.int64), names)

    def quoted(self) -> Self:
        """The same by names that stay apart when they are joined: `a × b` as `"a × b"`, with quotes inside escaped.

        Names without the sign of a cross stay as they are, unless they begin with a quote.
        """
        names = [
            '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
            if _CROSS.strip() in name or name.startswith('"')
            else name
            for name in self.names
        ]
        return type(self)(self.documents, self.codes, names)

    def of_lists(self, ragged: Ragged) -> Self:
        """The same with lists for documents: a list has each value that one of its documents has, once."""
        keys = np.unique(ragged.rows[self.documents] * len(self.names) + self.codes)
        lists, codes = np.divmod(keys, max(len(self.names), 1))
        return type(self)(lists, codes, self.names)


def values_of(cut: Cut, table: ScoreTable, edges: FloatArray | None) -> Values:
    """The values of all documents.

    Args:
        cut: what to look at.
        table: the lists.
        edges: between buckets, if the cut has any.

    Raises:
        ValueError: a column whose values are no texts or numbers, or no numbers for buckets.
    """
    if edges is not None:
        numbers = numbers_of(cut, table)
        codes = np.searchsorted(edges, numbers, side="right")
        codes[np.isnan(numbers)] = len(edges) + 1
        names = [*bucket_names(edges, whole=cut.column == LENGTH), MISSING]
        return Values(np.arange(len(numbers)), codes.astype(np.int64), names)
    if cut.column == LENGTH:
        values = pa.array(np.repeat(table.lists.sizes, table.lists.sizes))
    else:
        values = table.columns[cut.column]
    documents = np.arange(len(values))
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        documents, values = _flat(values)
    encoded = _texts(cut.column, values).dictionary_encode()
    return Values(documents, encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist())


def numbers_of(cut: Cut, table: ScoreTable) -> FloatArray:
    """The numbers of all documents, float64 [documents]; NaN: missing.

    Raises:
        ValueError: a column without numbers.
    """
    if cut.column == LENGTH:
        return np.repeat(table.lists.sizes, table.lists.sizes).astype(np.float64)
    values = table.columns[cut.column]
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise ValueError(
            f"slices by buckets of {cut.column!r}: expected numbers, got {values.type}; leave out the buckets, or cast"
        )
    return values.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)


def bucket_names(edges: FloatArray, *, whole: bool = False) -> list[str]:
    """Names of the buckets between edges: a number equal to an edge lies above it.

    >>> bucket_names(np.array([1.5, 20]))
    ['< 1.5', '1.5 to 20', '>= 20']
    >>> bucket_names(np.array([10.0, 50]), whole=True)
    ['< 10', '10 to 49', '>= 50']

    Args:
        edges: float64 [buckets - 1], rising.
        whole: the numbers are whole, so that the last of each bucket can be said.
    """
    if not len(edges):
        return ["any"]
    short = [f"{edge:.6g}" for edge in edges]
    told = short if len(set(short)) == len(short) and not whole else [f"{edge:.17g}" for edge in edges]
    ends = [f"{np.ceil(edge) - 1:.17g}" for edge in edges[1:]] if whole else told[1:]
    between = [f"{low} to {high}" if low != high else low for low, high in zip(told[:-1], ends, strict=True)]
    return [f"< {told[0]}", *between, f">= {told[-1]}"]


def _flat(lists: pa.Array) -> tuple[IntArray, pa.Array]:
    """The document of each text of a multi-valued column, and the texts; null for a document without any."""
    sizes = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    places = Ragged.of_sizes(np.maximum(sizes, 1))
    taken = np.full(places.offsets[-1], -1)
    taken[sizes[places.rows] > 0] = np.arange(sizes.sum())
    flat = lists.flatten().take(pa.array(taken, mask=taken < 0))
    documents = places.rows
    return documents, flat


def _texts(column: str, values: pa.Array) -> pa.Array:
    """Each value as text, `MISSING` for what is null, NaN or empty."""
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        raise ValueError(f"slices by {column!r}: expected a column of texts or numbers, got {values.type}")
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    texts = values.cast(pa.large_string()).fill_null("")
    return pc.if_else(pc.equal(texts, ""), MISSING, texts)
