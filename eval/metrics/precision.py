"""Precision at a cutoff, exact under ties."""

from dataclasses import dataclass
from typing import ClassVar, cast

from eval.metrics.judgements import BinaryMetric
from eval.ragged import FloatArray
from eval.ranking import Ranking

__all__ = ["Precision"]


@dataclass(frozen=True)
class Precision(BinaryMetric):
    """P@k: relevant documents in the first k positions, divided by k, also where the list is shorter (trec_eval)."""

    name: ClassVar[str] = "p"
    needs_cutoff: ClassVar[bool] = True

    def _figures(self, ranking: Ranking) -> FloatArray:
        top, relevant = self._relevance_within(ranking)
        return top.sums(relevant) / cast("int", self.k)
