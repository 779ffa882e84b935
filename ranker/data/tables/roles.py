"""Which files and columns of a source of tables play which role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ranker.data.data_error import DataError
from ranker.data.file_names import file_names
from ranker.data.split import SPLITS, SplitName
from ranker.data.tables.files import column_names, table_paths
from ranker.spec import ClicksSource, Spec, SplitFiles, TableCandidates, TableSource, TablesSource

__all__ = ["TableFiles", "source_paths", "table_files", "timestamp_and_weight"]


@dataclass(frozen=True)
class TableFiles:
    """The files of a table.

    Attributes:
        paths: of the files; their places are their numbers.
        names: what each is called where rejected rows are told.
        splits: the split of each, as its place in SPLITS, if they are split already; else none.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    splits: tuple[int, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[Path]) -> TableFiles:
        """Files without splits, called by their own names."""
        paths = tuple(paths)
        names = file_names(paths)
        return cls(paths, tuple(names[path] for path in paths))


def table_files(spec: Spec) -> dict[str, TableFiles]:
    """The files of the source by their role: queries, documents, judgments and maybe candidates; or table.

    The judgments of a log of clicks are its impressions.

    Raises:
        DataError: if one is not there, in no known format, or in two splits.
    """
    found = {role: list(_found(spec, files)) for role, files in _named(spec).items()}
    for files in found.values():
        _refuse_twice(files)
    names = file_names(path for files in found.values() for path, _ in files)
    return {
        role: TableFiles(
            tuple(path for path, _ in files),
            tuple(names[path] for path, _ in files),
            tuple(SPLITS.index(split) for _, split in files if split is not None),
        )
        for role, files in found.items()
    }


def source_paths(spec: Spec) -> dict[str, list[Path]]:
    """The files of `table_files` alone."""
    return {role: list(files.paths) for role, files in table_files(spec).items()}


def timestamp_and_weight(spec: Spec, files: dict[str, TableFiles]) -> dict[str, tuple[str, ...]]:
    """Which of "weight" and "timestamp" are columns of the judgments, and which of the queries.

    Returns:
        the two, by the role of the table that has them.

    Raises:
        DataError: if neither has one that the spec names.
    """
    wanted = {what: getattr(spec.data, what) for what in ("weight", "timestamp") if getattr(spec.data, what)}
    roles = ("judgments", "queries")
    there = {role: column_names(list(files[role].paths)) if wanted else [] for role in roles}
    having: dict[str, tuple[str, ...]] = dict.fromkeys(roles, ())
    for what, name in wanted.items():
        role = next((role for role in roles if name in there[role]), None)
        if role is None:
            told = [f"{files[role].paths[0]} has {', '.join(there[role])}" for role in roles]
            raise DataError(f"no column {name!r}, the data.{what} of the spec, in either table: {'; '.join(told)}")
        having[role] += (what,)
    return having


def _named(spec: Spec) -> dict[str, str | SplitFiles]:
    source, candidates = spec.data.sources[0], spec.data.candidates
    if isinstance(source, TableSource):
        return {"table": source.file}
    if isinstance(source, ClicksSource):
        return {"queries": source.queries, "documents": source.documents, "judgments": source.impressions}
    if not isinstance(source, TablesSource):
        raise TypeError(f"a source of kind {source.kind!r} is not made of tables")
    named = {"queries": source.queries, "documents": source.documents, "judgments": source.judgments}
    return named | ({"candidates": candidates.file} if isinstance(candidates, TableCandidates) else {})


def _found(spec: Spec, files: str | SplitFiles) -> Iterator[tuple[Path, SplitName | None]]:
    """The files, each with its split if it has one."""
    if isinstance(files, str):
        for path in table_paths(spec.path(files)):
            yield path, None
        return
    for split in SPLITS:
        named = getattr(files, split)
        for path in table_paths(spec.path(named)) if named is not None else []:
            yield path, split


def _refuse_twice(files: list[tuple[Path, SplitName | None]]) -> None:
    splits: dict[Path, SplitName | None] = {}
    for path, split in files:
        if path in splits:
            raise DataError(f"{path}: is a file of the {splits[path]} split and of the {split} split; expected one")
        splits[path] = split
