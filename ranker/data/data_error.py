"""The error of data that cannot be used at all."""

from __future__ import annotations

from ranker.errors import RankerError

__all__ = ["DataError"]


class DataError(RankerError):
    """The data cannot be used; the message says which file and row, what was expected and found."""
