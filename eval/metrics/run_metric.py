"""Metrics of a whole run: figures of all lists together, which are no mean of figures of the lists."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar, get_args

import numpy as np

from eval.metrics.catalogue import Catalogue
from eval.metrics.options import Measure
from eval.ragged import FloatArray
from eval.ranking import Ranking

__all__ = ["RunMetric"]

RunTies = Literal["average", "stable", "docid"]


class _Adds(Protocol):
    def __add__(self, other: Any) -> Self: ...


PartT = TypeVar("PartT", bound=_Adds)


@dataclass(frozen=True, kw_only=True)
class RunMetric(Measure, ABC, Generic[PartT]):
    """What lists show in their first k positions, all lists together. `parse_run_metric` reads `str(metric)` back.

    Parts of a run are summed up by `part`, parts add up with `+`, and `value` is the figure of the whole. Such figures
    have no bootstrap by drawing lists: a resample holds two thirds of the lists, some twice, shows fewer items and
    shows them less evenly, so that its figures lie beside that of the run. What there is instead is the jackknife: the
    pseudo-value of a list is n x figure - (n - 1) x figure without the list, and the standard error of the mean of
    pseudo-values is that of the figure; on average never too small (Efron and Stein, Annals of Statistics 1981).

    `measure` gives pseudo-values moved to have the figure as their mean, which makes them one number per list like
    those of a `Metric`: the machinery for means (bootstrap, t-test, differences of two models list by list) gives
    intervals and tests. For a slice, measure the lists of the slice: its figure is no mean of the whole's numbers.

    Args:
        k: cutoff, >= 1.
        ties: `average`: a document has the probability of being among the first k over all orders of tied documents;
            `stable` and `docid` as in `eval.ranking.Ranking.by`.
    """

    needs_cutoff: ClassVar[bool] = True
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"ties": get_args(RunTies)}

    ties: RunTies = "average"

    @property
    def needs(self) -> frozenset[str]:
        """What the metric reads: fields of `Lists`, and `popularity` of the catalogue."""
        return frozenset({"document_ids"})

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figure, for a report."""
        return {"ties": self.ties}

    @abstractmethod
    def part(self, ranking: Ranking, catalogue: Catalogue) -> PartT:
        """Sums over some of the lists of a run.

        Args:
            ranking: lists with document ids, in order.
            catalogue: all items there are.
        """

    @abstractmethod
    def value(self, whole: PartT) -> float:
        """The figure of a run whose parts are added up; NaN if it shows nothing."""

    @abstractmethod
    def pseudo_values(self, ranking: Ranking, catalogue: Catalogue, whole: PartT) -> FloatArray:
        """Jackknife pseudo-values of some of the lists of a run.

        Args:
            ranking: the lists.
            catalogue: all items there are.
            whole: the sums of the whole run, these lists among them.

        Returns:
            float64 [lists]; NaN for a list that the figure leaves out. Their mean over the run is not quite `value`:
            for intervals of a run in parts, move them by the difference.
        """

    def measure(self, ranking: Ranking, catalogue: Catalogue) -> tuple[float, FloatArray]:
        """The figure of a run in memory, and a number per list whose mean it is, float64 [lists]; NaN: left out."""
        whole = self.part(ranking, catalogue)
        value, found = self.value(whole), self.pseudo_values(ranking, catalogue, whole)
        counted = found[~np.isnan(found)]
        return value, found + (value - counted.mean()) if counted.size else found
