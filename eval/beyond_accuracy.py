"""What is asked of rankings beside that they are good: to show much of the catalogue, and to be fair to groups.

`measure_beyond` goes over all parts of the lists: to learn which items and groups there are, to add up what they get,
and, for figures of whole runs, once more for their intervals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import add
from typing import Any

from eval.exposure import ExposureBy, Exposures, exposures
from eval.metrics import RunMetric
from eval.metrics.gain import default_gain
from eval.passes import Passes
from eval.ragged import FloatArray
from eval.ranking import rank
from eval.report.data import CatalogueFigures, Exposure
from eval.score_table import ScoreTable
from eval.series import Series
from eval.slice_values import Cut
from eval.slices import Frequencies, Slices, edges_of
from eval.whole_run import Items, RunPart, RunPlan

__all__ = ["Beyond", "Found", "measure_beyond"]


@dataclass(frozen=True)
class Beyond:
    """What is asked for beyond the metrics of lists.

    Args:
        models: score columns.
        baseline: one of them; None: there is none.
        metrics: of whole runs, by their texts.
        named: the column of the score table by the name that metrics have for it, where that is another.
        items: how many the catalogue has; None: the documents of the lists.
        exposure: groups of documents.
        confidence: of intervals.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """

    models: tuple[str, ...]
    baseline: str | None = None
    metrics: Mapping[str, RunMetric[Any]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    items: int | None = None
    exposure: tuple[ExposureBy, ...] = ()
    confidence: float = 0.95
    draws: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """The figures.

    Args:
        catalogue: of whole runs; None: none is asked for.
        exposure: of each grouping.
    """

    catalogue: CatalogueFigures | None = None
    exposure: tuple[Exposure, ...] = ()


def measure_beyond(asked: Beyond, passes: Passes, largest_label: float) -> Found:
    """Measure.

    Args:
        asked: what.
        passes: over all lists.
        largest_label: of all lists, by which the gain of labels is chosen.

    Raises:
        ValueError: a column that does not hold what it has to; it is named.
    """
    if not asked.metrics and not asked.exposure:
        return Found()
    edges = edges_of([one.slicing for one in asked.exposure], passes)
    known, _ = passes.survey(partial(_gather, asked, edges), _no_numbers, {})
    plan = _Plan.of(asked, known, default_gain(largest_label))
    whole, _ = passes.survey(plan.part, _no_numbers, {})
    catalogue = None
    if plan.runs is not None and whole.runs is not None:
        resampled, _ = passes.survey(partial(plan.runs.resampled, whole=whole.runs), _no_numbers, {})
        catalogue = plan.runs.found(whole.runs, resampled, asked.confidence)
    return Found(catalogue, plan.exposure(whole))


@dataclass(frozen=True, eq=False)
class _Known:
    """Which items and groups some lists hold; `a + b` is what two parts hold."""

    items: Items | None
    groups: tuple[Frequencies, ...]

    def __add__(self, other: "_Known") -> "_Known":
        items = None if self.items is None or other.items is None else self.items + other.items
        return _Known(items, tuple(map(add, self.groups, other.groups)))


def _gather(asked: Beyond, edges: Mapping[Cut, FloatArray], table: ScoreTable) -> _Known:
    groups = tuple(Frequencies(one.slicing, edges) for one in asked.exposure)
    for counted in groups:
        counted.add(table)
    return _Known(Items.of(table, asked.metrics, asked.named) if asked.metrics else None, groups)


@dataclass(frozen=True)
class _Part:
    """What some lists give; `a + b` is that of two parts with no unit in common."""

    runs: RunPart | None
    exposures: tuple[Exposures, ...]

    def __add__(self, other: "_Part") -> "_Part":
        runs = None if self.runs is None or other.runs is None else self.runs + other.runs
        return _Part(runs, tuple(map(add, self.exposures, other.exposures)))


@dataclass(frozen=True, eq=False)
class _Plan:
    """Measures parts of the lists, all alike.

    Args:
        asked: what is measured.
        runs: metrics of whole runs; None: there are none.
        groups: of each grouping.
        gain: of labels, for the share of relevance.
    """

    asked: Beyond
    runs: RunPlan | None
    groups: tuple[Slices, ...]
    gain: str

    @classmethod
    def of(cls, asked: Beyond, known: _Known, gain: str) -> "_Plan":
        runs = None
        if known.items is not None:
            catalogues = known.items.catalogues(asked.metrics, asked.items)
            series = Series(tuple(asked.metrics), asked.models, asked.baseline)
            runs = RunPlan(asked.metrics, catalogues, series, asked.draws, asked.seed)
        return cls(asked, runs, tuple(counted.settled() for counted in known.groups), gain)

    def part(self, table: ScoreTable) -> _Part:
        """Measure a part of the lists."""
        runs = None if self.runs is None else self.runs.part(table)
        if not self.groups:
            return _Part(runs, ())
        rankings = {model: rank(table.lists, table.scores[model]) for model in self.asked.models}
        options: dict[str, Any] = {"gain": self.gain, "draws": self.asked.draws, "seed": self.asked.seed}
        return _Part(
            runs,
            tuple(
                exposures(rankings, groups.of_documents(table), table.units, one.attention, **options)
                for one, groups in zip(self.asked.exposure, self.groups, strict=True)
            ),
        )

    def exposure(self, whole: _Part) -> tuple[Exposure, ...]:
        """What groups get, by the sum over all parts."""
        return tuple(
            Exposure(
                name=one.slicing.name,
                attention=str(one.attention),
                gain=self.gain,
                lists=found.lists,
                left_out=found.left_out,
                merged=groups.merged,
                groups=found.figures(self.asked.confidence, self.asked.baseline),
            )
            for one, groups, found in zip(self.asked.exposure, self.groups, whole.exposures, strict=True)
        )


def _no_numbers(_: ScoreTable) -> dict[str, FloatArray]:
    return {}
