"""Rows that cannot be used: set aside with the place and the reason, never lost in silence."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rejected"]

_LONGEST_ROW = 1000


@dataclass(frozen=True)
class Rejected:
    """A row of a source that makes no document of a list.

    Attributes:
        file: name of its file, with the folders above it that tell it apart from others of the same name.
        line: 1-based line (text formats) or row (Parquet) in the file.
        reason: a short fixed phrase, the same for all rows with this fault, e.g. "unknown document id".
        row: the row as read, cut to 1,000 characters.
    """

    file: str
    line: int
    reason: str
    row: str

    @classmethod
    def of(cls, file: str, line: int, reason: str, row: str) -> Rejected:
        """A rejected row, cut to its length."""
        return cls(file, line, reason, row[:_LONGEST_ROW])
