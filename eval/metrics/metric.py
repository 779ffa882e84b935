"""What every ranking metric is: a value that prints, knows its direction and scores whole batches of lists."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np

from eval.lists import Lists
from eval.metrics.options import Measure
from eval.ragged import BoolArray, FloatArray
from eval.ranking import Ranking, Ties, rank

__all__ = ["Empty", "Metric"]

Empty = Literal["skip", "zero", "one"]

_EMPTY: Mapping[str, float] = {"skip": np.nan, "zero": 0.0, "one": 1.0}


@dataclass(frozen=True, kw_only=True)
class Metric(Measure, ABC):
    """A ranking metric, one figure per list. `eval.metrics.parse_metric` reads `str(metric)` back to an equal value.

    Args:
        ties: the policy for tied scores, see `eval.ranking.Ranking.by`. `average`: the exact mean over all orders of
            tied documents.
        empty: the figure of a list for which the metric is not defined (mostly: no relevant document): none at all
            (`skip`: NaN), 0 or 1.
    """

    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"ties": get_args(Ties), "empty": get_args(Empty)}

    ties: Ties = "average"
    empty: Empty = "skip"

    @property
    def needs(self) -> frozenset[str]:
        """Fields of `Lists`, beside labels, without which the metric cannot be computed."""
        return frozenset({"document_ids"} if self.ties == "docid" else ())

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures, for a report: ties, empty (lists), and what else the metric has."""
        return {"ties": self.ties, "empty": self.empty}

    def settled(self, lists: Lists) -> Self:
        """The metric with every choice that depends on the data made, by `lists`.

        Settle on the whole data before scoring parts of it, so that all parts are measured alike.
        """
        return self.settle(lists.largest_label, qrels=lists.unlisted is not None)

    def settle(self, largest_label: float, *, qrels: bool) -> Self:  # noqa: ARG002 - for metrics with such choices
        """`settled` for data that is read in parts.

        Args:
            largest_label: of all parts.
            qrels: whether judgements come apart from the lists (`Lists.unlisted`).
        """
        return self

    @abstractmethod
    def undefined(self, lists: Lists) -> BoolArray:
        """Lists that the policy `empty` is for, bool [lists]: their count belongs in every report."""

    def per_list(self, lists: Lists, scores: FloatArray) -> FloatArray:
        """The metric of each list; NaN where the contract skips it.

        Args:
            lists: the lists.
            scores: float64 [documents], finite.

        Returns:
            float64 [lists].
        """
        return self.values(rank(lists, scores))

    def values(self, ranking: Ranking) -> FloatArray:
        """`per_list` of a ranking made before, which several metrics can share.

        Raises:
            ValueError: the lists do not hold what the metric needs, or its contract refuses them.
        """
        metric = self.settled(ranking.lists)
        values = metric._figures(ranking.by(self.ties))
        values[metric.undefined(ranking.lists)] = _EMPTY[self.empty]
        metric._leave_out(ranking.lists, values)
        return values

    @abstractmethod
    def _figures(self, ranking: Ranking) -> FloatArray:
        """The metric of each list, a new float64 [lists]; anything without a warning where it is undefined,
        0 for other lists without documents."""

    def _leave_out(self, lists: Lists, values: FloatArray) -> None:
        """Write NaN for lists that another policy leaves out."""
