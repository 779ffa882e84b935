"""The rows of a partition, put together to lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ranker.data.columns import MISSING_INT
from ranker.data.tables.id_groups import Ints, Mask, repeated
from ranker.data.tables.source_table import PLACE, TIMESTAMP

__all__ = ["ListRows"]


@dataclass(frozen=True)
class ListRows:
    """Rows of judgments as lists: a list for each query, or for each query and split where files are split already.

    Lists are numbered by their query, those of one query by the splits of their files. Each has a row at least. In a
    log of clicks, each impression may be a list.

    Attributes:
        rows: all rows, the repeated ones too.
        of_row: int64 `[rows]`, the list of each row.
        again: bool `[rows]`, whether a row has the list and document of an earlier one.
        order: int64, places of the rows that are not repeated, list by list, in the order of the table.
        query: int64 `[lists]`, the place of the query of each.
        file: int8 `[lists]`, the split of the files of each.
        time: int64 `[lists]`, the latest timestamp of the rows of each, or of its query; missing where there is none.
    """

    rows: pa.RecordBatch
    of_row: Ints
    again: Mask
    order: Ints
    query: Ints
    file: npt.NDArray[np.int8]
    time: Ints

    @classmethod
    def of(
        cls,
        rows: pa.RecordBatch,
        of_query: Ints,
        document: Ints,
        file: npt.NDArray[np.int8],
        times: Ints | None,
        impression: Ints | None = None,
    ) -> Self:
        """Put rows together.

        Args:
            rows: with PLACE, and maybe TIMESTAMP.
            of_query: int64 `[rows]`, the place of the query of each row.
            document: int64 `[rows]`, a number of the document of each row.
            file: int8 `[rows]`, the split of the file of each row.
            times: int64 `[queries]`, if queries have timestamps.
            impression: int64 `[rows]`, a number of the impression of each row, where each is a list of its own.
        """
        key = of_query * 3 + file
        there = np.zeros(int(key.max(initial=-1)) + 1, bool)
        there[key] = True
        keys = np.flatnonzero(there)
        of_row = (np.cumsum(there) - 1)[key]
        if impression is not None:
            most = int(impression.max(initial=0)) + 1
            both, of_row = np.unique(of_row * most + impression, return_inverse=True)
            keys = keys[both // most]
        order = np.lexsort((rows[PLACE].to_numpy(), of_row))
        again = np.zeros(len(order), bool)
        again[order] = repeated(of_row[order], document[order])
        order = order[~again[order]]
        query = keys // 3
        if times is not None:
            time = times[query]
        elif TIMESTAMP in rows.schema.names and len(keys):
            starts = np.flatnonzero(np.diff(of_row[order], prepend=-1))
            time = np.maximum.reduceat(rows[TIMESTAMP].to_numpy()[order], starts)
        else:
            time = np.full(len(keys), MISSING_INT)
        return cls(rows, of_row, again, order, query, (keys % 3).astype(np.int8), time)

    @property
    def first(self) -> Ints:
        """Place of the first row of each list."""
        return self.order[np.flatnonzero(np.diff(self.of_row[self.order], prepend=-1))]

    def only(self, lists: Mask) -> Self:
        """Some of the lists, numbered anew; the rows of the others are no longer in `order`."""
        if lists.all():
            return self
        order = self.order[lists[self.of_row[self.order]]]
        number = np.where(lists, np.cumsum(lists) - 1, -1)
        of_row = number[self.of_row]
        return replace(
            self, of_row=of_row, order=order, query=self.query[lists], file=self.file[lists], time=self.time[lists]
        )
