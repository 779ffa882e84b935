"""Novelty: how little known the items are that a run shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from eval.metrics.catalogue import Catalogue, shown
from eval.metrics.options import number
from eval.metrics.run_metric import RunMetric
from eval.ragged import FloatArray, IntArray
from eval.ranking import Ranking

__all__ = ["POPULARITY", "Novelty", "Surprise"]

POPULARITY: Final = "popularity"
"""The column that is read where the metric names none."""


@dataclass(frozen=True)
class Surprise:
    """Sums over lists that show something.

    Args:
        n_lists: how many.
        bits: sum of their novelty.
    """

    n_lists: int
    bits: float

    def __add__(self, other: "Surprise") -> "Surprise":
        return Surprise(self.n_lists + other.n_lists, self.bits + other.bits)


@dataclass(frozen=True)
class Novelty(RunMetric[Surprise]):
    """novelty@k: the mean over lists of the mean self-information of the items in their first k positions, in bits.

    Self-information of an item is -log2 p, p its share of all choices: p = (popularity + smoothing) / sum of that over
    the catalogue (Zhou et al., PNAS 2010; Vargas and Castells, RecSys 2011). Lists without documents are left out.
    It is a mean over lists, whose pseudo-values are the novelty of each list.

    Args:
        k: cutoff, >= 1.
        smoothing: added to each popularity, so that items nobody has chosen yet have a finite figure; above 0.
        popularity: a column of a score table with the popularity of each document: how many users, or lists, chose it
            in the data that models learned from.
    """

    name: ClassVar[str] = "novelty"
    most: ClassVar[float] = float("inf")

    smoothing: float = 1.0
    popularity: str = POPULARITY

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "smoothing", self.smoothing, 0)
        if not self.popularity:
            raise ValueError(f"{self.name}: popularity must name a column, such as popularity={POPULARITY}")

    @property
    def needs(self) -> frozenset[str]:
        """What the metric reads."""
        return super().needs | {"popularity"}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a score table that it reads."""
        return (self.popularity,)

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figure."""
        return {"popularity": self.popularity, "smoothing": f"{self.smoothing:g}", **super().contract}

    def part(self, ranking: Ranking, catalogue: Catalogue, units: IntArray | None = None) -> Surprise:  # noqa: ARG002 - a mean over lists needs no units
        """Sums over some of the lists of a run."""
        of_lists = self._per_list(ranking, catalogue)
        return Surprise(int(np.sum(~np.isnan(of_lists))), float(np.nansum(of_lists)))

    def value(self, whole: Surprise) -> float:
        """Mean self-information in bits, >= 0."""
        return whole.bits / whole.n_lists if whole.n_lists else float("nan")

    def pseudo_values(
        self,
        ranking: Ranking,
        catalogue: Catalogue,
        whole: Surprise,  # noqa: ARG002 - a mean needs no whole
        units: IntArray | None = None,  # noqa: ARG002 - and no units
    ) -> FloatArray:
        """The novelty of each list, float64 [lists]; NaN for a list without documents."""
        return self._per_list(ranking, catalogue)

    def _per_list(self, ranking: Ranking, catalogue: Catalogue) -> FloatArray:
        if catalogue.popularity is None:
            raise ValueError(f"{self} needs the popularity of items, and the catalogue has none; add it")
        smooth = catalogue.popularity + self.smoothing
        bits = np.log2(smooth.sum() + catalogue.others * self.smoothing) - np.log2(smooth)
        seen, n_lists = shown(ranking.by(self.ties), catalogue, self.k), len(ranking.lists)
        shares = np.bincount(seen.lists, seen.chances, n_lists)
        sums = np.bincount(seen.lists, seen.chances * bits[seen.items], n_lists)
        return np.divide(sums, shares, out=np.full(n_lists, np.nan), where=shares > 0)
