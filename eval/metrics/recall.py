"""Recall, exact under ties."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.metrics.judgements import BinaryMetric
from eval.ragged import FloatArray
from eval.ranking import Ranking

__all__ = ["Recall"]


@dataclass(frozen=True)
class Recall(BinaryMetric):
    """Recall@k: the share of a query's relevant documents that the first k positions hold; all positions without k."""

    name: ClassVar[str] = "recall"

    def _figures(self, ranking: Ranking) -> FloatArray:
        top, relevant = self._relevance_within(ranking)
        share = top.sums(relevant) / np.maximum(self._relevant(ranking.lists), 1)
        return np.minimum(share, 1.0)  # rounding of the sum under ties: a last bit above 1
