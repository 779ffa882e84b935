"""The lists of a split as arrays, in memory or mapped from files: one row per document, any list at hand at once.

Packed records are parsed once, in parallel; then every epoch takes its lists in any order, without parsing anew. What
does not fit in memory lies in files that are mapped, and the operating system keeps what fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.lists import Lists
from ranker.data.layout import Layout
from training.inputs import read_ragged

__all__ = ["Examples", "IdValues", "read_examples"]

_LISTS_PER_BATCH = 256


@dataclass(frozen=True, eq=False)
class IdValues:
    """Ids of documents or queries: row r has `values[offsets[r]:offsets[r + 1]]`.

    Attributes:
        values: int64 [ids].
        offsets: int64 [rows + 1].
    """

    values: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> IdValues:
        """The ids of these rows, in their order."""
        places, offsets = _spans(self.offsets, rows)
        return IdValues(self.values[places], offsets)


@dataclass(frozen=True, eq=False)
class Examples:
    """Lists of documents.

    Attributes:
        layout: names of the tensors.
        offsets: int64 [lists + 1]; list q has the documents offsets[q] to offsets[q + 1] - 1.
        dense: float32 [documents, F].
        labels: float32 [documents].
        ids: by the name of the id feature, of documents or, for features of queries, of lists.
        judged: `weight` float32 and `position` int64 [documents], where the data has them.
    """

    layout: Layout
    offsets: NDArray[np.int64]
    dense: NDArray[np.float32]
    labels: NDArray[np.float32]
    ids: Mapping[str, IdValues]
    judged: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Documents per list, int64 [lists]."""
        return np.diff(self.offsets)

    @property
    def lists(self) -> Lists:
        """The labels as metrics take them; lists are called by their numbers."""
        return Lists(np.arange(len(self)), self.offsets, self.labels.astype(np.float64))

    def take(self, lists: NDArray[np.int64]) -> Examples:
        """These lists, in their order, in memory."""
        documents, offsets = _spans(self.offsets, lists)
        rows = {"query": lists, "document": documents}
        return Examples(
            self.layout,
            offsets,
            self.dense[documents],
            self.labels[documents],
            {feature.name: self.ids[feature.name].take(rows[feature.scope]) for feature in self.layout.ids},
            {name: values[documents] for name, values in self.judged.items()},
        )


def _spans(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of all that these rows have, and where each begins among them."""
    counts = offsets[rows + 1] - offsets[rows]
    ends = _offsets(counts)
    return np.arange(ends[-1]) + np.repeat(offsets[rows] - ends[:-1], counts), ends


def read_examples(
    files: Sequence[Path], layout: Layout, folder: Path | None = None, most_numbers: int | None = None
) -> Examples:
    """Parse packed records.

    Args:
        files: of records, in order.
        layout: of their tensors.
        folder: where the arrays are put, as files that are mapped; None: in memory.
        most_numbers: end after the records with which `dense` has as many; None: read all.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, _Growing] = {}

    def add(name: str, values: NDArray[Any]) -> None:
        if name not in columns:
            columns[name] = _Growing(values, None if folder is None else folder / f"{len(columns)}.bin")
        columns[name].add(values)

    for ragged in read_ragged(files, layout, _LISTS_PER_BATCH):
        add("sizes", ragged["dense"].row_lengths().numpy())
        for name in ("dense", "label", *layout.judged):
            add(name, ragged[name].flat_values.numpy())
        for feature in layout.ids:
            values = ragged[feature.name]
            if feature.scope == "document":
                values = values.values
            add(f"{feature.name} ids", values.flat_values.numpy())
            add(f"{feature.name} counts", values.row_lengths().numpy())
        if most_numbers is not None and columns["dense"].size >= most_numbers:
            break
    arrays = {name: column.whole() for name, column in columns.items()}
    return Examples(
        layout,
        _offsets(arrays["sizes"]),
        arrays["dense"],
        arrays["label"],
        {f.name: IdValues(arrays[f"{f.name} ids"], _offsets(arrays[f"{f.name} counts"])) for f in layout.ids},
        {name: arrays[name] for name in layout.judged},
    )


def _offsets(counts: NDArray[Any]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


class _Growing:
    """An array that grows row by row, in memory (by reallocation, not by copies) or in a file."""

    def __init__(self, like: NDArray[Any], path: Path | None) -> None:
        self._path, self._rows = path, 0
        self._row = like.shape[1:]
        self._array = np.empty((0, *self._row), like.dtype)
        self._file = None if path is None else path.open("wb")

    @property
    def size(self) -> int:
        """How many values there are."""
        return self._rows * int(np.prod(self._row))

    def add(self, values: NDArray[Any]) -> None:
        """Put rows at the end."""
        rows = self._rows + len(values)
        if self._file is not None:
            values.tofile(self._file)
        else:
            if rows > len(self._array):
                self._array.resize((rows + rows // 2, *self._row), refcheck=False)
            self._array[self._rows : rows] = values
        self._rows = rows

    def whole(self) -> NDArray[Any]:
        """All rows."""
        if self._file is None or self._path is None:
            self._array.resize((self._rows, *self._row), refcheck=False)
            return self._array
        self._file.close()
        shape, kind = (self._rows, *self._row), self._array.dtype
        # An empty file cannot be mapped.
        return np.memmap(self._path, kind, "r", shape=shape) if 0 not in shape else np.empty(shape, kind)
