"""LETOR files: writing and parsing them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_svmlight_file

from ranker.data.letor.blocks import read_letor
from tests.benchmarks.timing import ratio

__all__ = ["FEATURES", "parsing_against_scikit_learn", "write_letor"]

FEATURES = 136
_DOCUMENTS_PER_LIST = 100


def write_letor(path: Path, documents: int) -> None:
    """A dense file, the numbers of a block of lists used again and again under other query ids."""
    rng = np.random.default_rng(0)
    block = min(documents, 10_000)
    numbers = rng.normal(size=(block, FEATURES)).astype(np.float32)
    rows = [" ".join(f"{i}:{x:.6g}" for i, x in enumerate(row, start=1)) for row in numbers]
    labels = rng.integers(0, 5, block)
    with path.open("w") as file:
        for first in range(0, documents, block):
            lines = (
                f"{labels[at]} qid:{(first + at) // _DOCUMENTS_PER_LIST} {rows[at]}\n"
                for at in range(min(block, documents - first))
            )
            file.writelines(lines)


def parsing_against_scikit_learn(folder: Path) -> float:
    """20,000 dense documents: our streaming reader against `load_svmlight_file`."""
    path = folder / "parse.txt"
    write_letor(path, 20_000)

    def ours() -> int:
        blocks = read_letor(path, features=FEATURES, base=1, documents_per_block=20_000)
        return sum(len(block.labels) for block, _ in blocks)

    def theirs() -> int:
        return load_svmlight_file(str(path), query_id=True, dtype=np.float32)[0].shape[0]

    assert ours() == theirs() == 20_000
    return ratio(ours, theirs, rounds=5)
