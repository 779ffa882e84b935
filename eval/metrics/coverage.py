"""Catalogue coverage: how many of all items a run shows at all."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.metrics.catalogue import Catalogue, shown
from eval.metrics.run_metric import RunMetric, at_first_lists, count_units
from eval.ragged import FloatArray, IntArray
from eval.ranking import Ranking

__all__ = ["Coverage", "Unseen"]


@dataclass(frozen=True, eq=False)
class Unseen:
    """What is needed to know the chance that no list of a run shows an item.

    Args:
        n_units: how many units: lists, or what lists are grouped to.
        certain: int64 [items], units that show the item for certain.
        doubtful: float64 [items], sum over the other units of log(1 - chance that it is shown).
    """

    n_units: int
    certain: IntArray
    doubtful: FloatArray

    def __add__(self, other: "Unseen") -> "Unseen":
        return Unseen(self.n_units + other.n_units, self.certain + other.certain, self.doubtful + other.doubtful)

    @property
    def chances(self) -> FloatArray:
        """The chance that no list shows an item, float64 [items]."""
        return np.where(self.certain == 0, np.exp(self.doubtful), 0.0)


@dataclass(frozen=True)
class Coverage(RunMetric[Unseen]):
    """coverage@k: items that at least one list shows in its first k positions, over all items of the catalogue.

    Ge, Delgado-Battenfeld and Jannach, RecSys 2010. Under ties the exact mean over all orders, orders of different
    lists independent. The figure grows with the number of lists: compare runs over the same queries.

    What a list adds to the figure is what no other list shows: the jackknife of the number of species seen (Heltshe
    and Forrester, Biometrics 1983).
    """

    name: ClassVar[str] = "coverage"

    def part(self, ranking: Ranking, catalogue: Catalogue, units: IntArray | None = None) -> Unseen:
        """Sums over some of the lists of a run."""
        seen = shown(ranking.by(self.ties), catalogue, self.k).in_units(units)
        certain = seen.chances == 1
        items, chances = seen.items[~certain], seen.chances[~certain]
        return Unseen(
            count_units(ranking, units),
            np.bincount(seen.items[certain], minlength=len(catalogue)),
            np.bincount(items, np.log1p(-chances), len(catalogue)).astype(np.float64),
        )

    def value(self, whole: Unseen) -> float:
        """Share of the catalogue, from 0 to 1."""
        return float(1.0 - np.mean(whole.chances))

    def pseudo_values(
        self, ranking: Ranking, catalogue: Catalogue, whole: Unseen, units: IntArray | None = None
    ) -> FloatArray:
        """Jackknife pseudo-values of some of the lists, float64 [lists]."""
        seen = shown(ranking.by(self.ties), catalogue, self.k).in_units(units)
        certain = seen.chances == 1
        own = np.log1p(-np.where(certain, 0.0, seen.chances))
        unseen_by_others = np.exp(whole.doubtful[seen.items] - own) * (whole.certain[seen.items] == certain)
        alone = np.bincount(seen.lists, unseen_by_others * seen.chances, count_units(ranking, units))
        return at_first_lists(self.value(whole) + (whole.n_units - 1) * alone / len(catalogue), units)
