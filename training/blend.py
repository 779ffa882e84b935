"""Weights of the blend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eval.lists import Lists

__all__ = ["average_weights"]


def average_weights(members: Sequence[str], scores: Mapping[str, np.ndarray], lists: Lists) -> dict[str, float]:
    """Weights that make the blend the plain average of members, each scaled to unit spread within lists.

    Args:
        members: names of the members that count.
        scores: float64 `[documents]` per member, on the validation lists.
        lists: the validation lists.

    Returns:
        weight per member: 1 / (number of members * root mean square deviation from the list's mean). 0 for a member
        whose scores are all the same but for rounding: it orders nothing, and would drown the others.
    """
    spreads = {name: _spread_within_lists(scores[name], lists) for name in members}
    least = {name: np.finfo(np.float32).eps * np.max(np.abs(scores[name])) for name in members}
    return {name: 1 / (len(members) * s) if s > least[name] else 0.0 for name, s in spreads.items()}


def _spread_within_lists(scores: np.ndarray, lists: Lists) -> float:
    row = np.repeat(np.arange(len(lists)), lists.sizes)
    means = np.bincount(row, weights=scores) / lists.sizes
    return float(np.sqrt(np.mean((scores - means[row]) ** 2)))
