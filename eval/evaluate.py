"""From scored lists to figures: metrics of each model and slice, and their differences to a baseline."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from eval.calibration import Calibration, ScoreEdges
from eval.changes import Shown, Texts, changes_of, shown_lists, spread_of
from eval.evaluation import Evaluation, SliceNames
from eval.figures import number
from eval.measuring import Plan
from eval.metrics import Judged, Metric, parse_metric
from eval.per_query import OWN_COLUMNS, SEPARATOR, PerQuery, PerQueryWriter, per_query_rows
from eval.ragged import FloatArray
from eval.report.data import Changes, Data, Settings
from eval.score_parts import Columns, Scores, WholeTable
from eval.series import Series
from eval.slices import Frequencies, Slices, Slicing, edges_of
from eval.survey import Survey
from eval.tally import Tally

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

    def __post_init__(self) -> None:
        _check_names("models", self.models)
        _check_names("metrics", [str(parse_metric(text)) for text in self.metrics])
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

    @cached_property
    def parsed(self) -> dict[str, Metric]:
        """The metrics by their texts."""
        return {str(metric): metric for metric in map(parse_metric, self.metrics)}

    @property
    def columns(self) -> Columns:
        """What is read of the score table."""
        others = [*(name for slicing in self.slicings for name in slicing.columns), *self.texts.columns]
        return Columns(self.models, tuple(dict.fromkeys(others)), self.cluster, self.unusable)


def evaluate(scores: pa.Table | Scores, request: Request, per_query: Path | None = None) -> Evaluation:
    """Measure models.

    Args:
        scores: a score table, as `read_score_table` takes it; or scored lists in parts, read with `request.columns`.
        request: what to measure.
        per_query: a Parquet file to write the figures of each list to; None: they stay in memory.

    Raises:
        ValueError: a table that cannot be measured; the message says how to mend it.
    """
    given = WholeTable(scores, request.columns) if isinstance(scores, pa.Table) else scores
    survey, slices, score_edges = _survey(given, request)
    plan = _plan(request, survey, slices)
    about = _About.of(request, plan)
    tally, calibration, rows = _measure(given, plan, about, score_edges, per_query)
    return Evaluation(
        contract=about.contract,
        higher_is_better=about.higher_is_better,
        series=plan.series,
        slices=about.slices,
        tally=tally,
        settings=about.settings,
        data=_data(survey, plan, tally, given.dropped),
        per_query=rows,
        changes=_changes(given, request, rows, about.higher_is_better),
        calibration=calibration.bins(request.confidence),
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

    @classmethod
    def of(cls, request: Request, plan: Plan) -> "_About":
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
        }


def _survey(scores: Scores, request: Request) -> tuple[Survey, list[Slices], dict[str, FloatArray]]:
    """What has to be known of all lists first: counts, slices, and the bins of scores."""
    edges = edges_of(request.slicings, scores.parts, scores.directory)
    survey, frequencies = Survey(), [Frequencies(slicing, edges) for slicing in request.slicings]
    score_edges = ScoreEdges(request.models, scores.directory)
    for table in scores.parts():
        survey.add(table)
        score_edges.add(table)
        for counted in frequencies:
            counted.add(table)
    if survey.empty == survey.queries:
        raise ValueError(
            f"score table: expected a label above 0, got none in {survey.queries} queries, so that no metric is"
            " defined; check the label column and how judgements were joined"
        )
    return survey, [counted.settled() for counted in frequencies], score_edges.edges()


def _plan(request: Request, survey: Survey, slices: Sequence[Slices]) -> Plan:
    """The request with every choice made; the shares of judged documents are measured beside what is asked for."""
    metrics = dict(request.parsed)
    if survey.judged:
        metrics |= {f"judged@{k}": Judged(k) for k in request.judged_at if f"judged@{k}" not in metrics}
    settled = {text: metric.settle(survey.largest_label, qrels=False) for text, metric in metrics.items()}
    series = Series(tuple(settled), request.models, request.baseline, request.also)
    return Plan(settled, series, slices, request.draws, request.seed)


def _measure(
    scores: Scores, plan: Plan, about: _About, score_edges: Mapping[str, FloatArray], path: Path | None
) -> tuple[Tally, Calibration, PerQuery]:
    """Sums over all parts, and the table of queries."""
    writer = PerQueryWriter(path)

    def measured() -> Iterator[tuple[Tally, Calibration]]:
        for table in scores.parts():
            part = plan.measure(table)
            writer.add(per_query_rows(part, about.columns, about.metadata))
            yield part.tally, Calibration.of(table, score_edges)

    tally, calibration = reduce(lambda one, two: (one[0] + two[0], one[1] + two[1]), measured())
    return tally, calibration, writer.close()


def _data(survey: Survey, plan: Plan, tally: Tally, dropped: int) -> Data:
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
