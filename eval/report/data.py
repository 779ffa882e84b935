"""The report as data: what report.json holds, format_version 1.

Numbers have 10 significant digits, because sums in another order change later ones; what is not defined is null.
"""

from typing import Any, TypedDict

__all__ = [
    "FORMAT_VERSION",
    "Bin",
    "CatalogueFigures",
    "Changes",
    "Comparison",
    "Data",
    "Delta",
    "Discovery",
    "Document",
    "Dropped",
    "DroppedForLabel",
    "DroppedForScore",
    "Estimate",
    "Exposure",
    "Figure",
    "FoundSlice",
    "Gate",
    "GroupShares",
    "Model",
    "ModelShare",
    "Query",
    "Report",
    "Rule",
    "Settings",
    "SliceSearch",
    "SliceValue",
    "Slicing",
    "Source",
]

FORMAT_VERSION = 1


class Figure(TypedDict):
    """A metric of a model over lists.

    `lists` of them have a value; for `empty` of them the metric is not defined, and in `tied` tied scores reach into
    the first k positions (null: not known). `low` and `high` are the ends of the interval, null below 5 units.
    """

    mean: float | None
    low: float | None
    high: float | None
    lists: int
    empty: int
    tied: int | None


class Delta(TypedDict):
    """Model minus baseline over the lists where both have a value.

    `p_t` and `p_randomisation` are of this difference alone. `p_adjusted` (Westfall and Young's MaxT), `p_holm` (Holm)
    and `q` (Benjamini and Hochberg), these two from `p_t`, hold for a family: of an overall difference those of all
    models in the same metric, of a slice those of all slices with `min_lists` lists of the same model and metric; null
    outside. `bound_low` and `bound_high` all hold together in the family. `effect` is Cohen's d_z, `detectable` the
    difference that a test at this confidence finds with probability 0.8.
    """

    mean: float | None
    low: float | None
    high: float | None
    lists: int
    p_t: float | None
    p_randomisation: float | None
    p_adjusted: float | None
    p_holm: float | None
    q: float | None
    effect: float | None
    detectable: float | None
    bound_low: float | None
    bound_high: float | None


class Document(TypedDict):
    """A document as a model ranks it."""

    id: str
    label: float
    score: float
    title: str | None


class Query(TypedDict):
    """A query with the values of model and baseline, and the first 10 documents of each (null: not known)."""

    query_id: str
    delta: float
    model: float
    baseline: float
    text: str | None
    lists: dict[str, list[Document]] | None


class Changes(TypedDict):
    """How the difference is spread over lists.

    `counts[i]` lists lie between `edges[i]` and `edges[i + 1]`; the middle bin is around 0. `best` are the queries
    that gain most by the model, `worst` those that lose most, whatever the metric's direction.
    """

    edges: list[float]
    counts: list[int]
    better: int
    same: int
    worse: int
    best: list[Query]
    worst: list[Query]


class Model(TypedDict):
    """Figures of a model: by metric; by slicing, value and metric; and means over the values of each slicing."""

    overall: dict[str, Figure]
    slices: dict[str, dict[str, dict[str, Figure]]]
    macro: dict[str, dict[str, float | None]]


class Comparison(TypedDict):
    """Differences of a model to the baseline, as the figures of `Model`; and by metric how they are spread."""

    overall: dict[str, Delta]
    slices: dict[str, dict[str, dict[str, Delta]]]
    changes: dict[str, Changes]


class SliceValue(TypedDict):
    """A slice. `small`: too few lists, or clusters of them, have a value for an interval to be trusted."""

    value: str
    lists: int
    documents: int
    small: bool


class Slicing(TypedDict):
    """Slices by one thing; `merged` values are in `(other)`."""

    name: str
    scope: str
    merged: int
    values: list[SliceValue]


class Bin(TypedDict):
    """Documents with scores alike: mean score, mean label with its interval."""

    score: float
    label: float
    low: float | None
    high: float | None
    documents: int


class Estimate(TypedDict):
    """A figure with its interval; null: not defined, or of too few units."""

    mean: float | None
    low: float | None
    high: float | None


class CatalogueFigures(TypedDict):
    """Figures of whole runs, by model and metric, and their differences to the baseline.

    The catalogue has `items`; the lists hold `listed` of them.
    """

    items: int
    listed: int
    contract: dict[str, dict[str, str]]
    higher_is_better: dict[str, bool]
    models: dict[str, dict[str, Estimate]]
    comparisons: dict[str, dict[str, Estimate]]


class ModelShare(TypedDict):
    """What a model gives a group: its share of attention, that minus and over its share of relevance, and that minus
    what the baseline gives (null: of the baseline, or without one)."""

    exposure: Estimate
    difference: Estimate
    ratio: Estimate
    change: Estimate | None


class GroupShares(TypedDict):
    """A group with `count` documents: its shares of the documents and of the relevance of a list, and of attention."""

    group: str
    count: int
    documents: Estimate
    relevance: Estimate
    models: dict[str, ModelShare]


class Exposure(TypedDict):
    """Attention by groups over `lists`, those with a relevant document; `left_out` have none. `merged` groups are in
    `(other)`."""

    name: str
    attention: str
    gain: str
    lists: int
    left_out: int
    merged: int
    groups: list[GroupShares]


class FoundSlice(TypedDict):
    """A slice that is worse than chance makes it, and that no other slice of the search explains.

    `conditions`: its value of each feature. `mean` of its lists, `others` of all others: of differences where the
    search has a baseline, else of the metric. `effect`: that in standard deviations. `bound`: the mean difference, or
    the gap between `mean` and `others`, is at least as bad, together for all slices. `p_adjusted`: for all slices of
    all searches.
    """

    name: str
    conditions: dict[str, str]
    lists: int
    mean: float
    others: float
    effect: float
    bound: float
    p_adjusted: float


class SliceSearch(TypedDict):
    """Where a model loses against a baseline, or (null) is worse than elsewhere; the worst bounds come first.

    It looked at `slices` with up to `depth` features and at least `min_lists` of the `lists` that have a value;
    `significant` of them are worse than chance makes them, those in `found` and others that these explain. A slice of
    `min_lists` that is worse by `detectable` is found with probability 0.8 (null: not known).
    """

    metric: str
    model: str
    baseline: str | None
    slices: int
    depth: int
    lists: int
    min_lists: int
    significant: int
    detectable: float | None
    found: list[FoundSlice]


class Discovery(TypedDict):
    """Slices that were found without being named; any of them is chance with probability `alpha` at most.

    They are made of `features`; `left_out` tell no slices apart, by the reason.
    """

    alpha: float
    features: list[str]
    left_out: dict[str, str]
    searches: list[SliceSearch]


class Source(TypedDict):
    """A file that was read."""

    file: str
    sha256: str


class DroppedForLabel(TypedDict):
    """Documents that were left out for want of a usable label, whatever their scores; `reasons` add up to them."""

    documents: int
    reasons: dict[str, int]


class DroppedForScore(TypedDict):
    """Documents with a usable label that were left out for want of a usable score of one model; of these, `relevant`.

    `queries` of those that have no document left, and `without_relevant` of those that have no relevant one left, lost
    such a document. A document that lacks scores of several models counts for each. `reasons` add up to `documents`.
    """

    documents: int
    relevant: int
    queries: int
    without_relevant: int
    reasons: dict[str, int]


class Dropped(TypedDict):
    """Documents that were left out, of the lists of all models, for want of a usable label or score.

    `queries` have no document left and are not among those that were measured; `without_relevant` are, and have lost
    their last relevant document.
    """

    documents: int
    queries: int
    without_relevant: int
    label: DroppedForLabel
    scores: dict[str, DroppedForScore]


class Data(TypedDict, total=False):
    """What was measured. Beside these, `judged@10`: by model the mean share of judged documents, or null.

    `empty` queries have no relevant document; `missing` are missing from the run of a model. `dropped` documents were
    left out (null: of a comparison of runs, whose notes tell).
    """

    sources: list[Source]
    queries: int
    documents: int
    empty: int
    missing: dict[str, int]
    dropped: Dropped | None
    labels: dict[str, int] | None
    lengths: dict[str, float] | None


class Settings(TypedDict):
    """How intervals and tests were made; `unit` is what is resampled."""

    confidence: float
    draws: int
    seed: int
    unit: str
    interval: str
    min_lists: int


class Rule(TypedDict):
    """A rule of the gate, what became of it and why."""

    rule: str
    decision: str
    reason: str
    figures: dict[str, Any]


class Gate(TypedDict):
    """PASS, FAIL or INCONCLUSIVE."""

    decision: str
    rules: list[Rule]


class Report(TypedDict):
    """The whole."""

    kind: str
    format_version: int
    contract: dict[str, dict[str, str]]
    higher_is_better: dict[str, bool]
    data: Data
    settings: Settings
    baseline: str | None
    slices: list[Slicing]
    models: dict[str, Model]
    comparisons: dict[str, Comparison]
    calibration: dict[str, list[Bin]]
    catalogue: CatalogueFigures | None
    exposure: list[Exposure]
    discovery: Discovery | None
    notes: list[str]
    gate: Gate | None
