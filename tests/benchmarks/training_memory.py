"""Peak memory of reading and training, each way in a process of its own; Linux only.

`python -m tests.benchmarks.training_memory SMALL LARGE [FOLDER]` is such a process: it prints MiB as JSON.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from eval.metrics import parse_metric
from ranker.spec import Dnn, Training
from tests.benchmarks.training_data import LAYOUT, sizes_of, write_lists
from training.examples import read_examples
from training.fit import fit_network
from training.settings import settle

__all__ = ["peak_memory"]

_LISTS = 3_000
_SECONDS = 0.01  # between two looks
_MEMORY = re.compile(r"^(RssAnon|RssFile):\s+(\d+) kB$", re.MULTILINE)


def peak_memory(folder: Path, *, mapped: bool) -> dict[str, float]:
    """MiB that reading 3,000 lists of 20 to 200 documents with 136 numbers, and an epoch, need at most.

    Args:
        folder: for the files.
        mapped: whether the arrays lie in mapped files.

    Returns:
        `data`: size of the numbers; `own`: memory that only this process has, above what it has after a training on 64
        lists; `whole`: all of that and what it has mapped, which the system takes back when it wants to.
    """
    small, large = folder / "packed-small", folder / "packed-large"
    sizes = sizes_of("even", _LISTS)
    if not large.exists():
        write_lists(small, sizes[:64], packed=True)
        write_lists(large, sizes, packed=True)
    command = [sys.executable, "-m", "tests.benchmarks.training_memory", str(small), str(large)]
    command += [str(folder / "mapped-large")] if mapped else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"data": int(sizes.sum()) * len(LAYOUT.dense) * 4 / 2**20, **json.loads(done.stdout)}


class _Peak(threading.Thread):
    """Looks at this process's memory again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own = self.whole = 0.0

    def run(self) -> None:
        """Until the process ends."""
        while True:
            own, file = _memory()
            self.own, self.whole = max(self.own, own), max(self.whole, own + file)
            time.sleep(_SECONDS)


def _memory() -> tuple[float, float]:
    """Own and mapped memory, MiB."""
    found = dict(_MEMORY.findall(Path("/proc/self/status").read_text()))
    return int(found["RssAnon"]) / 2**10, int(found["RssFile"]) / 2**10


def _train(path: Path, folder: Path | None) -> None:
    examples = read_examples([path], LAYOUT, folder)
    network = Dnn(name="dnn", kind="dnn", layers=[256, 128, 64])
    settings = settle(network, Training(epochs=1, batch_size=32), len(examples), 0)
    fit_network(network, settings, examples, None, parse_metric("ndcg@10"), lambda *_: None)


def _main(small: str, large: str, folder: str | None = None) -> None:
    _train(Path(small), None)
    before, peak = _memory(), _Peak()
    peak.start()
    _train(Path(large), None if folder is None else Path(folder))
    print(json.dumps({"own": peak.own - before[0], "whole": peak.whole - sum(before)}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
