"""The sections `evaluation` and `gate`: what is measured on the test lists, and what a model has to keep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from ranker.spec.features import Feature, Features
from ranker.spec.find_slices import Finding, faults_of_search
from ranker.spec.section import Location, Section, Share, refuse_repeats

__all__ = [
    "Evaluation",
    "ExposureBy",
    "GateRule",
    "Latency",
    "SliceBy",
    "SliceCut",
    "faults_of_evaluation",
    "faults_of_gate",
]

ONLINE = "online"

_FUNCTION = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
_OWN_COLUMNS = ("query_id", "unit", "documents", "relevant", "judgements", "ranked", "undefined")

ColumnName = Annotated[str, Field(min_length=1)]
SliceName = Annotated[str, Field(min_length=1, pattern=r"^[^|=]+$")]


def _said(what: str) -> WrapValidator:
    """One message where a value fits none of several forms."""

    def validate(value: Any, form: ValidatorFunctionWrapHandler) -> Any:
        try:
            return form(value)
        except ValidationError:
            raise ValueError(f"expected {what}, got {value!r:.60}") from None

    return WrapValidator(validate)


Buckets = Annotated[
    Literal["quartile"] | Annotated[int, Field(ge=2, le=1000)] | Annotated[list[float], Field(min_length=1)],
    _said("quartile, a number of buckets from 2 to 1000, or the edges between them"),
]
Lengths = Annotated[list[int], Field(min_length=1)]


def _named(value: Any) -> Any:
    """A name alone is a feature."""
    return {"feature": value} if isinstance(value, str) else value


def _named_or_crossed(value: Any) -> Any:
    """A name alone is a feature, a list a cross."""
    return {"cross": value} if isinstance(value, list) else _named(value)


def _refuse_falling(what: str, edges: Sequence[float]) -> None:
    if any(second <= first for first, second in pairwise(edges)):
        raise ValueError(f"{what}: expected rising edges, got {list(edges)}")


class SliceCut(Section):
    """What lists are cut by: a feature, or `length`, the edges between numbers of documents.

    `buckets` of a number: `quartile`, how many with as many lists each, or the edges between them; a number equal to an
    edge lies above it.
    """

    feature: ColumnName | None = None
    buckets: Buckets | None = None
    length: Lengths | None = None

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if (self.feature is None) == (self.length is None):
            raise ValueError("expected feature or length, one of them")
        if self.length is not None and self.buckets is not None:
            raise ValueError("buckets has no effect with length, which has its edges; leave it out")
        if isinstance(self.buckets, list):
            _refuse_falling("buckets", self.buckets)
        _refuse_falling("length", self.length or [])
        return self

    @property
    def label(self) -> str:
        """What slices by it are called."""
        return self.feature or "list length"


class SliceBy(Section):
    """How lists are cut into slices: by a `feature`, a `cross` of several, `length`, or a function of yours.

    A name alone stands for `{feature: NAME}`, a list for `{cross: [...]}`. With `scope: list` a list belongs to each
    value that one of its documents has; with `scope: document` only the documents with the value stay in the list.
    The `most` values that most lists have are slices of their own, the others are merged into "(other)".

    `code: "module:function"` is imported from the folder of the spec. The function takes a numpy array `[documents]`
    for each of the features in `inputs` and gives a text, or None for missing, for each document.
    """

    feature: ColumnName | None = None
    buckets: Buckets | None = None
    length: Lengths | None = None
    cross: Annotated[list[Annotated[SliceCut, BeforeValidator(_named, str | SliceCut)]], Field(min_length=2)] | None = (
        None
    )
    code: Annotated[str, Field(pattern=_FUNCTION, description="module:function")] | None = None
    inputs: Annotated[list[ColumnName], Field(min_length=1)] | None = None
    scope: Literal["list", "document"] | None = Field(None, description="default: list")
    most: Annotated[int, Field(ge=1)] | None = Field(None, description="default: 50")
    name: SliceName | None = None

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        ways = [way for way in ("feature", "length", "cross", "code") if getattr(self, way) is not None]
        if len(ways) != 1:
            raise ValueError(f"expected one of feature, length, cross, code; got {' and '.join(ways) or 'none'}")
        only = {
            "buckets": ["feature"],
            "inputs": ["code"],
            "scope": ["feature", "cross", "code"],
            "most": ["feature", "cross", "code"],
        }
        for option, of in only.items():
            if getattr(self, option) is not None and ways[0] not in of:
                raise ValueError(f"{option} has no effect with {ways[0]}; leave it out")
        if self.buckets is not None and self.most is not None:
            raise ValueError("most has no effect with buckets, which are never merged; leave it out")
        if self.code is not None and (self.inputs is None or self.name is None):
            raise ValueError("code needs inputs, the features that the function reads, and a name for the slices")
        if self.cross is None and self.code is None:
            SliceCut(feature=self.feature, buckets=self.buckets, length=self.length)
        return self

    @property
    def cuts(self) -> list[SliceCut]:
        """What is crossed; of a function nothing."""
        if self.code is not None:
            return []
        return self.cross or [SliceCut(feature=self.feature, buckets=self.buckets, length=self.length)]

    @property
    def label(self) -> str:
        """What the slices are called."""
        return self.name or " × ".join(cut.label for cut in self.cuts)

    @property
    def features(self) -> list[str]:
        """The features that are read."""
        return [*(cut.feature for cut in self.cuts if cut.feature is not None), *(self.inputs or [])]


Slice = Annotated[SliceBy, BeforeValidator(_named_or_crossed, str | list[str | SliceCut] | SliceBy)]


def _named_groups(value: Any) -> Any:
    """A name alone, or a list, says what groups are."""
    return {"by": value} if isinstance(value, str | list) else value


class ExposureBy(Section):
    """Groups of documents whose share of the readers' attention is held against their share of relevance.

    `by` is written like a slice. Attention falls with position: `log`, 1 / log2(position + 1), or `geometric`,
    patience^(position - 1); below position `k` there is none.
    """

    by: Slice
    discount: Literal["log", "geometric"] | None = Field(None, description="default: log")
    k: Annotated[int, Field(ge=1)] | None = Field(None, description="default: to the end of the list")
    patience: Share | None = Field(None, description="default: 0.8")

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if self.by.scope is not None:
            raise ValueError("scope has no effect on exposure; leave it out")
        if self.by.cuts and all(cut.length is not None for cut in self.by.cuts):
            raise ValueError("length says nothing of the documents of a list, which all have the same; name a feature")
        if self.patience is not None and self.discount != "geometric":
            raise ValueError("patience has no effect without discount: geometric")
        return self


class Evaluation(Section):
    """What is measured on the test lists, in which slices, and against which model of the bundle.

    Intervals are those of `draws` resamples of queries; with a `cluster`, a query's feature such as the user, of all
    queries of a cluster together. Slices with fewer than `min_lists` lists are marked, and left out of what is said for
    all slices together.

    `exposure` says for which groups of documents the share of attention is measured. `catalogue` is the number of items
    that could be shown, for coverage, gini and novelty; by default those are the documents of the test lists.
    """

    metrics: Annotated[list[str], Field(min_length=1)] = ["ndcg@10"]
    baseline: ColumnName | None = None
    slices: list[Slice] = []
    cluster: ColumnName | None = None
    confidence: Share = 0.95
    draws: Annotated[int, Field(ge=100, le=100_000)] = 1000
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0
    min_lists: Annotated[int, Field(ge=2)] = 30
    exposure: list[Annotated[ExposureBy, BeforeValidator(_named_groups, str | list[str | SliceCut] | ExposureBy)]] = []
    catalogue: Annotated[int, Field(ge=1)] | None = Field(None, description="default: documents of the test lists")
    find_slices: Finding | None = None

    @property
    def groupings(self) -> list[SliceBy]:
        """All that lists or documents are grouped by: slices, and groups for exposure."""
        return [*self.slices, *(one.by for one in self.exposure)]

    @model_validator(mode="after")
    def _draws_reach_the_confidence(self) -> Self:
        least = math.ceil(2 / (1 - self.confidence) - 1e-6)
        if self.draws < least:
            raise ValueError(
                f"confidence {self.confidence:g} needs at least {least} draws, for one beyond each end of an interval;"
                f" got {self.draws}"
            )
        return self

    @model_validator(mode="after")
    def _groups_differ(self) -> Self:
        refuse_repeats("exposure", [one.by.label for one in self.exposure])
        codes = [one for one in self.groupings if one.code is not None]
        for one in codes:
            if any(other.label == one.label and other.code != one.code for other in codes):
                raise ValueError(f"{one.label!r} is computed by two functions, for slices and exposure; rename one")
        return self

    @model_validator(mode="after")
    def _searches_are_measured(self) -> Self:
        wanted = (self.find_slices and self.find_slices.metrics) or []
        if unknown := [metric for metric in wanted if metric not in self.metrics]:
            raise ValueError(f"find_slices.metrics: expected some of {self.metrics}, got {unknown[0]!r}; add it there")
        return self

    @model_validator(mode="after")
    def _slices_differ(self) -> Self:
        refuse_repeats("slices", [one.label for one in self.slices])
        for one in self.slices:
            if one.label in _OWN_COLUMNS:
                raise ValueError(f"slices {one.label!r}: the name is taken by a column of the table of queries; rename")
        return self


class Latency(Section):
    """Limits of the time of a call for one list, in milliseconds: of the median and of the 99th percentile."""

    p50: Annotated[float, Field(gt=0)] | None = None
    p99: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.p50 is None and self.p99 is None:
            raise ValueError("expected p50 or p99, in milliseconds")
        return self


_OPTIONS = {
    "metric": ("against", "test", "margin", "floor", "slices", "model", "confidence", "min_lists"),
    "empty_share": ("confidence", "min_lists"),
    "judged": ("k", "model", "confidence", "min_lists"),
    "latency_ms": ("confidence",),
    "bundle_mb": (),
}


class GateRule(Section):
    """A rule that a model has to keep before it goes online: PASS, FAIL or, where the lists do not tell, INCONCLUSIVE.

    `metric`: against another model (`online`, the default, is the one that is served, or the baseline where there is
    none), it may not be worse by `margin` or more (`test: non_inferiority`), or has to be better by more than the
    margin (`superiority`); or, with a `floor`, not below it. In `slices`, by their names, each value with `min_lists`
    lists is judged, all together at the `confidence`; `NAME=VALUE` has to be there. Nothing is decided on fewer lists.

    `empty_share`: the largest share of lists without a relevant document. `judged`: the least share of judged documents
    among the first `k`. `latency_ms`: of one call. `bundle_mb`: the largest size. `model` is the blend by default.
    """

    metric: str | None = None
    empty_share: Annotated[float, Field(ge=0, le=1)] | None = None
    judged: Annotated[float, Field(ge=0, le=1)] | None = None
    latency_ms: Latency | None = None
    bundle_mb: Annotated[float, Field(gt=0)] | None = None
    model: ColumnName | None = None
    against: ColumnName | None = None
    test: Literal["non_inferiority", "superiority"] | None = None
    margin: Annotated[float, Field(ge=0)] | None = Field(None, description="default: 0.01, for superiority 0")
    floor: float | None = None
    slices: Annotated[
        Literal["overall"] | Annotated[list[str], Field(min_length=1)] | None, _said("overall or names of slices")
    ] = None
    k: Annotated[int, Field(ge=1)] | None = Field(None, description="default: 10")
    confidence: Share | None = Field(None, description="default: 0.95")
    min_lists: Annotated[int, Field(ge=30)] | None = Field(None, description="default: 100")

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        kinds = [kind for kind in _OPTIONS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"expected one of {', '.join(_OPTIONS)}; got {' and '.join(kinds) or 'none'}")
        known = {option for options in _OPTIONS.values() for option in options}
        for option in sorted(known - set(_OPTIONS[kinds[0]])):
            if getattr(self, option) is not None:
                raise ValueError(f"{option} has no effect with {kinds[0]}; leave it out")
        if self.floor is not None:
            for option in ("against", "test", "margin"):
                if getattr(self, option) is not None:
                    raise ValueError(f"{option} has no effect with floor; make it a rule of its own")
        return self

    @property
    def compared(self) -> str | None:
        """The model that a metric is compared with; None: it is not compared."""
        return None if self.metric is None or self.floor is not None else self.against or ONLINE


def faults_of_evaluation(
    evaluation: Evaluation, features: Features, models: Sequence[str]
) -> Iterator[tuple[Location, str]]:
    """Where `evaluation` names what is not there, or what cannot be cut by."""
    if evaluation.baseline not in (None, "blend", *models):
        yield ("evaluation", "baseline"), f"no model {evaluation.baseline!r}; there are {list(models)}"
    of_query = {feature.name: feature for feature in features.query}
    known = of_query | {feature.name: feature for feature in features.of_documents}
    for place, one in enumerate(evaluation.slices):
        where = ("evaluation", "slices", place)
        buckets = [cut.feature for cut in one.cuts if cut.buckets is not None]
        for name in one.features:
            if name not in known:
                yield where, f"no feature {name!r} under query, document or pair; there are {list(known)}"
            elif fault := _fault_of_slice(known[name], buckets=name in buckets):
                yield where, fault
        if one.scope == "document" and one.features and all(name in of_query for name in one.features):
            yield where, f"scope: document has no effect on features of the query ({', '.join(one.features)})"
    yield from _faults_of_exposure(evaluation, known, of_query)
    yield from faults_of_search(evaluation.find_slices, known)
    cluster = evaluation.cluster
    if cluster is not None and (cluster not in of_query or not _is_text(of_query[cluster])):
        texts = [name for name, feature in of_query.items() if _is_text(feature)]
        yield ("evaluation", "cluster"), f"no text or category {cluster!r} under features.query; there are {texts}"


def _faults_of_exposure(
    evaluation: Evaluation, known: Mapping[str, Feature], of_query: Mapping[str, Feature]
) -> Iterator[tuple[Location, str]]:
    for place, exposure in enumerate(evaluation.exposure):
        where, one = ("evaluation", "exposure", place), exposure.by
        buckets = [cut.feature for cut in one.cuts if cut.buckets is not None]
        for name in one.features:
            if name not in known:
                yield where, f"no feature {name!r} under query, document or pair; there are {list(known)}"
            elif fault := _fault_of_slice(known[name], buckets=name in buckets):
                yield where, fault
        if one.features and all(name in of_query for name in one.features):
            told = ", ".join(one.features)
            yield where, f"all documents of a list are of one group by features of the query ({told}); name others"


def faults_of_gate(
    gate: Sequence[GateRule], evaluation: Evaluation, models: Sequence[str], candidate: str = "blend"
) -> Iterator[tuple[Location, str]]:
    """Where `gate`, which is for `candidate`, names what is not there."""
    known, names = list(dict.fromkeys([candidate, *models])), [one.label for one in evaluation.slices]
    for place, rule in enumerate(gate):
        where = ("gate", place)
        if rule.metric is not None and rule.metric not in evaluation.metrics:
            yield (
                (*where, "metric"),
                f"{rule.metric!r} is not among evaluation.metrics {evaluation.metrics}; add it there",
            )
        for option in ("model", "against"):
            name = getattr(rule, option)
            if name is not None and name not in known and (option, name) != ("against", ONLINE):
                yield (*where, option), f"no model {name!r}; there are {known}"
        if rule.compared == (rule.model or candidate):
            yield where, f"{rule.compared!r} is compared with itself; name another model"
        if rule.compared == ONLINE and evaluation.baseline is None and ONLINE not in models:
            yield where, "against: online needs evaluation.baseline, which stands in while nothing is online"
        for name in rule.slices if isinstance(rule.slices, list) else ():
            if name not in names and name.partition("=")[0] not in names:
                yield (*where, "slices"), f"no slices {name!r} under evaluation.slices; there are {names}"


def _is_text(feature: Feature) -> bool:
    if feature.kind == "categorical":
        return not feature.multivalued
    return feature.kind == "text" or (feature.kind == "raw" and feature.type == "text")


def _fault_of_slice(feature: Feature, *, buckets: bool) -> str | None:
    """Why lists cannot be cut by a feature."""
    if feature.kind == "vector" or (feature.kind == "raw" and feature.width is not None):
        return f"{feature.name}: slices by a vector are not possible; write a function of it, with code"
    number = feature.kind in ("numeric", "date") or (feature.kind == "raw" and feature.type == "number")
    return f"{feature.name}: buckets need a number or a date" if buckets and not number else None
