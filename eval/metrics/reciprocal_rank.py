"""Reciprocal rank, exact under ties."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.metrics.cascade import stopping
from eval.metrics.judgements import BinaryMetric
from eval.ragged import FloatArray
from eval.ranking import Ranking

__all__ = ["ReciprocalRank"]


@dataclass(frozen=True)
class ReciprocalRank(BinaryMetric):
    """RR@k: 1 / position of the first relevant document, 0 if it is not in the first k. Its mean over lists is MRR.

    Voorhees, TREC-8 1999. Where the first relevant document is tied, the mean over all orders of its group: a reader
    who stops at relevant documents only (`eval.metrics.cascade`).
    """

    name: ClassVar[str] = "mrr"

    def _figures(self, ranking: Ranking) -> FloatArray:
        top, stops = stopping(ranking, self._is_relevant(ranking.labels).astype(np.float64), self.k)
        return top.sums(stops / top.positions)
