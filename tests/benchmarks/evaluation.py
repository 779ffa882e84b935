"""The whole of `ranker evaluate` on score tables: 1,000 draws, 5 metrics, 2 models and 24 slices.

`python -m tests.benchmarks.evaluation 100000 400000` measures so many lists of 20 documents; above two million
documents they are read in parts.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eval.resampling import poisson_weights
from eval.sums import sums_of_slices
from tests.benchmarks.timing import ratio

__all__ = ["evaluate_at", "sums_against_plain_numpy"]

_DOCUMENTS = 20
_BLOCK = 10_000  # lists
_METRICS = ("ndcg@10", "mrr@10", "map", "p@5", "err@10")
_SLICES = ("category", "{feature: price, buckets: quartile, scope: document}")
_PEAK = "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], check=True)\n"
_PEAK += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"


def evaluate_at(folder: Path, lists: int) -> tuple[float, float]:
    """Seconds from the start of the process to its end, and its peak of memory in MiB."""
    path = folder / f"{lists}.parquet"
    _write(path, lists)
    command = [sys.executable, "-c", _PEAK, sys.executable, "-m", "ranker", "evaluate", str(path), "--baseline=a"]
    command += ["--model=a", "--model=b", *(f"--metric={metric}" for metric in _METRICS)]
    command += [f"--slice={one}" for one in _SLICES]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, int(done.stdout.splitlines()[-1]) / 1024


def _write(path: Path, lists: int) -> None:
    """A score table of two models, the second one noisier."""
    rng = np.random.default_rng(0)
    with pq.ParquetWriter(path, _rows(rng, 0, 1).schema) as writer:
        for first in range(0, lists, _BLOCK):
            writer.write_table(_rows(rng, first, min(_BLOCK, lists - first)))


def _rows(rng: np.random.Generator, first: int, lists: int) -> pa.Table:
    size = lists * _DOCUMENTS
    labels = rng.integers(0, 4, size) * (rng.random(size) < 0.3)
    good = labels + 2 * rng.normal(size=size)
    categories = np.array([f"category {number}" for number in range(20)], dtype=object)
    return pa.table(
        {
            "query_id": np.repeat(np.arange(first, first + lists), _DOCUMENTS),
            "document_id": np.tile(np.arange(_DOCUMENTS), lists),
            "label": labels.astype(np.float32),
            "a": good.astype(np.float32),
            "b": (good + rng.normal(size=size)).astype(np.float32),
            "category": pa.array(np.repeat(categories[rng.integers(0, 20, lists)], _DOCUMENTS), pa.string()),
            "price": rng.random(size).astype(np.float32),
        }
    )


def sums_against_plain_numpy(lists: int = 10_000, draws: int = 1000) -> float:
    """Time of all sums of 20 slices of 10 series, over that of resampled means of all lists alone by plain numpy.

    Plain numpy has one matrix of weights in memory, here 80 MB, and neither signs nor slices.
    """
    rng = np.random.default_rng(0)
    values, ids = rng.random((lists, 10)), np.array([f"q{number}" for number in range(lists)], dtype=object)
    codes = rng.integers(0, 20, lists)
    members = [np.arange(lists), *(np.flatnonzero(codes == code) for code in range(20))]
    slices = [(chosen, values[chosen]) for chosen in members]

    def plain() -> np.ndarray:
        weights = rng.poisson(1, (draws, lists)).astype(np.float64)
        return weights @ values / weights.sum(axis=1, keepdims=True)

    found = sums_of_slices(slices[:1], ids, 20)[0].resampled_x
    np.testing.assert_allclose(found, poisson_weights(ids, 20, 0).T.astype(float) @ values, rtol=1e-12)
    return ratio(lambda: sums_of_slices(slices, ids, draws), plain, rounds=5)


def main() -> None:
    """Measure all of these."""
    print(f"sums of 21 slices x 10 series / plain numpy of all lists: {sums_against_plain_numpy():.2f}")
    with tempfile.TemporaryDirectory() as folder:
        for lists in [int(size) for size in sys.argv[1:]] or [100_000]:
            seconds, memory = evaluate_at(Path(folder), lists)
            print(f"evaluate {lists:,} lists x {_DOCUMENTS}, 24 slices: {seconds:.1f} s, peak {memory:,.0f} MiB")


if __name__ == "__main__":
    main()
