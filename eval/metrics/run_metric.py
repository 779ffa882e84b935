"""Metrics of a whole run: figures of all lists together, which are no mean of figures of the lists."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar, get_args

import numpy as np

from eval.metrics.catalogue import Catalogue
from eval.metrics.options import Measure
from eval.ragged import FloatArray, IntArray
from eval.ranking import Ranking

__all__ = ["RunMetric", "at_first_lists", "count_units"]

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

    Where units of several lists are resampled, such as users, a unit is left out as a whole: two lists of a user that
    show the same items would else hide each other. A figure that is a mean over lists needs no units.

    Args:
        k: cutoff, >= 1.
        ties: `average`: a document has the probability of being among the first k over all orders of tied documents;
            `stable` and `docid` as in `eval.ranking.Ranking.by`.
    """

    needs_cutoff: ClassVar[bool] = True
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"ties": get_args(RunTies)}
    most: ClassVar[float] = 1.0
    """The largest figure that is possible; the least is 0."""

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
    def part(self, ranking: Ranking, catalogue: Catalogue, units: IntArray | None = None) -> PartT:
        """Sums over some of the lists of a run.

        Args:
            ranking: lists with document ids, in order.
            catalogue: all items there are.
            units: int64 [lists], the unit of each list by its number from 0; all its lists have to be here. None: each
                list is one.
        """

    @abstractmethod
    def value(self, whole: PartT) -> float:
        """The figure of a run whose parts are added up; NaN if it shows nothing."""

    @abstractmethod
    def pseudo_values(
        self, ranking: Ranking, catalogue: Catalogue, whole: PartT, units: IntArray | None = None
    ) -> FloatArray:
        """Jackknife pseudo-values of some of the lists of a run.

        Args:
            ranking: the lists.
            catalogue: all items there are.
            whole: the sums of the whole run, these lists among them.
            units: as they were for these sums.

        Returns:
            float64 [lists]; NaN for a list that the figure leaves out, and for all lists of a unit but the first, which
            has the pseudo-value of the unit. Their mean over the run is not quite `value`: for intervals of a run in
            parts, move them by the difference.
        """

    def measure(
        self, ranking: Ranking, catalogue: Catalogue, units: IntArray | None = None
    ) -> tuple[float, FloatArray]:
        """The figure of a run in memory, and a number per list whose mean it is, float64 [lists]; NaN: left out."""
        whole = self.part(ranking, catalogue, units)
        value, found = self.value(whole), self.pseudo_values(ranking, catalogue, whole, units)
        counted = found[~np.isnan(found)]
        return value, found + (value - counted.mean()) if counted.size else found


def at_first_lists(values: FloatArray, units: IntArray | None) -> FloatArray:
    """The numbers of units, float64 [units], at the first list of each, NaN at the others: float64 [lists]."""
    if units is None:
        return values
    found = np.full(len(units), np.nan)
    found[np.unique(units, return_index=True)[1]] = values
    return found


def count_units(ranking: Ranking, units: IntArray | None) -> int:
    """How many units the lists of a ranking are."""
    return len(ranking.lists) if units is None else int(units.max(initial=-1)) + 1
