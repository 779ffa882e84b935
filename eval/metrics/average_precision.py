"""Average precision, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from eval.metrics.judgements import BinaryMetric
from eval.ragged import BoolArray, FloatArray
from eval.ranking import Ranking

__all__ = ["AveragePrecision"]

Norm = Literal["relevant", "reachable"]


@dataclass(frozen=True)
class AveragePrecision(BinaryMetric):
    """AP@k: the precision at each position p <= k that holds a relevant document, added up and divided.

    Its mean over lists is MAP (Buckley and Voorhees, SIGIR 2000).

    Args:
        k: cutoff, >= 1; None: the whole list.
        relevant: the lowest label of a relevant document; None: any label above 0.
        norm: what the sum is divided by. `relevant`: the number of relevant documents of the query (trec_eval);
            `reachable`: k, if that is less (LightGBM, XGBoost).
    """

    name: ClassVar[str] = "map"
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {**BinaryMetric.choices, "norm": get_args(Norm)}

    norm: Norm = "relevant"

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        return {"norm": self.norm, **super().contract}

    def _figures(self, ranking: Ranking) -> FloatArray:
        top, slots = ranking.lists.ragged.first(self.k)
        found = top.sums(_precisions(ranking, self._is_relevant(ranking.labels))[slots])
        most = self._relevant(ranking.lists)
        if self.norm == "reachable" and self.k is not None:
            most = np.minimum(most, self.k)
        return found / np.maximum(most, 1)


def _precisions(ranking: Ranking, relevant: BoolArray) -> FloatArray:
    """Expected (relevance x precision) in each slot, ties averaged.

    In a group of n tied documents, r of them relevant, below s documents with a relevant ones among them, position
    p holds a relevant document with probability r / n; then each of the p - s - 1 group members above it is relevant
    with probability (r - 1) / (n - 1), so that the expectation is r / n (1 + a + (p - s - 1)(r - 1)/(n - 1)) / p
    (McSherry and Najork, ECIR 2008).

    Args:
        ranking: the lists in order.
        relevant: bool [documents], by slot.

    Returns:
        float64 [documents], by slot.
    """
    ragged = ranking.lists.ragged
    hits = ragged.running(relevant)
    found = relevant * hits / ragged.positions
    groups = ranking.groups
    if groups.slots.size:
        sizes, firsts, inside = groups.ragged.sizes, groups.firsts, groups.ragged.rows
        among = groups.ragged.counts(relevant[groups.slots])
        above = hits[firsts] - relevant[firsts]
        more = (groups.ragged.positions - 1) * ((among - 1) / (sizes - 1))[inside]
        found[groups.slots] = (among / sizes)[inside] * (1 + above[inside] + more) / ragged.positions[groups.slots]
    return found
