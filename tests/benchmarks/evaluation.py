"""The whole of `ranker evaluate` on score tables: 1,000 draws, 5 metrics, 2 models and 24 slices.

`python -m tests.benchmarks.evaluation 100000 400000` measures so many lists of 20 documents; above two million
documents they are read in parts. `python -m tests.benchmarks.evaluation --beam 100000` does it as Beam jobs, too.
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

__all__ = ["beam_against_memory", "evaluate_at", "sums_against_plain_numpy"]

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
    return _evaluated(path)


def beam_against_memory(folder: Path, lists: int, shards: int = 8) -> dict[str, tuple[float, float]]:
    """As `evaluate_at`, of so many shards without Beam and by its jobs, in one process and in two workers.

    Memory is that of the largest process.
    """
    source = folder / f"shards-{lists}"
    source.mkdir()
    for number in range(shards):
        _write(source / f"{number}.parquet", lists // shards, lists // shards * number)
    workers = ["--runner=FnApiRunner", "--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    return {
        "without Beam": _evaluated(source),
        "in process": _evaluated(source, "--runner=FnApiRunner"),
        "2 workers": _evaluated(source, *workers),
    }


def _evaluated(path: Path, *options: str) -> tuple[float, float]:
    command = [sys.executable, "-c", _PEAK, sys.executable, "-m", "ranker", "evaluate", str(path), "--baseline=a"]
    command += ["--model=a", "--model=b", *(f"--metric={metric}" for metric in _METRICS)]
    command += [*(f"--slice={one}" for one in _SLICES), *options]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, int(done.stdout.splitlines()[-1]) / 1024


def _write(path: Path, lists: int, first: int = 0) -> None:
    """A score table of two models, the second one noisier; lists are numbered from `first`."""
    rng = np.random.default_rng(first)
    with pq.ParquetWriter(path, _rows(rng, 0, 1).schema) as writer:
        for block in range(0, lists, _BLOCK):
            writer.write_table(_rows(rng, first + block, min(_BLOCK, lists - block)))


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
    beam, given = sys.argv[1:2] == ["--beam"], sys.argv[1:]
    sizes = [int(size) for size in given[beam:]] or [100_000]
    with tempfile.TemporaryDirectory() as folder:
        if beam:
            for lists in sizes:
                _tell_beam(Path(folder), lists)
            return
        print(f"sums of 21 slices x 10 series / plain numpy of all lists: {sums_against_plain_numpy():.2f}")
        for lists in sizes:
            seconds, memory = evaluate_at(Path(folder), lists)
            print(f"evaluate {lists:,} lists x {_DOCUMENTS}, 24 slices: {seconds:.1f} s, peak {memory:,.0f} MiB")


def _tell_beam(folder: Path, lists: int) -> None:
    found = beam_against_memory(folder, lists)
    plain, _ = found["without Beam"]
    for how, (seconds, memory) in found.items():
        times = f"{seconds / plain:.2f} times as long"
        print(f"evaluate {lists:,} lists x {_DOCUMENTS}, {how}: {seconds:.1f} s ({times}), peak {memory:,.0f} MiB")


if __name__ == "__main__":
    main()
