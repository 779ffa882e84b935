"""The files of a source that may have files for each split."""

from __future__ import annotations

from pathlib import Path

from ranker.data.data_error import DataError
from ranker.data.files import matching_files
from ranker.data.split import SPLITS, SplitName, SplitRule
from ranker.spec import ElwcSource, LetorSource, Spec

__all__ = ["split_paths", "splits_of_file"]


def split_paths(spec: Spec, source: LetorSource | ElwcSource) -> dict[SplitName, list[Path]]:
    """The files by the split under which the source names them.

    Raises:
        DataError: if one is not there, or of two splits.
    """
    given = {split: getattr(source, split) for split in SPLITS}
    found = {split: matching_files(spec.path(named)) for split, named in given.items() if named is not None}
    splits: dict[Path, SplitName] = {}
    for split, paths in found.items():
        for path in paths:
            if path in splits:
                raise DataError(f"{path}: is a file of the {splits[path]} split and of the {split} split; expected one")
            splits[path] = split
    return found


def splits_of_file(rule: SplitRule, number: int) -> set[SplitName]:
    """The splits that the lists of a file, by its number, may be of."""
    if not rule.files:
        return set(SPLITS)
    code = rule.files[number]
    return {"train", "valid"} if code == 0 and 1 not in rule.files else {SPLITS[code]}
