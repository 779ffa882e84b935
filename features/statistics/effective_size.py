"""As how many independent rows some count that come in groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["effective_size"]


def effective_size(groups: npt.NDArray[np.uint64]) -> float:
    """As how many independent rows those of some groups count, at the least.

    Rows of a group may be all alike: then they count as one, and groups of n(i) rows as (sum of n(i))^2 / (sum of
    n(i)^2), the effective sample size of Kish (1965).

    Args:
        groups: which group each row is of, `[rows]`.
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(np.float64)
    return float(sizes.sum() ** 2 / np.square(sizes).sum()) if len(sizes) else 0.0
