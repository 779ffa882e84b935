"""Files of one name are told apart by their folders, with as few of them as it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ranker.data.file_names import file_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/data/a.csv", "/data/b.csv"], ["a.csv", "b.csv"]),
        (["/data/x/a.csv", "/data/y/a.csv", "/data/b.csv"], ["x/a.csv", "y/a.csv", "b.csv"]),
        (["/1/x/a.csv", "/2/x/a.csv", "/2/y/a.csv"], ["1/x/a.csv", "2/x/a.csv", "2/y/a.csv"]),
        (["x/a.csv", "a.csv"], ["x/a.csv", "a.csv"]),
        (["/x/a.csv", "/x/a.csv"], ["a.csv", "a.csv"]),
        (["/a.csv", "a.csv"], ["//a.csv", "a.csv"]),
        ([], []),
    ],
)
def test_names(paths, names):
    found = file_names(Path(path) for path in paths)
    assert [found[Path(path)] for path in paths] == names
