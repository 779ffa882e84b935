"""`make bench`: ratios, each measured side by side in one run, with the bar it is held against.

`python -m tests.benchmarks 100000 1000000` prepares so many documents instead of the default.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from tests.benchmarks.inputs import reading_against_tensorflow_ranking
from tests.benchmarks.letor import parsing_against_scikit_learn
from tests.benchmarks.metrics import ndcg_against_numpy, ndcg_against_others
from tests.benchmarks.prepare import SOURCES, prepare_at
from tests.benchmarks.training import bucket_gains, padding, starvation
from tests.benchmarks.training_data import Sizes
from tests.benchmarks.training_memory import peak_memory
from tests.benchmarks.training_tensorflow_ranking import training_against_tensorflow_ranking
from tests.benchmarks.trees import trees_against_lightgbm

_SIZES = [int(size) for size in sys.argv[1:]] or [10_000, 100_000]  # documents


def say(what: str, figure: str) -> None:
    """One line of the report."""
    print(f"{what:<48} {figure}", flush=True)


def say_training(folder: Path) -> None:
    """Training: speed, waiting, padding and memory."""
    for name, times in training_against_tensorflow_ranking(folder):
        say(f"speed: training / TF-Ranking, {name}", f"{times} (higher is better)")
    for network, mapped in (("plain", False), ("plain", True), ("linear", False), ("self_attention", False)):
        share = starvation(folder, network, mapped=mapped, rounds=5)
        where = "mapped files" if mapped else "memory"
        say(f"speed: {network} from {where} / ready tensors", f"{share} (bar 0.9, higher is better)")
    kinds: tuple[Sizes, Sizes] = ("even", "skewed")
    for sizes in kinds:
        with_buckets, without = (padding(sizes, buckets=buckets) for buckets in (True, False))
        say(f"padded slots / documents, {sizes} sizes", f"{with_buckets:.2f}, without buckets {without:.2f}")
        for network in ("plain", "self_attention"):
            gain = bucket_gains(network, sizes, rounds=3)
            say(f"speed: {network}, {sizes} sizes, buckets / none", f"{gain} (higher is better)")
    for mapped in (False, True):
        found = {name: f"{figure:,.0f} MiB" for name, figure in peak_memory(folder, mapped=mapped).items()}
        say(
            f"peak memory of training, {'mapped files' if mapped else 'in memory'}",
            f"{found['own']} of its own, {found['whole']} with mapped files, for {found['data']} of numbers",
        )


def main() -> None:
    """Measure everything."""
    for rows in (100, 7_680):
        say(f"time: trees in the graph / LightGBM, {rows:,} rows", f"{trees_against_lightgbm(rows):.2f} (bar 1)")
    for what, tied in (("", False), (", many ties", True)):
        say(f"time: NDCG@10, ties averaged / plain numpy{what}", f"{ndcg_against_numpy(tied=tied):.2f} (bar 2.5)")
    for name, figure in ndcg_against_others().items():
        say(f"time: NDCG@10 / {name}", f"{figure:.2f}")
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        say("time: LETOR parsing / scikit-learn", f"{parsing_against_scikit_learn(folder):.2f} (bar 1)")
        speed = reading_against_tensorflow_ranking(folder)
        say("speed: packed examples / TF-Ranking's builder", f"{speed:.1f} (bar 8, higher is better)")
        say_training(folder)
        for source in SOURCES:
            for documents in _SIZES:
                rate, memory = prepare_at(folder, source, documents)
                say(
                    f"prepare: {source}, {documents:,} documents x 136",
                    f"{rate:,.0f} a second, peak {memory:,.0f} MiB",
                )


main()
