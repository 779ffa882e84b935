"""Queries that have several lists: how many there were before each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ranker.data.tables.id_groups import Ints

__all__ = ["QueryRepeats", "write_repeats"]

_Hashes = npt.NDArray[np.uint64]


def write_repeats(files: Sequence[_Hashes], paths: Sequence[Path]) -> list[bool]:
    """Find the queries that have several lists, in one file or in several.

    Args:
        files: for each file the 64-bit hash of the query of each list.
        paths: where to note those of each file, and how many lists they have in the files before it.

    Returns:
        for each file whether there is such a note.
    """
    hashes, counts = np.unique(np.concatenate([np.zeros(0, np.uint64), *files]), return_counts=True)
    several = hashes[counts > 1]
    before = np.zeros(len(several), np.int64)
    noted = []
    for file, path in zip(files, paths, strict=True):
        own = np.bincount(_places(several, file)[0], minlength=len(several))
        there = own > 0
        noted.append(bool(there.any()))
        if there.any():
            np.savez(path, hashes=several[there], before=before[there])
        before += own
    return noted


class QueryRepeats:
    """Numbers the lists of a query, in the order in which they come."""

    def __init__(self, path: Path) -> None:
        """Go on behind the files before that of the note at `path`."""
        with np.load(path) as note:
            self._hashes, self._counts = note["hashes"], note["before"]

    def numbers(self, hashes: _Hashes) -> Ints:
        """For the next lists, by the hashes of their queries: 1 for the first of a query, 2 for the second, ..."""
        numbers = np.ones(len(hashes), np.int64)
        queries, lists = _places(self._hashes, hashes)
        order = np.argsort(queries, kind="stable")
        starts = np.flatnonzero(np.diff(queries[order], prepend=-1))
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        numbers[lists[order]] = self._counts[queries[order]] + rank + 1
        self._counts = self._counts + np.bincount(queries, minlength=len(self._counts))
        return numbers


def _places(among: _Hashes, hashes: _Hashes) -> tuple[Ints, Ints]:
    """Of the hashes that are in the sorted array: their places there, and among themselves."""
    places = np.searchsorted(among, hashes)
    there = np.flatnonzero(np.append(among, np.uint64(0))[places] == hashes) if len(among) else np.zeros(0, np.int64)
    there = there[places[there] < len(among)]
    return places[there], there
