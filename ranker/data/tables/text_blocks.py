"""Text files in blocks of whole lines, unpacked on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ranker.data.data_error import DataError
from ranker.data.files import open_unpacked

__all__ = [
    "LONGEST_ROW",
    "Block",
    "end_of_lines",
    "end_of_quoted_lines",
    "filled_lines",
    "line_starts",
    "text_blocks",
]

_READ = 2 << 20  # bytes of a block
LONGEST_ROW = 16 << 20  # bytes

_NEWLINE, _RETURN, _QUOTE = b"\n"[0], b"\r"[0], b'"'[0]
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Whole lines of a file, each ended by a newline; the first of them is line `first` (from 1)."""

    data: bytes
    first: int


def text_blocks(path: Path, end_of_rows: Callable[[bytes], int]) -> Iterator[Block]:
    """The text of a file, unpacked if its name ends in .gz or .zst.

    Args:
        path: the file.
        end_of_rows: the place behind the last whole row of some text that starts with a row; 0 if there is none.

    Raises:
        DataError: if the file cannot be read, saying how far it could; if no row ends within `LONGEST_ROW`.
    """
    line, done, pending = 1, 0, b""
    try:
        with open_unpacked(path) as stream:
            while read := stream.read(_READ):
                pending += read if done else read.removeprefix(_BYTE_ORDER_MARK)
                done += len(read)
                if end := _end(path, line, pending, end_of_rows):
                    yield Block(pending[:end], line)
                    line += pending.count(b"\n", 0, end)
                    pending = pending[end:]
    except OSError as error:
        reached = line + pending.count(b"\n")
        far = f" on from line {reached:,}, after {done:,} bytes of text" if done else ""
        reason = error.strerror or error
        raise DataError(f"{path}: cannot read{far}: {reason}; the spec's data.sources names this file") from None
    if pending:
        yield Block(pending if pending.endswith(b"\n") else pending + b"\n", line)


def _end(path: Path, line: int, pending: bytes, end_of_rows: Callable[[bytes], int]) -> int:
    end = end_of_rows(pending)
    if end or len(pending) <= LONGEST_ROW:
        return end
    if end := end_of_lines(pending):  # a quote that nothing closes
        return end
    raise DataError(f"{path}:{line}: line of more than {LONGEST_ROW >> 20} MB; expected one row per line")


def end_of_lines(data: bytes) -> int:
    """The place behind the last newline."""
    return data.rfind(b"\n") + 1


def end_of_quoted_lines(data: bytes) -> int:
    """The place behind the last newline that is not within quotes."""
    if b'"' not in data:
        return end_of_lines(data)
    starts = _starts_outside_quotes(data)
    return int(starts[-1]) if len(starts) else 0


def line_starts(data: bytes, *, quoted: bool) -> npt.NDArray[np.int64]:
    """Where the lines of a block start, and at last where it ends; with `quoted`, newlines in quotes end no line."""
    if quoted and b'"' in data:
        after = _starts_outside_quotes(data)
    else:
        after = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
    return np.concatenate([[0], after])


def filled_lines(data: bytes, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Places of the lines, as `line_starts` gives them, that are not empty."""
    lengths = np.diff(starts)
    empty = (lengths == 1) | ((lengths == 2) & (np.frombuffer(data, np.uint8)[starts[:-1]] == _RETURN))
    return np.flatnonzero(~empty)


def _starts_outside_quotes(data: bytes) -> npt.NDArray[np.int64]:
    """The places behind newlines with an even number of quotes before them."""
    array = np.frombuffer(data, np.uint8)
    newlines, quotes = np.flatnonzero(array == _NEWLINE), np.flatnonzero(array == _QUOTE)
    return newlines[np.searchsorted(quotes, newlines) % 2 == 0] + 1
