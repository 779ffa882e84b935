"""Group files: the sizes of the lists of a LETOR file without qid, one integer per line, as LightGBM has them."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.files import exists, open_binary
from ranker.errors import RankerError

__all__ = ["Groups", "group_file_of"]

_COMPRESSED = (".gz", ".zst", ".bz2", ".lz4")


class Groups:
    """The sizes of the lists of a file, from LightGBM's group file beside it.

    Documents are asked for in their order, from number `document` on.

    Attributes:
        empty: number of lists without documents, of size 0.
    """

    def __init__(self, path: Path, group_file: Path | None, document: int = 0) -> None:
        self._path = path
        self._file = group_file or group_file_of(path)
        sizes = np.array(_read_sizes(self._file), np.int64)
        self._stops = np.cumsum(sizes, dtype=np.int64)
        self._starts = (self._stops - sizes)[sizes > 0]
        self.empty = len(sizes) - len(self._starts)
        self._total = int(self._stops[-1]) if len(self._stops) else 0
        self._documents = document

    def keys(self, lines: np.ndarray, kept: np.ndarray) -> pa.StringArray:
        """The number of the list of each `kept` line, given the next `lines` that hold documents."""
        before, self._documents = self._documents, self._documents + len(lines)
        if self._documents > self._total:
            raise self._wrong(f"{self._path}:{lines[self._total - before]} is document {self._total + 1}")
        documents = before + np.searchsorted(lines, kept)
        return pa.array(np.searchsorted(self._stops, documents, side="right")).cast(pa.string())

    def starts(self, lines: np.ndarray) -> np.ndarray:
        """The lines with which lists begin, of the next `lines` that hold documents; does not pass them."""
        first, stop = np.searchsorted(self._starts, [self._documents, self._documents + len(lines)])
        return lines[self._starts[first:stop] - self._documents]

    def check_end(self) -> None:
        """Raise if there were fewer documents than the sizes say."""
        if self._documents < self._total:
            raise self._wrong(f"{self._path} has {self._documents} documents")

    def _wrong(self, found: str) -> RankerError:
        where = f"{self._file}:{len(self._stops)}"
        return RankerError(f"{where}: expected sizes that sum to the number of documents, got {self._total}; {found}")


def group_file_of(path: Path) -> Path:
    """The group file beside a file; a RankerError if there is none."""
    stem = path.with_suffix("").name if path.suffix in _COMPRESSED else path.name
    names = [f"{name}{ending}" for name in dict.fromkeys((stem, path.name)) for ending in (".query", ".group")]
    for name in names:
        candidate = path.with_name(name)
        try:
            if exists(candidate):
                return candidate
        except OSError as error:
            raise RankerError(f"{candidate}: cannot read: {error.strerror or error}") from None
    raise RankerError(
        f"{path}: expected qid in each line or list sizes in a file beside it, got neither; tried {', '.join(names)}"
    )


def _read_sizes(path: Path) -> list[int]:
    try:
        with open_binary(path) as file:
            texts = file.read().removeprefix(codecs.BOM_UTF8).rstrip().split(b"\n")
    except OSError as error:
        raise RankerError(f"{path}: cannot read: {error.strerror or error}") from None
    for line, text in enumerate(texts, 1):
        if not text.strip().isdigit() or len(text) > 15:
            got = text.decode("utf-8", "replace").strip()[:100]
            raise RankerError(f"{path}:{line}: expected the size of a list, an integer >= 0, got {got!r}")
    return [int(text) for text in texts]
