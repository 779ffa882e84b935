"""Rows with the same ids: numbered, found again, each once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Ints", "Mask", "coded", "distinct_values", "repeated", "take"]

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def coded(ids: pa.StringArray) -> tuple[Ints, Ints, Ints]:
    """A number for each id, and as `np.unique`: the first row of each distinct id, and for each row which that is.

    Distinct ids are numbered by their first row.
    """
    codes = ids.dictionary_encode().indices.to_numpy().astype(np.int64)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return codes, first, inverse


def take(rows: pa.RecordBatch, mask: Mask) -> pa.RecordBatch:
    """The rows where the mask is true."""
    return rows if mask.all() else rows.filter(pa.array(mask))


def repeated(*keys: Ints) -> Mask:
    """Where a row has the same keys as an earlier row."""
    order = np.lexsort(keys[::-1])
    same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
    found = np.zeros(len(order), bool)
    found[order[1:]] = same
    return found


def distinct_values(lists: pa.ListArray) -> pa.ListArray:
    """Lists of texts without the texts that are in their list already; no list is null."""
    lengths = pc.list_value_length(lists).to_numpy()
    if not len(lists) or lengths.max() < 2:
        return lists
    values = pc.list_flatten(lists)
    row = np.repeat(np.arange(len(lists)), lengths)
    again = repeated(row, values.dictionary_encode().indices.to_numpy().astype(np.int64))
    if not again.any():
        return lists
    ends = np.concatenate([[0], np.cumsum(np.bincount(row[~again], minlength=len(lists)))])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values.filter(pa.array(~again)))
