"""Share of judged documents at the top: how far other figures can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.lists import Lists
from eval.metrics.metric import Metric
from eval.ragged import BoolArray, FloatArray
from eval.ranking import Ranking

__all__ = ["Judged"]


@dataclass(frozen=True)
class Judged(Metric):
    """Judged@k: judged documents in the first k positions over the documents there; of the whole list without k.

    Documents that nobody judged count as not relevant in other metrics. Undefined for a list without documents.
    """

    name: ClassVar[str] = "judged"
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"ties": ("average", "stable", "docid"), "empty": ("skip",)}

    def undefined(self, lists: Lists) -> BoolArray:
        """Lists without documents, bool [lists]."""
        return lists.missing

    def _figures(self, ranking: Ranking) -> FloatArray:
        flags = ranking.lists.judged
        if flags is None:
            return np.ones(len(ranking.lists))
        top, judged = ranking.expected_first(self.k, lambda documents: flags[documents].astype(np.float64))
        return top.sums(judged) / np.maximum(top.sizes, 1)
