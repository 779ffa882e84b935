"""Rejected rows as a file: written one by one, counted, and read again when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import orjson

from ranker.data.rejected import Rejected
from ranker.data.split import SPLITS, SplitName

__all__ = ["RejectedRows"]


class RejectedRows:
    """Rejected rows in a JSONL file, one object with the fields of `Rejected` per line.

    Only the counts are held in memory. Iterating reads the file. It can be pickled once closed.

    Attributes:
        path: the file; it is there, if empty, even when no row was rejected.
        counts: number of rows by (reason, file).
        unused: number of rows that are sound but make no list, by what they are, e.g. "query without judgments".
        rows: number of rows read of each table, sound or not, by the name of its first file; see `read`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[tuple[str, str]] = Counter()
        self.unused: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self._table_of: dict[str, str] = {}
        self._of_splits: Counter[tuple[SplitName, str]] = Counter()
        self._file: BinaryIO | None = path.open("wb")

    def add(self, file: str, line: int, reason: str, row: str, split: SplitName | None = None) -> None:
        """Set a row aside; `split` is that of its list, where it is known."""
        if self._file is None:
            raise ValueError(f"{self.path} is closed")
        self.counts[reason, file] += 1
        if split is not None:
            self._of_splits[split, reason] += 1
        self._file.write(_line(Rejected.of(file, line, reason, row)))

    def read(self, files: Sequence[str], rows: int) -> None:
        """Note that so many rows more of a table, which has these files, were read, sound or not."""
        self._table_of.update(dict.fromkeys(files, files[0]))
        self.rows[files[0]] += rows

    @property
    def of_tables(self) -> dict[str, tuple[int, int]]:
        """Rows set aside and rows read of each table, by the name of its first file."""
        aside: Counter[str] = Counter()
        for (_, file), count in self.counts.items():
            aside[self._table_of.get(file, file)] += count
        return {table: (aside[table], rows) for table, rows in self.rows.items()}

    @property
    def total(self) -> int:
        """Number of rejected rows."""
        return self.counts.total()

    @property
    def by_reason(self) -> dict[str, int]:
        """Number of rows per reason, the most frequent first."""
        totals: Counter[str] = Counter()
        for (reason, _), count in self.counts.items():
            totals[reason] += count
        return _falling(totals)

    @property
    def by_split(self) -> dict[SplitName, dict[str, int]]:
        """Number of rows per reason of each split that has any; rows whose split is not known are in none."""
        counts = {
            split: Counter({reason: count for (of, reason), count in self._of_splits.items() if of == split})
            for split in SPLITS
        }
        return {split: _falling(totals) for split, totals in counts.items() if totals}

    def close(self) -> None:
        """Write what is left; rows can be read from now on, and no more added."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __iter__(self) -> Iterator[Rejected]:
        if self._file is not None:
            self._file.flush()
        with self.path.open("rb") as file:
            for line in file:
                yield Rejected(**orjson.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _falling(totals: Counter[str]) -> dict[str, int]:
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _line(rejected: Rejected) -> bytes:
    return orjson.dumps(asdict(rejected), option=orjson.OPT_APPEND_NEWLINE)
