"""Discounted cumulative gain, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from eval.metrics.gain import check_gain, default_gain, gains, least_gainful
from eval.metrics.judgements import JudgedMetric
from eval.ragged import BoolArray, FloatArray, Ragged
from eval.ranking import Ranking

__all__ = ["DCG", "GainMetric", "discounted"]


@dataclass(frozen=True)
class GainMetric(JudgedMetric):
    """A metric of gains that are discounted by position.

    Args:
        k: cutoff, >= 1; None: the whole list.
        gain: `exp2` (2^label - 1), `linear` (label) or a table for labels 0, 1, 2, ... such as `0:1:3:7`. None:
            `exp2`, but `linear` once a label exceeds 10.
    """

    gain: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_gain(self.name, self.gain)

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        return {"gain": self.gain or default_gain(), **super().contract}

    def settle(self, largest_label: float, *, qrels: bool) -> Self:
        """This metric with gain and ideal chosen, where they were left open."""
        metric = super().settle(largest_label, qrels=qrels)
        return metric if metric.gain else replace(metric, gain=default_gain(largest_label))

    @property
    def _chosen(self) -> str:
        return self.gain or "exp2"

    def _is_relevant(self, labels: FloatArray) -> BoolArray:
        least = least_gainful(self._chosen)
        return labels > 0 if least == 0 else labels >= least

    def _gains(self, labels: FloatArray) -> FloatArray:
        try:
            return gains(self._chosen, labels)
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from error

    def _dcg(self, ranking: Ranking) -> FloatArray:
        """DCG@k of each list, ties averaged, float64 [lists]."""
        labels = ranking.lists.labels
        return discounted(*ranking.expected_first(self.k, lambda documents: self._gains(labels[documents])))


def discounted(ragged: Ragged, gained: FloatArray) -> FloatArray:
    """Sum over each row of gain / log2(position + 1), float64 [items] to float64 [rows]."""
    discounts = 1.0 / np.log2(np.arange(2, int(ragged.sizes.max(initial=0)) + 2))
    return ragged.sums(gained * discounts[ragged.positions - 1])


@dataclass(frozen=True)
class DCG(GainMetric):
    """DCG@k = sum over positions p = 1 .. k of gain(label at p) / log2(p + 1).

    Jarvelin and Kekalainen, TOIS 2002; with the gain 2^label - 1 of Burges et al., ICML 2005. Documents of equal score
    share their positions: the figure is the mean over all their orders (McSherry and Najork, ECIR 2008).

    >>> from eval.lists import Lists
    >>> one = Lists(np.array(["q"]), np.array([0, 2]), np.array([0.0, 2.0]))
    >>> DCG(k=1).per_list(one, np.array([0.1, 0.9])).tolist(), DCG(k=1).per_list(one, np.zeros(2)).tolist()
    ([3.0], [1.5])
    """

    name: ClassVar[str] = "dcg"
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {**JudgedMetric.choices, "empty": ("skip", "zero")}

    def _figures(self, ranking: Ranking) -> FloatArray:
        return self._dcg(ranking)
