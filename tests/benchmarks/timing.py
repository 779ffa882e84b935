"""Two pieces of work side by side: ratios hold on a noisy machine, absolute times do not."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

__all__ = ["ratio"]


def ratio(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 15) -> float:
    """Median over rounds of our time divided by theirs, the two taken in turn."""
    ours()
    theirs()
    return float(np.median([_seconds(ours) / _seconds(theirs) for _ in range(rounds)]))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
