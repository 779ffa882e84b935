"""How a workflow says what it is doing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ranker.data.tally import Tally

__all__ = ["Progress", "Stage", "Timed", "watching"]

_SECONDS = 0.3


class Stage(Protocol):
    """A piece of work under way."""

    def update(self, done: int, total: int, note: str = "") -> None:
        """Say how far it is, and optionally a figure worth showing."""

    def count(self, done: int, of: str, total: int | None = None, note: str = "") -> None:
        """Say how many rows, lists, ... (`of`) are done, and of how many if that is known; the rate is shown."""


class Progress(Protocol):
    """Where progress is shown."""

    def stage(self, what: str) -> AbstractContextManager[Stage]:
        """Show `what` while the block runs, and how long it took at its end."""


class Timed:
    """Progress that also keeps how long each stage took.

    Attributes:
        seconds: wall time of the stages that have ended, in their order.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, what: str) -> Iterator[Stage]:
        """As the progress that it was made of."""
        started = time.perf_counter()
        with self._progress.stage(what) as stage:
            yield stage
        self.seconds[what] = round(time.perf_counter() - started, 3)


@contextmanager
def watching(stage: Stage, tally: Tally, of: str, total: int | None) -> Iterator[None]:
    """Show what others add to a tally while the block runs.

    Args:
        stage: where.
        tally: what they add to.
        of: what is counted.
        total: how much it will be, if that is known.
    """
    ended = threading.Event()

    def tell() -> None:
        added = tally.total()  # twice what a worker did that was lost
        stage.count(added if total is None else min(added, total), of, total)

    def watch() -> None:
        while not ended.wait(_SECONDS):
            tell()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    tell()
