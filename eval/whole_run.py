"""Figures of whole runs: which items of the catalogue models show, how evenly, and how little known they are.

Such a figure is no mean over lists (`eval.metrics.RunMetric`). Two passes over the lists give it and its interval: sums
that add up to the figure, then for each list the jackknife's pseudo-value, which says what the list adds. Pseudo-values
are resampled as the figures of lists are, and the interval is moved to lie around the figure. The figure of a resample
itself would be beside it: a resample holds two thirds of the lists, and so shows fewer items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa

from eval.figures import ends, number
from eval.metrics import Catalogue, RunMetric
from eval.ragged import FloatArray, IntArray
from eval.ranking import rank
from eval.report.data import CatalogueFigures, Estimate
from eval.score_table import ScoreTable
from eval.series import Series
from eval.sums import Sums

__all__ = ["Items", "RunPart", "RunPlan"]

_WAYS = ("min", "max")


@dataclass(frozen=True, eq=False)
class Items:
    """The documents of some lists, each once, with their popularity; `a + b` is those of two parts.

    Args:
        popularity: columns of the score table by the names that metrics have for them.
        held: by document `id`, the least and the largest popularity by each name: `<name> min`, `<name> max`.
    """

    popularity: Mapping[str, str]
    held: pa.Table

    @classmethod
    def of(cls, table: ScoreTable, metrics: Mapping[str, RunMetric[Any]], named: Mapping[str, str]) -> Self:
        """Those of a part of the lists.

        Args:
            table: the part.
            metrics: that are measured, by their texts.
            named: the column of the score table by the name that metrics have for it, where that is another.

        Raises:
            ValueError: a popularity that is none; the document is named.
        """
        popularity = {name: named.get(name, name) for metric in metrics.values() for name in metric.columns}
        ids = table.lists.document_ids
        columns = {"id": pa.array(ids, pa.large_string())}
        for name, column in popularity.items():
            numbers = pa.array(_checked(table.columns[column], column, ids))
            columns |= dict.fromkeys((f"{name} {way}" for way in _WAYS), numbers)
        return cls(popularity, _grouped(pa.table(columns)))

    def __add__(self, other: Self) -> "Items":
        return Items(self.popularity, _grouped(pa.concat_tables([self.held, other.held])))

    def catalogues(self, metrics: Mapping[str, RunMetric[Any]], size: int | None) -> dict[str, Catalogue]:
        """The catalogue of each metric, by its text.

        Args:
            metrics: those that the items were collected for.
            size: how many items there are, those beyond the listed ones without a popularity; None: the listed ones.

        Raises:
            ValueError: a document of two popularities, or fewer items than the lists hold.
        """
        held = self.held.sort_by("id")
        ids = held.column("id").to_numpy().astype(object)
        if size is not None and size < len(ids):
            raise ValueError(f"catalogue: expected at least the {len(ids)} documents of the lists, got {size} items")
        others = 0 if size is None else size - len(ids)
        made: dict[tuple[str, ...], Catalogue] = {}
        for metric in metrics.values():
            if metric.columns not in made:
                popularity = next((self._settled(held, name) for name in metric.columns), None)
                made[metric.columns] = Catalogue(ids, popularity, others)
        return {text: made[metric.columns] for text, metric in metrics.items()}

    def _settled(self, held: pa.Table, name: str) -> FloatArray:
        low, high = (held.column(f"{name} {way}").to_numpy() for way in _WAYS)
        if (wrong := np.flatnonzero(low != high)).size:
            raise ValueError(
                f"novelty, column {self.popularity[name]!r}: expected one popularity of each document, got"
                f" {low[wrong[0]]:g} and {high[wrong[0]]:g} for document {held.column('id')[int(wrong[0])].as_py()!r}"
                f" ({wrong.size} such documents)"
            )
        return np.asarray(low, np.float64)


def _grouped(rows: pa.Table) -> pa.Table:
    """A row per document, of columns as of `Items.held`."""
    asked = [(column, column.rpartition(" ")[2]) for column in rows.column_names[1:]]
    found = rows.group_by("id").aggregate(asked)
    return pa.table({"id": found.column("id"), **{column: found.column(f"{column}_{way}") for column, way in asked}})


def _checked(values: pa.Array, column: str, ids: Any) -> FloatArray:
    """Popularities, float64 [documents]."""
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise ValueError(f"novelty: expected numbers in column {column!r}, got {values.type}; name another column")
    numbers = values.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if wrong.size:
        raise ValueError(
            f"novelty, column {column!r}: expected numbers, finite and >= 0, got {numbers[wrong[0]]} for document"
            f" {str(ids[wrong[0]])!r} ({wrong.size} such rows); 0 is one that nobody has chosen yet"
        )
    return np.asarray(numbers, np.float64)


@dataclass(frozen=True)
class RunPart:
    """Sums over a part of the lists, which add up.

    Args:
        of: a sum for each metric and model, in the order of the series.
    """

    of: Sequence[Any]

    def __add__(self, other: Self) -> "RunPart":
        return RunPart([one + two for one, two in zip(self.of, other.of, strict=True)])


@dataclass(frozen=True, eq=False)
class RunPlan:
    """What is measured of whole runs.

    Args:
        metrics: by their texts.
        catalogues: of each metric.
        series: of these metrics.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """

    metrics: Mapping[str, RunMetric[Any]]
    catalogues: Mapping[str, Catalogue]
    series: Series
    draws: int
    seed: int

    def part(self, table: ScoreTable) -> RunPart:
        """The first pass over a part of the lists: sums of which figures are made."""
        units, rankings = _units(table), {model: rank(table.lists, table.scores[model]) for model in self.series.models}
        return RunPart(
            [
                self.metrics[metric].part(rankings[model], self.catalogues[metric], units)
                for metric, model in self.series.columns
            ]
        )

    def resampled(self, table: ScoreTable, whole: RunPart) -> Sums:
        """The second pass: the sums of pseudo-values of a part of the lists, and of their differences.

        Args:
            table: the part.
            whole: the sum of all parts of the first pass.
        """
        units, rankings = _units(table), {model: rank(table.lists, table.scores[model]) for model in self.series.models}
        values = [
            self.metrics[metric].pseudo_values(rankings[model], self.catalogues[metric], of, units)
            for (metric, model), of in zip(self.series.columns, whole.of, strict=True)
        ]
        return Sums.of(self.series.of(np.column_stack(values)), table.units, self.draws, self.seed)

    def found(self, whole: RunPart, resampled: Sums, confidence: float) -> CatalogueFigures:
        """The figures, and their differences to the baseline.

        Args:
            whole: the sum of all parts of the first pass.
            resampled: that of the second.
            confidence: of the intervals.
        """
        values = {
            (metric, model): self.metrics[metric].value(of)
            for (metric, model), of in zip(self.series.columns, whole.of, strict=True)
        }
        means, intervals = resampled.mean, ends(resampled, confidence)

        def estimate(at: int, value: float, least: float, most: float) -> Estimate:
            low, high = (
                None if end is None else min(max(end + value - means[at], least), most) for end in intervals[at]
            )
            return Estimate(mean=number(value), low=low, high=high)

        models: dict[str, dict[str, Estimate]] = {model: {} for model in self.series.models}
        for (metric, model), value in values.items():
            most = self.metrics[metric].most
            models[model][metric] = estimate(self.series.figure(metric, model), value, 0.0, most)
        compared: dict[str, dict[str, Estimate]] = {}
        for metric, model, other in self.series.pairs:
            change, most = values[metric, model] - values[metric, other], self.metrics[metric].most
            at = self.series.difference(metric, model, other)
            compared.setdefault(model, {})[metric] = estimate(at, change, -most, most)
        catalogue = next(iter(self.catalogues.values()))
        return CatalogueFigures(
            items=len(catalogue),
            listed=len(catalogue.item_ids),
            contract={text: dict(metric.contract) for text, metric in self.metrics.items()},
            higher_is_better={text: metric.higher_is_better for text, metric in self.metrics.items()},
            models=models,
            comparisons=compared,
        )


def _units(table: ScoreTable) -> IntArray | None:
    """The number of the unit of each list, int64 [lists]; None: each list is one."""
    distinct, numbers = np.unique(table.units.astype(str), return_inverse=True)
    return None if len(distinct) == len(numbers) else numbers.astype(np.int64)
