"""What the sections `evaluation` and `gate` ask of `eval`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from eval.changes import Texts
from eval.evaluate import Request
from eval.exposure import Attention
from eval.exposure import ExposureBy as GroupsOf
from eval.gate import LEAST_LISTS, ONLINE, BundleSize, EmptyShare, JudgedShare, Latency, MetricRule
from eval.gate import GateRule as Rule
from eval.metrics import parse_metric
from eval.slice_values import LENGTH, Cut
from eval.slices import Code, Slicing
from ranker.errors import RankerError
from ranker.spec import Evaluation, ExposureBy, GateRule, SliceBy
from ranker.spec.evaluation import faults_of_gate
from ranker.workflows.slice_search import SearchColumns, searches_of

__all__ = ["Asked", "request_of", "rules_of"]

_QUARTILES = 4
_MARGIN = 0.01
_CONFIDENCE = 0.95
_JUDGED_AT = 10
_MOST = 50


@dataclass(frozen=True)
class Asked:
    """What is measured of which models.

    Args:
        evaluation: how.
        models: score columns.
        candidate: the model that the gate is for.
        gate: its rules.
        functions: by the names of slices, those of `code`.
        column: of the score table, by the name of a feature.
        texts: columns to show.
        unusable: what becomes of documents without a usable label or score.
        named: the column of the score table by the name that metrics have for it, where that is another.
        searched: what slices that nobody named are made of.
    """

    evaluation: Evaluation
    models: tuple[str, ...]
    candidate: str
    gate: Sequence[GateRule] = ()
    functions: Mapping[str, Code] = field(default_factory=dict)
    column: Callable[[str], str] = str
    texts: Texts = field(default_factory=Texts)
    unusable: Literal["error", "drop"] = "error"
    named: Mapping[str, str] = field(default_factory=dict)
    searched: SearchColumns = field(default_factory=SearchColumns)


def request_of(asked: Asked) -> Request:
    """The request for `eval.evaluate.evaluate`.

    Raises:
        RankerError: for a metric that is not known, or a model or slice that is not there.
    """
    evaluation, judged_at = asked.evaluation, dict.fromkeys([_JUDGED_AT])
    for where, fault in faults_of_gate(asked.gate, evaluation, asked.models, asked.candidate):
        raise RankerError(f"{'.'.join(map(str, where))}: {fault}")
    pairs = []
    for place, rule in enumerate(asked.gate):
        _refuse_whole_runs(place, rule)
        if rule.compared is not None:
            other = _compared(rule, asked)
            model = rule.model or asked.candidate
            if other == model:
                raise RankerError(
                    f"gate.{place}: nothing is online, and {model!r}, the baseline, would be compared with itself; "
                    f"name another model as `against` or as evaluation.baseline"
                )
            if other is not None and other != evaluation.baseline:
                pairs.append((model, other))
        if rule.judged is not None:
            judged_at[rule.k or _JUDGED_AT] = None
    try:
        return Request(
            models=asked.models,
            metrics=tuple(evaluation.metrics),
            baseline=evaluation.baseline,
            also=tuple(dict.fromkeys(pairs)),
            slicings=tuple(_slicing(one, asked) for one in evaluation.slices),
            cluster=None if evaluation.cluster is None else asked.column(evaluation.cluster),
            confidence=evaluation.confidence,
            draws=evaluation.draws,
            seed=evaluation.seed,
            min_lists=evaluation.min_lists,
            texts=asked.texts,
            judged_at=tuple(judged_at),
            unusable=asked.unusable,
            named=asked.named,
            items=evaluation.catalogue,
            exposure=tuple(_exposure(one, asked) for one in evaluation.exposure),
            searches=searches_of(evaluation, asked.searched, asked.models, asked.candidate, asked.column),
        )
    except ValueError as error:
        raise RankerError(f"evaluation: {error}") from error


def _refuse_whole_runs(place: int, rule: GateRule) -> None:
    """Refuse a rule about what is no mean over lists, and has no test."""
    if rule.metric is not None:
        try:
            parse_metric(rule.metric)
        except ValueError as error:
            raise RankerError(f"gate.{place}: {error}") from error


def rules_of(asked: Asked) -> list[Rule]:
    """The rules for `eval.gate.decide`."""
    return [_rule(rule, asked) for rule in asked.gate]


def _slicing(one: SliceBy, asked: Asked) -> Slicing:
    cuts = []
    for cut in one.cuts:
        buckets = cut.buckets if cut.length is None else [float(edge) for edge in cut.length]
        if buckets == "quartile":
            buckets = _QUARTILES
        settled = tuple(buckets) if isinstance(buckets, list) else buckets
        cuts.append(Cut(LENGTH if cut.feature is None else asked.column(cut.feature), settled))
    return Slicing(
        one.label,
        tuple(cuts),
        one.scope or "list",
        one.most or _MOST,
        asked.functions[one.label] if one.code is not None else None,
        tuple(asked.column(name) for name in one.inputs or ()),
    )


def _exposure(one: ExposureBy, asked: Asked) -> GroupsOf:
    settings = {"discount": one.discount, "k": one.k, "patience": one.patience}
    attention: Any = {name: value for name, value in settings.items() if value is not None}
    return GroupsOf(_slicing(one.by, asked), Attention(**attention))


def _compared(rule: GateRule, asked: Asked) -> str | None:
    """The model that a rule compares with; None where that is the baseline, which there is none of."""
    if rule.compared == ONLINE and ONLINE not in asked.models:
        return asked.evaluation.baseline
    return rule.compared


def _rule(rule: GateRule, asked: Asked) -> Rule:
    confidence, lists = rule.confidence or _CONFIDENCE, rule.min_lists or LEAST_LISTS
    model = rule.model or asked.candidate
    if rule.empty_share is not None:
        return EmptyShare(rule.empty_share, confidence, lists)
    if rule.judged is not None:
        return JudgedShare(model, rule.judged, rule.k or _JUDGED_AT, confidence, lists)
    if rule.latency_ms is not None:
        limits = {50: rule.latency_ms.p50, 99: rule.latency_ms.p99}
        return Latency({percent: limit for percent, limit in limits.items() if limit is not None}, confidence)
    if rule.bundle_mb is not None:
        return BundleSize(rule.bundle_mb)
    return _metric_rule(rule, model, confidence, lists)


def _metric_rule(rule: GateRule, model: str, confidence: float, lists: int) -> MetricRule:
    test = rule.test or "non_inferiority"
    default = _MARGIN if test == "non_inferiority" else 0.0
    return MetricRule(
        metric=str(parse_metric(str(rule.metric))),
        model=model,
        against=rule.compared,
        test=test,
        margin=default if rule.margin is None else rule.margin,
        floor=rule.floor,
        slices=tuple(rule.slices) if isinstance(rule.slices, list) else (),
        confidence=confidence,
        min_lists=lists,
    )
