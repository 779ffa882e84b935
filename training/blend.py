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
        weight per member: 1 / (number of members * root mean square deviation from the list's mean).
    """
    return {name: 1 / (len(members) * max(_spread_within_lists(scores[name], lists), 1e-12)) for name in members}


def _spread_within_lists(scores: np.ndarray, lists: Lists) -> float:
    row = np.repeat(np.arange(len(lists)), lists.sizes)
    means = np.bincount(row, weights=scores) / lists.sizes
    return float(np.sqrt(np.mean((scores - means[row]) ** 2)))
