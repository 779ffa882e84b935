"""The ids of all documents of a source, in memory, and the place of each in the order of their hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.id_hash import hash_ids, hash_order
from ranker.data.spill import Spill
from ranker.data.tables.id_groups import Ints, Mask, coded
from ranker.data.tables.source_table import DOCUMENT

__all__ = ["Collection"]


@dataclass(frozen=True)
class Collection:
    """Distinct document ids by their hash. The place of a document is its number; it tells nothing of the document.

    Attributes:
        ids: large_string `[documents]`.
        hashes: uint64 `[documents]`, ascending.
        starts: int64 `[partitions + 1]`, the place of the first document of each partition on disk, and the number of
            documents.
    """

    ids: pa.LargeStringArray
    hashes: npt.NDArray[np.uint64]
    starts: Ints

    @classmethod
    def of(cls, documents: Spill) -> Self:
        """The ids of documents that are spread over partitions by their hash; the files stay."""
        ids, hashes = [pa.array([], pa.large_string())], [np.empty(0, np.uint64)]
        for part in range(documents.partitions):
            rows = documents.peek(part, [DOCUMENT])[DOCUMENT]
            distinct = rows.take(pa.array(coded(rows)[1]))
            distinct = distinct.take(pa.array(hash_order(distinct)))
            ids.append(distinct.cast(pa.large_string()))
            hashes.append(hash_ids(distinct))
        starts = np.cumsum([len(one) for one in ids])
        return cls(pa.concat_arrays(ids), np.concatenate(hashes), starts)

    def __len__(self) -> int:
        return len(self.ids)

    def places(self, ids: pa.StringArray) -> Ints:
        """Place of each document, -1 for those that are not there."""
        hashes = hash_ids(ids)
        place = np.searchsorted(self.hashes, hashes)
        found = np.full(len(ids), -1)

        def alike(rows: Ints) -> Ints:
            """Those of the rows whose hash is that of their place."""
            there = rows[place[rows] < len(self)]
            return there[self.hashes[place[there]] == hashes[there]]

        rows = alike(np.arange(len(ids)))
        while len(rows):
            there = self.ids.take(pa.array(place[rows]))
            given = ids.take(pa.array(rows)).cast(pa.large_string())
            same: Mask = pc.equal(there, given).to_numpy(zero_copy_only=False)
            found[rows[same]] = place[rows[same]]
            place[rows[~same]] += 1  # another document of the same hash
            rows = alike(rows[~same])
        return found
