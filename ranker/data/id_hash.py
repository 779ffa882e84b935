"""A hash of ids over whole Arrow arrays: the same on every machine, in every run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["hash_ids", "hash_order", "mix", "partition_of"]

_Hashes = npt.NDArray[np.uint64]


def hash_ids(ids: pa.StringArray) -> _Hashes:
    """64-bit hash of each id, a string array without nulls.

    Eight bytes at a time are mixed in (the finalizer of MurmurHash3, Appleby 2011), for all ids at once. It spreads
    ids over partitions and orders lists; where it matters that ids differ, compare the ids.
    """
    if not len(ids):
        return np.empty(0, np.uint64)
    bounds = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1].astype(np.int64)
    starts, lengths = bounds[:-1], np.diff(bounds)
    hashes = mix(lengths.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
    longest = int(lengths.max(initial=0))
    if not longest:
        return hashes
    data = np.zeros(int(bounds[-1]) + 8, np.uint8)
    data[:-8] = np.frombuffer(ids.buffers()[2], np.uint8, count=int(bounds[-1]))
    words = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))  # the eight bytes from each place on
    rows = np.arange(len(ids))
    for at in range(0, longest, 8):
        rows = rows[lengths[rows] > at]
        left = np.minimum(lengths[rows] - at, 8).astype(np.uint64)
        inside = ~np.uint64(0) >> (np.uint64(64) - np.uint64(8) * left)
        hashes[rows] = mix(hashes[rows] ^ (words[starts[rows] + at] & inside))
    return hashes


def partition_of(hashes: _Hashes, partitions: int) -> npt.NDArray[np.int64]:
    """Which of `partitions` (at most 2**31) ranges of equal width a hash falls into; ranges ascend with the hash."""
    return ((hashes >> np.uint64(32)) * np.uint64(partitions) >> np.uint64(32)).astype(np.int64)


def hash_order(ids: pa.StringArray) -> npt.NDArray[np.int64]:
    """The places of ids, a string array without nulls, by their hashes; ids of one hash by themselves."""
    hashes = hash_ids(ids)
    order = np.argsort(hashes, kind="stable")
    if (np.diff(hashes[order]) == 0).any():
        table = pa.table({"hash": hashes, "id": ids})
        order = pc.sort_indices(table, [("hash", "ascending"), ("id", "ascending")]).to_numpy().astype(np.int64)
    return order


def mix(values: _Hashes) -> _Hashes:
    """Each value turned into another that looks drawn at random; different values stay different."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))
