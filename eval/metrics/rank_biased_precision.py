"""Rank-biased precision, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.metrics.judgements import BinaryMetric
from eval.metrics.options import number
from eval.ragged import FloatArray
from eval.ranking import Ranking

__all__ = ["RankBiasedPrecision"]


@dataclass(frozen=True)
class RankBiasedPrecision(BinaryMetric):
    """RBP@k = (1 - p) x sum over positions i = 1 .. k that hold a relevant document of p^(i - 1).

    Moffat and Zobel, TOIS 2008: a reader goes on to the next document with probability p. What is not listed, and what
    stands below k, counts as not relevant: the figure is a lower bound.

    Args:
        k: cutoff, >= 1; None: the whole list.
        relevant: the lowest label of a relevant document; None: any label above 0.
        p: persistence of the reader, above 0 and below 1.
    """

    name: ClassVar[str] = "rbp"

    p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "p", self.p, 0, 1)

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        return {"p": f"{self.p:g}", **super().contract}

    def _figures(self, ranking: Ranking) -> FloatArray:
        top, relevant = self._relevance_within(ranking)
        weights = (1 - self.p) * self.p ** np.arange(int(top.sizes.max(initial=0)))
        return top.sums(relevant * weights[top.positions - 1])
