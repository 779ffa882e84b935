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
from tests.benchmarks.trees import trees_against_lightgbm

_SIZES = [int(size) for size in sys.argv[1:]] or [10_000, 100_000]  # documents


def say(what: str, figure: str) -> None:
    """One line of the report."""
    print(f"{what:<48} {figure}", flush=True)


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
        for source in SOURCES:
            for documents in _SIZES:
                rate, memory = prepare_at(folder, source, documents)
                say(
                    f"prepare: {source}, {documents:,} documents x 136",
                    f"{rate:,.0f} a second, peak {memory:,.0f} MiB",
                )


main()
