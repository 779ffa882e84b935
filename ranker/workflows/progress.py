"""How a workflow says what it is doing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Progress", "Stage"]


class Stage(Protocol):
    """A piece of work under way."""

    def update(self, done: int, total: int, note: str = "") -> None:
        """Say how far it is, and optionally a figure worth showing."""

    def count(self, rows: int) -> None:
        """Say how many rows are done, where nobody knows how many there are."""


class Progress(Protocol):
    """Where progress is shown."""

    def stage(self, what: str) -> AbstractContextManager[Stage]:
        """Show `what` while the block runs, and how long it took at its end."""
