"""Area under the ROC curve of each list, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.lists import Lists
from eval.metrics.metric import Metric
from eval.metrics.options import number
from eval.metrics.pairs import right_pairs
from eval.metrics.relevance import is_relevant, relevance_in_words
from eval.ragged import BoolArray, FloatArray
from eval.ranking import Ranking

__all__ = ["AUC"]


@dataclass(frozen=True)
class AUC(Metric):
    """The share of a list's pairs of a relevant and another document in which the relevant one stands above.

    That is the area under the ROC curve (Hanley and McNeil, Radiology 1982); a tied pair counts one half. Undefined
    where the listed documents are all relevant or none is.

    Args:
        relevant: the lowest label of a relevant document, above 0; None: any label above 0.
    """

    name: ClassVar[str] = "auc"
    takes_cutoff: ClassVar[bool] = False

    relevant: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "relevant", self.relevant, 0)

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        return {"relevant": relevance_in_words(self.relevant), **super().contract}

    def undefined(self, lists: Lists) -> BoolArray:
        """Lists whose documents are all relevant, or none, bool [lists]."""
        return self._pairs(lists) == 0

    def _pairs(self, lists: Lists) -> FloatArray:
        relevant = lists.ragged.counts(is_relevant(lists.labels, self.relevant)).astype(np.float64)
        return relevant * (lists.sizes - relevant)

    def _figures(self, ranking: Ranking) -> FloatArray:
        lists = ranking.lists
        right = right_pairs(ranking, is_relevant(lists.labels, self.relevant).astype(np.int64))
        return right / np.maximum(self._pairs(lists), 1)
