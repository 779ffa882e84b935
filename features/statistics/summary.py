"""Statistics of the lists of a split, ready to be shown, compared and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.statistics.measured import Measured

__all__ = ["COARSE_LEVELS", "LEVELS", "ColumnSummary", "Numbers", "SplitSummary", "Values"]

_Floats = npt.NDArray[np.float64]

_TAIL = (0.0, 0.001, 0.002, 0.005)
LEVELS: _Floats = np.round([*_TAIL, *np.linspace(0.01, 0.99, 99), *(1 - np.array(_TAIL[::-1]))], 3)
COARSE_LEVELS: _Floats = np.round([*_TAIL, *np.linspace(0.01, 0.09, 9), *np.linspace(0.1, 1, 19)[:-1], 0.99, 1.0], 3)


@dataclass(frozen=True)
class Numbers:
    """Figures of a column of numbers.

    Attributes:
        count: numbers that are there.
        missing: numbers that are not.
        mean: of those that are there; NaN if none is.
        sd: their standard deviation, divided by their count.
        minimum: the smallest.
        maximum: the largest.
        zeros: how many are 0.
        levels: float64 `[n]`, from 0 to 1.
        quantiles: float64 `[n]`, the number below which lies the share `level` of the numbers, between two of them in
            proportion; the first and last are the smallest and the largest. Empty if there are none.
        histogram: float64 `[buckets]`, numbers in equally wide buckets from the smallest to the largest.
        sampled: from how many of the numbers quantiles and histogram were taken.
    """

    count: int
    missing: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    zeros: int
    levels: _Floats
    quantiles: _Floats
    histogram: _Floats
    sampled: int

    @property
    def missing_share(self) -> float:
        """Of all rows."""
        return self.missing / max(self.count + self.missing, 1)

    @property
    def constant(self) -> bool:
        """Whether all rows have the same number."""
        return self.count > 0 and not self.missing and self.minimum == self.maximum

    def shares_below(self, values: _Floats, *, or_equal: bool = True) -> _Floats:
        """Share of the numbers that are lower than each value, or equal to it; between quantiles in proportion."""
        last = len(self.quantiles) - 1
        if last < 0:
            return np.zeros(len(values))
        at = np.searchsorted(self.quantiles, values, "right" if or_equal else "left")
        before, after = np.clip(at - 1, 0, last), np.clip(at, 0, last)
        gap = self.quantiles[after] - self.quantiles[before]
        part = np.where(gap > 0, (values - self.quantiles[before]) / np.where(gap > 0, gap, 1), 1)
        return self.levels[before] * (at > 0) + part * (self.levels[after] - self.levels[before])

    def share_outside(self, low: float, high: float) -> float:
        """Share of the numbers that are surely lower than `low` or higher than `high`: what the quantiles prove."""
        if not len(self.quantiles) or (self.minimum >= low and self.maximum <= high):
            return 0.0
        below = int(np.searchsorted(self.quantiles, low, "left"))
        above = int(np.searchsorted(self.quantiles, high, "right"))
        share = self.levels[below - 1] if below else 0.0
        return float(share + (1 - self.levels[above] if above < len(self.levels) else 0.0))


@dataclass(frozen=True)
class Values:
    """Which values a column of texts has.

    Attributes:
        count: values seen, without missing ones.
        mean_length: their mean number of characters.
        distinct: how many different ones.
        exact: whether all is counted; otherwise `distinct` and the counts are estimates.
        top: the commonest with their counts, by falling count.
    """

    count: int
    mean_length: float
    distinct: int
    exact: bool
    top: tuple[tuple[str, int], ...]

    @property
    def complete(self) -> bool:
        """Whether `top` has all values."""
        return self.exact and len(self.top) == self.distinct


@dataclass(frozen=True)
class ColumnSummary:
    """Statistics of a raw column.

    Attributes:
        measured: the column, and what it stands for.
        rows: lists for a query column, documents for others.
        missing: rows without a value; of a vector, without any number.
        numbers: of the column or of what it measures (see `Measured.measure`); of a vector, of all components.
        age: of a date, its age in days when the query was asked.
        values: of texts and labels.
        components: of a vector, the figures of each.
    """

    measured: Measured
    rows: int
    missing: int
    numbers: Numbers | None = None
    age: Numbers | None = None
    values: Values | None = None
    components: tuple[Numbers, ...] = ()

    @property
    def missing_share(self) -> float:
        """Of the rows."""
        return self.missing / max(self.rows, 1)

    @property
    def missing_numbers(self) -> int:
        """Missing values as the manifest counts them: of a vector, missing numbers."""
        return sum(component.missing for component in self.components) if self.components else self.missing


@dataclass(frozen=True)
class SplitSummary:
    """Statistics of the lists of a split.

    Attributes:
        name: of the split.
        lists: how many.
        documents: in all lists.
        length: documents per list.
        relevant: documents with a label above 0 per list; None without labels.
        columns: of each measured column that the data has.
        queries: as how many independent lists those of all queries count, where queries have several: lists of a query
            count as one, see `features.statistics.effective_size`. None if each list is of a query of its own.
    """

    name: str
    lists: int
    documents: int
    length: Numbers
    relevant: Numbers | None
    columns: Sequence[ColumnSummary] = field(default_factory=tuple)
    queries: float | None = None

    def column(self, name: str) -> ColumnSummary | None:
        """The statistics of a column, if there is one of this name."""
        return next((column for column in self.columns if column.measured.name == name), None)

    @property
    def independent_lists(self) -> float:
        """As how many independent lists all count, at the least: `queries`."""
        return self.lists if self.queries is None else self.queries

    @property
    def independent_documents(self) -> float:
        """As how many independent documents those of all lists count, at the least.

        Documents of a list are found for the same query and may be all alike: then they count as one, and lists of
        n(i) documents as (sum of n(i))^2 / (sum of n(i)^2), the effective sample size of Kish (1965). It is lowered
        as that of the lists is where queries have several.
        """
        mean, sd = self.length.mean, self.length.sd
        return self.independent_lists * mean**2 / (mean**2 + sd**2) if self.lists else 0.0
