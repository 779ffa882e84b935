"""Short names of files, for messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

__all__ = ["file_names"]


def file_names(paths: Iterable[Path]) -> dict[Path, str]:
    """The name of each file, with as many of the folders above it as tell files of one name apart.

    >>> file_names([Path("a/x.csv"), Path("b/x.csv"), Path("b/y.csv")])
    {PosixPath('a/x.csv'): 'a/x.csv', PosixPath('b/x.csv'): 'b/x.csv', PosixPath('b/y.csv'): 'y.csv'}
    """
    distinct = list(dict.fromkeys(paths))
    alike: dict[str, list[Path]] = defaultdict(list)
    for path in distinct:
        alike[path.name].append(path)
    tails = {path: _tail(path, _depth(alike[path.name])) for path in distinct}
    return {path: "/".join(tail) for path, tail in tails.items()}


def _depth(paths: list[Path]) -> int:
    """How many parts from the end tell the paths apart."""
    most = max(len(path.parts) for path in paths)
    depths = (depth for depth in range(1, most) if len({_tail(path, depth) for path in paths}) == len(paths))
    return next(depths, most)


def _tail(path: Path, depth: int) -> tuple[str, ...]:
    return tuple(path.parts[-depth:])
