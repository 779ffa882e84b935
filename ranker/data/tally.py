"""A count that several processes of a machine add to, for whoever shows how far they are."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

__all__ = ["Tally"]


class Tally:
    """The sum of what was added by all who have this tally or a pickled copy of it.

    Each thread that adds has a small file of its own in the folder, so that nobody waits for anybody. Where workers
    do not share the folder, as on other machines, their part is missing from `total`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name = uuid.uuid4().hex
        self._own: dict[int, int] = {}

    def add(self, count: int) -> None:
        """Add to the sum."""
        thread = threading.get_ident()
        self._own[thread] = self._own.get(thread, 0) + count
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{self._name}-{thread}"
        with path.open("r+b" if path.exists() else "wb") as file:
            file.write(self._own[thread].to_bytes(8, "little"))

    def total(self) -> int:
        """The sum so far."""
        files = self._directory.iterdir() if self._directory.exists() else ()
        return sum(int.from_bytes(file.read_bytes(), "little") for file in files)

    def __reduce__(self) -> tuple[type[Tally], tuple[Path]]:
        return Tally, (self._directory,)
