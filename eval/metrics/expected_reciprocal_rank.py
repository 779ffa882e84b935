"""Expected reciprocal rank, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from eval.metrics.cascade import stopping
from eval.metrics.judgements import JudgedMetric
from eval.metrics.options import number
from eval.ragged import BoolArray, FloatArray
from eval.ranking import Ranking

__all__ = ["ExpectedReciprocalRank"]


@dataclass(frozen=True)
class ExpectedReciprocalRank(JudgedMetric):
    """ERR@k: the mean of 1 / position where a reader stops, who stops at a document with (2^label - 1) / 2^top.

    Chapelle, Metlzer, Zhang and Grinspan, CIKM 2009. Under ties the exact mean over all orders, see
    `eval.metrics.cascade`.

    Args:
        k: cutoff, >= 1; None: the whole list.
        top: the highest label there can be, above 0. None: the largest of the data, which makes figures of different
            data hard to compare.
    """

    name: ClassVar[str] = "err"

    top: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "top", self.top, 0)

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        return {"top": "the largest label" if self.top is None else f"{self.top:g}", **super().contract}

    def settle(self, largest_label: float, *, qrels: bool) -> Self:
        """This metric with the highest label and the ideal chosen, where they were left open."""
        metric = super().settle(largest_label, qrels=qrels)
        return metric if metric.top is not None or largest_label == 0 else replace(metric, top=largest_label)

    def _is_relevant(self, labels: FloatArray) -> BoolArray:
        return labels > 0

    def _figures(self, ranking: Ranking) -> FloatArray:
        labels, highest = ranking.labels, self.top or 0.0
        if labels.max(initial=0.0) > highest:
            raise ValueError(f"{self}: label {labels.max():g} is above top={highest:g}; choose a higher one")
        top, stops = stopping(ranking, np.exp2(labels - highest) - np.exp2(-highest), self.k)
        return top.sums(stops / top.positions)
