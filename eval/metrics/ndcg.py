"""Normalised discounted cumulative gain, exact under ties."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.metrics.dcg import GainMetric, discounted
from eval.ragged import FloatArray
from eval.ranking import Ranking

__all__ = ["NDCG"]


@dataclass(frozen=True)
class NDCG(GainMetric):
    """NDCG@k: DCG over the DCG of the ideal, the known documents in order of falling label (`eval.metrics.dcg.DCG`).

    Jarvelin and Kekalainen, TOIS 2002. In [0, 1]; undefined where no known document has a gain.

    >>> from eval.lists import Lists
    >>> one = Lists(np.array(["q"]), np.array([0, 2]), np.array([0.0, 1.0]))
    >>> NDCG(k=1).per_list(one, np.array([0.1, 0.9])).tolist(), NDCG(k=1).per_list(one, np.zeros(2)).tolist()
    ([1.0], [0.5])
    """

    name: ClassVar[str] = "ndcg"

    def _figures(self, ranking: Ranking) -> FloatArray:
        found = self._dcg(ranking)
        ragged, labels = self._ideal(ranking.lists)
        top, slots = ragged.first(self.k)
        ideal = discounted(top, self._gains(labels[slots]))
        ratio = np.divide(found, ideal, out=np.zeros(len(found)), where=ideal > 0)
        return np.minimum(ratio, 1.0)  # tied documents add up in another order than the ideal: a last bit above 1
