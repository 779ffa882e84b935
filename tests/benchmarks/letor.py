"""LETOR files: parsing, and the whole of `prepare` at growing sizes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_svmlight_file

from ranker.data.letor import read_letor
from tests.benchmarks.timing import ratio

__all__ = ["FEATURES", "parsing_against_scikit_learn", "prepare_at", "write_letor"]

FEATURES = 136
_DOCUMENTS_PER_LIST = 100
_SPEC = """\
version: 1
data: {sources: [{kind: letor, train: rank.txt, test: rank.txt}], split: {valid: 0.1}}
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""


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


def prepare_at(folder: Path, documents: int) -> tuple[float, float]:
    """Documents a second, all steps and imports counted, and peak memory in MiB of `ranker prepare`."""
    place = folder / f"prepare-{documents}"
    place.mkdir()
    write_letor(place / "rank.txt", documents)
    (place / "ranker.yaml").write_text(_SPEC)
    command = [sys.executable, "-m", "ranker", "prepare", str(place / "ranker.yaml"), "--out", str(place / "dataset")]
    script = (
        "import resource, subprocess, sys; "
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    pages = 1 if sys.platform == "darwin" else 1024
    return 2 * documents / seconds, int(done.stdout) * pages / 2**20  # the file is read as train and as test
