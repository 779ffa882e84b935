"""Success, also known as hits: whether there is a relevant document, exact under ties."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.metrics.cascade import stopping
from eval.metrics.judgements import BinaryMetric
from eval.ragged import FloatArray
from eval.ranking import Ranking

__all__ = ["Success"]


@dataclass(frozen=True)
class Success(BinaryMetric):
    """Success@k: 1 if a relevant document stands in the first k positions, else 0; under ties the share of orders.

    Without k: whether the list holds one at all.
    """

    name: ClassVar[str] = "success"

    def _figures(self, ranking: Ranking) -> FloatArray:
        top, stops = stopping(ranking, self._is_relevant(ranking.labels).astype(np.float64), self.k)
        return np.minimum(top.sums(stops), 1.0)  # rounding of the sum: a last bit above 1
