"""Metrics that measure a list against what is known to be relevant for its query."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self, get_args

import numpy as np

from eval.lists import Lists
from eval.metrics.metric import Metric
from eval.metrics.options import number
from eval.metrics.relevance import is_relevant, relevance_in_words
from eval.ragged import BoolArray, FloatArray, IntArray, Ragged
from eval.ranking import Ranking

__all__ = ["BinaryMetric", "Ideal", "JudgedMetric", "Missing"]

Ideal = Literal["judged", "listed"]
Missing = Literal["zero", "skip", "error"]


@dataclass(frozen=True, kw_only=True)
class JudgedMetric(Metric):
    """A metric of how well a list brings up the relevant documents of its query. Undefined where there are none.

    Args:
        ideal: which documents a query is known to have: all that are judged, listed or not, or those listed only.
            None: `judged` where the lists know of unlisted judgements, else `listed`, which is then the same.
        missing: the figure of a query that is missing from the run: 0 if it has relevant documents and what `empty`
            says if not (`zero`), none at all (`skip`), or an `error`.
    """

    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **Metric.choices,
        "ideal": get_args(Ideal),
        "missing": get_args(Missing),
    }

    ideal: Ideal | None = None
    missing: Missing = "zero"

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures; `missing` where a query can be."""
        ideal = {"ideal": self.ideal or "judged where qrels are given, else listed"}
        return {**super().contract, **ideal, **({} if self.ideal == "listed" else {"missing": self.missing})}

    def settle(self, largest_label: float, *, qrels: bool) -> Self:
        """This metric with the ideal chosen, where it was left open."""
        metric = super().settle(largest_label, qrels=qrels)
        return metric if metric.ideal else replace(metric, ideal="judged" if qrels else "listed")

    @abstractmethod
    def _is_relevant(self, labels: FloatArray) -> BoolArray:
        """Which labels make a document relevant, float64 [n] to bool [n]."""

    def _relevant(self, lists: Lists) -> IntArray:
        """Relevant documents that each query is known to have, int64 [lists]."""
        counts = lists.ragged.counts(self._is_relevant(lists.labels))
        if self.ideal == "listed" or lists.unlisted is None:
            return counts
        return counts + lists.unlisted.ragged.counts(self._is_relevant(lists.unlisted.labels))

    def _ideal(self, lists: Lists) -> tuple[Ragged, FloatArray]:
        """The labels that each query is known to have, falling, and where those of each query lie."""
        return (lists.ragged, lists.listed_ideal) if self.ideal == "listed" else lists.judged_ideal

    def undefined(self, lists: Lists) -> BoolArray:
        """Lists of queries without a relevant document, bool [lists]."""
        return self.settled(lists)._relevant(lists) == 0

    def _leave_out(self, lists: Lists, values: FloatArray) -> None:
        if self.missing == "error" and lists.missing.any():
            first = str(lists.query_ids[np.argmax(lists.missing)])
            raise ValueError(
                f"{self}: {int(lists.missing.sum())} queries are missing from the run, the first {first!r}; "
                "choose missing=zero to count them as 0"
            )
        if self.missing == "skip":
            values[lists.missing] = np.nan


@dataclass(frozen=True)
class BinaryMetric(JudgedMetric):
    """A metric for which a document is relevant or not.

    Args:
        k: cutoff, >= 1; None: the whole list.
        relevant: the lowest label of a relevant document, above 0; None: any label above 0.
    """

    relevant: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "relevant", self.relevant, 0)

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        return {"relevant": relevance_in_words(self.relevant), **super().contract}

    def _is_relevant(self, labels: FloatArray) -> BoolArray:
        return is_relevant(labels, self.relevant)

    def _relevance_within(self, ranking: Ranking) -> tuple[Ragged, FloatArray]:
        """The lists cut after k positions, and the chance of each to hold a relevant document, ties averaged."""
        labels = ranking.lists.labels
        return ranking.expected_first(self.k, lambda documents: self._is_relevant(labels[documents]).astype(np.float64))
