"""Average relevance position, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.lists import Lists
from eval.metrics.metric import Metric
from eval.ragged import BoolArray, FloatArray
from eval.ranking import Ranking

__all__ = ["AverageRelevancePosition"]


@dataclass(frozen=True)
class AverageRelevancePosition(Metric):
    """ARP = sum of label x position over the sum of labels; lower is better.

    Zhu, PhD thesis (Waterloo) 2004, as TensorFlow Ranking computes it. It looks at listed documents only: undefined
    where none is relevant, and there is no figure for such lists but `skip`, since no value is the worst.
    """

    name: ClassVar[str] = "arp"
    higher_is_better: ClassVar[bool] = False
    takes_cutoff: ClassVar[bool] = False
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {**Metric.choices, "empty": ("skip",)}

    def undefined(self, lists: Lists) -> BoolArray:
        """Lists without a relevant document among the listed, bool [lists]."""
        return lists.ragged.counts(lists.labels > 0) == 0

    def _figures(self, ranking: Ranking) -> FloatArray:
        ragged, labels = ranking.lists.ragged, ranking.expected(ranking.labels)
        total = ragged.sums(labels)
        return np.divide(ragged.sums(labels * ragged.positions), total, out=np.zeros(len(total)), where=total > 0)
