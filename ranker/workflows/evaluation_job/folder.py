"""The folder through which workers and whoever started them tell each other results."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ranker.errors import RankerError

__all__ = ["SharedFolder"]


class SharedFolder:
    """A folder that all workers see. Files appear whole; made anew, they are the same.

    Args:
        path: an empty folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, *names: str) -> Path:
        """The path of a file, in folders that are there afterwards."""
        path = self.path.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, path: Path, write: Callable[[Path], None]) -> None:
        """Write a file under another name, then give it its own."""
        new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        write(new)
        if new.exists():
            new.replace(path)

    def put(self, name: str, value: Any) -> None:
        """Keep a value for whoever started the job."""
        self.write(self.file(name), lambda path: _keep(path, value))

    def take(self, name: str) -> Any:
        """The value, which is not kept any longer."""
        path = self.file(name)
        value = pickle.loads(path.read_bytes())  # noqa: S301 - workers of this job wrote it
        path.unlink()
        return value

    @contextmanager
    def faults_kept(self, order: int) -> Iterator[None]:
        """Keep what is wrong with the user's input, and go on without an error: it is told once the job has ended.

        A runner would try an error again, and tell of it in its own way.

        Args:
            order: of several faults, that of the lowest is told.
        """
        try:
            yield
        except (ValueError, RankerError) as error:
            text = str(error)
            self.write(self.file("faults", f"{order:08d}"), lambda path: _write_text(path, text))

    @property
    def faulty(self) -> bool:
        """Whether there is a fault, so that nothing more need be done."""
        return (self.path / "faults").exists()

    @contextmanager
    def faults_told(self) -> Iterator[None]:
        """Raise what was kept, when the job in the block has ended.

        Raises:
            ValueError: with the message of the fault.
        """
        try:
            yield
        finally:
            if kept := sorted((self.path / "faults").glob("[0-9]*")):
                raise ValueError(kept[0].read_text(encoding="utf-8"))


def _keep(path: Path, value: Any) -> None:
    path.write_bytes(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
