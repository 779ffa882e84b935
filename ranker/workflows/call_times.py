"""How long the canonical call takes, and how large a bundle is."""

from __future__ import annotations

import json
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ranker.bundle import GOLDEN, Scorer
from ranker.data.requests import parse_request

__all__ = ["bundle_megabytes", "time_calls"]

_CALLS = 1000  # an interval of the 99th percentile needs 368
_SECONDS = 30.0


def time_calls(scorer: Scorer, bundle: Path) -> npt.NDArray[np.float64]:
    """Milliseconds of calls for the golden requests of a bundle in turn, each scored once before.

    Args:
        scorer: of the bundle.
        bundle: its folder.

    Returns:
        float64 `[calls]`, 1,000 of them or as many as fit into 30 seconds.
    """
    lines = (bundle / GOLDEN).read_text(encoding="utf-8").split("\n")
    requests = [parse_request(json.loads(line)["request"], scorer.columns) for line in lines if line]
    for request in requests:
        scorer.score(request)
    times: list[float] = []
    end = time.perf_counter() + _SECONDS
    for request in cycle(requests):
        started = time.perf_counter()
        scorer.score(request)
        times.append(1000 * (time.perf_counter() - started))
        if len(times) == _CALLS or started > end:
            break
    return np.array(times)


def bundle_megabytes(bundle: Path) -> float:
    """Size of all files of a bundle, in 10^6 bytes."""
    return sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) / 1e6
