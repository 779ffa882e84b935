"""Ordered pair accuracy, exact under ties."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.lists import Lists
from eval.metrics.metric import Metric
from eval.metrics.pairs import different_pairs, right_pairs
from eval.ragged import BoolArray, FloatArray
from eval.ranking import Ranking

__all__ = ["PairAccuracy"]


@dataclass(frozen=True)
class PairAccuracy(Metric):
    """The share of a list's pairs of documents with different labels that stand in the order of their labels.

    A tied pair counts one half; with `ties=pessimistic` not at all, like TensorFlow Ranking's OPA. (Kendall's tau with
    ties in the labels left out is twice this less 1.) Undefined where all listed labels are equal.
    """

    name: ClassVar[str] = "pair_accuracy"
    takes_cutoff: ClassVar[bool] = False

    def undefined(self, lists: Lists) -> BoolArray:
        """Lists without two documents of different labels, bool [lists]."""
        return different_pairs(lists.ragged, lists.listed_ideal) == 0

    def _figures(self, ranking: Ranking) -> FloatArray:
        lists = ranking.lists
        codes = np.unique(lists.labels, return_inverse=True)[1].astype(np.int64)
        return right_pairs(ranking, codes) / np.maximum(different_pairs(lists.ragged, lists.listed_ideal), 1)
