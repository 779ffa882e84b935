"""From scored lists to figures: metrics of each model and slice, and their differences to a baseline."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from eval.beyond_accuracy import Beyond, measure_beyond
from eval.calibration import BINS, ScoreNumbers
from eval.changes import Shown, Texts, changes_of, shown_lists, spread_of
from eval.discovery import Searches, discover
from eval.dropping import notes_of_dropped
from eval.evaluation import Evaluation, SliceNames
from eval.exposure import ExposureBy
from eval.figures import number
from eval.measuring import Plan
from eval.metrics import Judged, Metric, RunMetric, parse_measure
from eval.passes import InTurn, Passes
from eval.per_query import OWN_COLUMNS, SEPARATOR, PerQuery, PerQueryWriter
from eval.ragged import FloatArray
from eval.report.data import Changes, Data, Dropped, Settings
from eval.score_parts import Columns, Scores, WholeTable
from eval.series import Series
from eval.slices import Slices, Slicing, edges_of
from eval.survey import Survey
from eval.surveyed import SurveyPart
from eval.tally import Tally
from eval.totals import MeasurePart, Totals

__all__ = ["INTERVAL", "Request", "evaluate"]

INTERVAL = "percentile, poisson bootstrap"
_JUDGED_AT = 10


@dataclass(frozen=True)
class Request:
    """What is asked of an evaluation.

    Args:
        models: score columns, each once.
        metrics: texts for `parse_metric`, each metric once.
        baseline: one of `models`; the others are compared to it.
        also: further pairs of models to compare, for a gate.
        slicings: how lists are cut.
        cluster: a column of what is resampled, such as users; None: queries.
        confidence: of the intervals, between 0 and 1.
        draws: of the bootstrap, >= 1.
        seed: of the bootstrap, 0 <= seed < 2^64.
        min_lists: slices with fewer are marked as small, and left out of what holds for all slices together.
        texts: columns with what a reader wants to see of queries and documents.
        judged_at: cutoffs at which the share of judged documents is wanted, where it is known.
        unusable: what becomes of documents without a usable label or score: `error`, or `drop`, counted.
        named: the column of the score table by the name that metrics have for it, where that is another.
        items: how many the catalogue has, for metrics of whole runs; None: the documents of the lists.
        exposure: groups of documents whose share of attention is measured.
        searches: for slices that nobody named; None: none.

    Raises:
        ValueError: a request that cannot be measured; the message says how to mend it.
    """

    models: tuple[str, ...]
    metrics: tuple[str, ...]
    baseline: str | None = None
    also: tuple[tuple[str, str], ...] = ()
    slicings: tuple[Slicing, ...] = ()
    cluster: str | None = None
    confidence: float = 0.95
    draws: int = 1000
    seed: int = 0
    min_lists: int = 30
    texts: Texts = field(default_factory=Texts)
    judged_at: tuple[int, ...] = (_JUDGED_AT,)
    unusable: Literal["error", "drop"] = "error"
    named: Mapping[str, str] = field(default_factory=dict)
    items: int | None = None
    exposure: tuple[ExposureBy, ...] = ()
    searches: Searches | None = None

    def __post_init__(self) -> None:
        _check_names("models", self.models)
        _check_names("metrics", [str(parse_measure(text)) for text in self.metrics])
        self._check_beyond()
        if self.slicings:
            _check_names("slices", [slicing.name for slicing in self.slicings])
        for slicing in self.slicings:
            if slicing.name in OWN_COLUMNS or SEPARATOR in slicing.name:
                raise ValueError(f"slices {slicing.name!r}: the name is taken by a column of per_query.parquet; rename")
        if self.baseline is not None and self.baseline not in self.models:
            raise ValueError(
                f"baseline: expected one of the models ({', '.join(self.models)}), got {self.baseline!r}; add it there"
            )
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence: expected a number between 0 and 1, such as 0.95, got {self.confidence}")
        if self.draws < 1:
            raise ValueError(f"draws: expected at least 1, got {self.draws}")

    def _check_beyond(self) -> None:
        if not self.parsed:
            raise ValueError(
                f"metrics: expected one of lists beside {', '.join(self.beyond.metrics)}, which are of whole runs; add"
                " one, such as ndcg@10"
            )
        if self.items is not None and not self.beyond.metrics:
            raise ValueError("catalogue: has no effect without a metric of whole runs, such as coverage@10; add one")
        if self.exposure:
            _check_names("exposure", [one.slicing.name for one in self.exposure])

    @cached_property
    def parsed(self) -> dict[str, Metric]:
        """The metrics of lists by their texts."""
        return {str(metric): metric for metric in map(parse_measure, self.metrics) if isinstance(metric, Metric)}

    @cached_property
    def beyond(self) -> Beyond:
        """What is asked for beyond the metrics of lists."""
        measures = map(parse_measure, self.metrics)
        return Beyond(
            self.models,
            self.baseline,
            {str(metric): metric for metric in measures if isinstance(metric, RunMetric)},
            self.named,
            self.items,
            self.exposure,
            self.confidence,
            self.draws,
            self.seed,
        )

    @property
    def content(self) -> dict[str, str]:
        """The column of the score table by the name that metrics of lists have for it."""
        names = dict.fromkeys(name for metric in self.parsed.values() for name in metric.columns)
        return {name: self.named.get(name, name) for name in names}

    @property
    def popularities(self) -> list[str]:
        """Columns of the score table with the popularity of documents."""
        names = (name for metric in self.beyond.metrics.values() for name in metric.columns)
        return [self.named.get(name, name) for name in dict.fromkeys(names)]

    @property
    def numbers(self) -> list[str]:
        """Columns that hold numbers, beside label and scores; a file of texts does not say which."""
        slicings = [*self.slicings, *(one.slicing for one in self.exposure)]
        cut = [cut.column for slicing in slicings for cut in slicing.cuts if cut.buckets is not None]
        searched = self.searches.numbers if self.searches is not None else ()
        return [*cut, *self.popularities, *searched]

    @property
    def columns(self) -> Columns:
        """What is read of the score table."""
        slicings = [*self.slicings, *(one.slicing for one in self.exposure)]
        others = [*(name for slicing in slicings for name in slicing.columns), *self.texts.columns]
        others += [*self.content.values(), *self.popularities]
        others += self.searches.columns if self.searches is not None else ()
        return Columns(self.models, tuple(dict.fromkeys(others)), self.cluster, self.unusable)


def evaluate(
    scores: pa.Table | Scores, request: Request, per_query: Path | None = None, passes: Passes | None = None
) -> Evaluation:
    """Measure models.

    Args:
        scores: a score table, as `read_score_table` takes it; or scored lists in parts, read with `request.columns`.
        request: what to measure.
        per_query: a Parquet file to write the figures of each list to; None: they stay in memory.
        passes: how the parts of `scores` are gone through; None: in turn.

    Raises:
        ValueError: a table that cannot be measured; the message says how to mend it.
    """
    given = WholeTable(scores, request.columns) if isinstance(scores, pa.Table) else scores
    passes = passes or InTurn(given)
    survey, slices, score_edges = _survey(passes, request)
    plan = _plan(request, survey, slices)
    about = _About.of(request, plan, given.dropped)
    totals, rows = _measure(passes, plan, about, score_edges, per_query)
    return Evaluation(
        contract=about.contract,
        higher_is_better=about.higher_is_better,
        series=plan.series,
        slices=about.slices,
        tally=totals.tally,
        settings=about.settings,
        data=_data(survey, plan, totals.tally, given.dropped),
        per_query=rows,
        changes=_changes(given, request, rows, about.higher_is_better),
        calibration=totals.calibration.bins(request.confidence),
        beyond=measure_beyond(request.beyond, passes, survey.largest_label),
        discovery=None if request.searches is None else discover(request.searches, passes, rows),
        notes=notes_of_dropped(given.dropped),
    )


@dataclass(frozen=True)
class _About:
    """What the report and the table of queries say of how it was measured."""

    contract: Mapping[str, Mapping[str, str]]
    higher_is_better: Mapping[str, bool]
    settings: Settings
    slices: Sequence[SliceNames]
    models: Sequence[str]
    baseline: str | None
    dropped: Dropped

    @classmethod
    def of(cls, request: Request, plan: Plan, dropped: Dropped) -> "_About":
        settings = Settings(
            confidence=request.confidence,
            draws=request.draws,
            seed=request.seed,
            unit=request.cluster or "query",
            interval=INTERVAL,
            min_lists=request.min_lists,
        )
        return cls(
            {text: dict(plan.metrics[text].contract) for text in request.parsed},
            {text: metric.higher_is_better for text, metric in request.parsed.items()},
            settings,
            [SliceNames(one.slicing.name, one.slicing.scope, one.values, one.merged) for one in plan.slices],
            request.models,
            request.baseline,
            dropped,
        )

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Metric and model of each column of the table of queries."""
        return [(metric, model) for metric in self.contract for model in self.models]

    @property
    def metadata(self) -> dict[str, Any]:
        """For the table of queries."""
        return {
            "contract": self.contract,
            "settings": self.settings,
            "models": list(self.models),
            "baseline": self.baseline,
            "slices": [vars(one) for one in self.slices],
            "notes": notes_of_dropped(self.dropped),
        }


def _survey(passes: Passes, request: Request) -> tuple[Survey, list[Slices], dict[str, FloatArray]]:
    """What has to be known of all lists first: counts, slices, and the bins of scores."""
    edges, bins = edges_of(request.slicings, passes), dict.fromkeys(request.models, (BINS,))
    found, even = passes.survey(SurveyPart(request.slicings, edges), ScoreNumbers(request.models), bins)
    survey = found.survey
    if survey.empty == survey.queries:
        raise ValueError(
            f"score table: expected a label above 0, got none in {survey.queries} queries, so that no metric is"
            " defined; check the label column and how judgements were joined"
        )
    score_edges = {model: even[model, BINS] for model in request.models}
    return survey, [counted.settled() for counted in found.frequencies], score_edges


def _plan(request: Request, survey: Survey, slices: Sequence[Slices]) -> Plan:
    """The request with every choice made; the shares of judged documents are measured beside what is asked for."""
    metrics = dict(request.parsed)
    if survey.judged:
        metrics |= {f"judged@{k}": Judged(k) for k in request.judged_at if f"judged@{k}" not in metrics}
    settled = {text: metric.settle(survey.largest_label, qrels=False) for text, metric in metrics.items()}
    series = Series(tuple(settled), request.models, request.baseline, request.also)
    return Plan(settled, series, slices, request.draws, request.seed, request.content)


def _measure(
    passes: Passes, plan: Plan, about: _About, score_edges: Mapping[str, FloatArray], path: Path | None
) -> tuple[Totals, PerQuery]:
    """Sums over all parts, and the table of queries."""
    writer = PerQueryWriter(path)
    totals = passes.measure(MeasurePart(plan, about.columns, about.metadata, score_edges), writer.add)
    return totals, writer.close()


def _data(survey: Survey, plan: Plan, tally: Tally, dropped: Dropped) -> Data:
    """The part of the report about what was measured."""
    models, whole = plan.series.models, tally.sums[0].mean
    judged: dict[str, Any] = {
        metric: {model: number(whole[plan.series.figure(metric, model)]) for model in models}
        for metric in plan.metrics
        if metric.startswith("judged@")
    }
    return Data(
        queries=survey.queries,
        documents=survey.documents,
        empty=survey.empty,
        missing=dict.fromkeys(models, 0),
        dropped=dropped,
        labels=survey.label_counts(),
        lengths=survey.length_summary(),
        **({f"judged@{_JUDGED_AT}": dict.fromkeys(models)} | judged),
    )


def _changes(
    scores: Scores, request: Request, rows: PerQuery, higher_is_better: Mapping[str, bool]
) -> dict[str, dict[str, Changes]]:
    """How differences are spread, by model and metric, with the lists of the queries that are shown."""
    baseline = request.baseline
    if baseline is None:
        return {}
    others = [model for model in request.models if model != baseline]
    spreads = {
        (model, metric): spread_of(rows, metric, model, baseline, higher_is_better=higher)
        for model in others
        for metric, higher in higher_is_better.items()
    }
    queries = np.array(sorted(set().union(*(spread.query_ids for spread in spreads.values()))), dtype=object)
    shown: Shown = {}
    for table in scores.find(queries) if len(queries) else ():
        shown = {**shown, **shown_lists(table, request.texts)}
    return {
        model: {metric: changes_of(spreads[model, metric], model, baseline, shown) for metric in higher_is_better}
        for model in others
    }


def _check_names(what: str, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not names or twice:
        raise ValueError(f"{what}: expected at least one, each once; got {', '.join(names) or 'none'}")
