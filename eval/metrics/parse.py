"""Metrics from their text, `name@k(option=value, ...)`."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from eval.metrics.alpha_ndcg import AlphaNDCG
from eval.metrics.auc import AUC
from eval.metrics.average_precision import AveragePrecision
from eval.metrics.average_relevance_position import AverageRelevancePosition
from eval.metrics.content_metric import ContentMetric
from eval.metrics.contracts import CONTRACTS
from eval.metrics.coverage import Coverage
from eval.metrics.dcg import DCG
from eval.metrics.expected_reciprocal_rank import ExpectedReciprocalRank
from eval.metrics.gini import Gini
from eval.metrics.intra_list_diversity import IntraListDiversity
from eval.metrics.judged import Judged
from eval.metrics.metric import Metric
from eval.metrics.ndcg import NDCG
from eval.metrics.novelty import Novelty
from eval.metrics.options import Measure, options_of
from eval.metrics.pair_accuracy import PairAccuracy
from eval.metrics.precision import Precision
from eval.metrics.rank_biased_precision import RankBiasedPrecision
from eval.metrics.recall import Recall
from eval.metrics.reciprocal_rank import ReciprocalRank
from eval.metrics.run_metric import RunMetric
from eval.metrics.success import Success

__all__ = ["ALIASES", "CONTENT_METRICS", "METRICS", "RUN_METRICS", "parse_measure", "parse_metric", "parse_run_metric"]

METRICS: Final[Mapping[str, type[Metric]]] = {
    metric.name: metric
    for metric in (
        NDCG,
        DCG,
        ReciprocalRank,
        AveragePrecision,
        Precision,
        Recall,
        Success,
        ExpectedReciprocalRank,
        RankBiasedPrecision,
        AverageRelevancePosition,
        PairAccuracy,
        AUC,
        Judged,
    )
}
"""Metrics with one figure per list, by name."""

CONTENT_METRICS: Final[Mapping[str, type[ContentMetric]]] = {
    metric.name: metric for metric in (IntraListDiversity, AlphaNDCG)
}
"""Metrics with one figure per list of which documents have to say what they are about, by name."""

RUN_METRICS: Final[Mapping[str, type[RunMetric[Any]]]] = {metric.name: metric for metric in (Coverage, Gini, Novelty)}
"""Metrics of all lists together, by name."""

ALIASES: Final[Mapping[str, str]] = {"hits": "success", "precision": "p"}

_TEXT = re.compile(r"(?P<name>[a-z_]\w*)(@(?P<k>\d+))?(\((?P<options>[^()]*)\))?", re.ASCII)

MeasureT = TypeVar("MeasureT", bound=Measure)


def parse_metric(text: str, contract: str | None = None) -> Metric:
    """Read `name`, `name@k` or `name@k(option=value, ...)`.

    >>> parse_metric("ndcg@10(gain=linear)") == NDCG(10, "linear")
    True

    Args:
        text: the metric.
        contract: a tool of `CONTRACTS`, whose choices hold where the text has none.

    Raises:
        ValueError: the text has another form, or names an unknown metric or option; the message lists what is known.
    """
    name, k, options = _split(text)
    if name in RUN_METRICS:
        raise ValueError(
            f"metric {text!r}: {name} is a figure of a whole run, not a mean over lists; "
            f"metrics of lists are {', '.join(sorted([*METRICS, *CONTENT_METRICS]))}"
        )
    kind = _kind(text, name, {**METRICS, **CONTENT_METRICS})
    return kind.from_options(k, {**_choices_of(contract, kind), **options})


def parse_run_metric(text: str) -> RunMetric[Any]:
    """Read a metric of a whole run, in the same form.

    >>> parse_run_metric("coverage@10(ties=stable)") == Coverage(10, ties="stable")
    True

    Raises:
        ValueError: the text has another form, or names an unknown metric or option; the message lists what is known.
    """
    name, k, options = _split(text)
    return _kind(text, name, RUN_METRICS).from_options(k, options)


def parse_measure(text: str) -> Metric | RunMetric[Any]:
    """Read a metric of lists or of a whole run, in the same form.

    >>> [str(parse_measure(text)) for text in ("hits@5", "coverage@5")]
    ['success@5', 'coverage@5']

    Raises:
        ValueError: the text has another form, or names an unknown metric or option; the message lists what is known.
    """
    name, k, options = _split(text)
    known: dict[str, type[Metric] | type[RunMetric[Any]]] = {**METRICS, **CONTENT_METRICS, **RUN_METRICS}
    return _kind(text, name, known).from_options(k, options)


def _split(text: str) -> tuple[str, int | None, dict[str, str]]:
    """Name, cutoff and options."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"metric {text!r}: expected name, name@k or name@k(option=value), such as ndcg@10")
    options: dict[str, str] = {}
    for pair in (match["options"] or "").split(",") if match["options"] is not None else ():
        option, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or option in options:
            raise ValueError(f"metric {text!r}: expected option=value, each option once, got {pair.strip()!r}")
        options[option] = value
    name = match["name"]
    return ALIASES.get(name, name), None if match["k"] is None else int(match["k"]), options


def _kind(text: str, name: str, known: Mapping[str, type[MeasureT]]) -> type[MeasureT]:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"metric {text!r}: unknown name {name!r}; known: {', '.join(sorted(known))}{hint}")
    return known[name]


def _choices_of(contract: str | None, kind: type[Metric]) -> dict[str, str]:
    """The options of a contract that a kind of metric has."""
    if contract is None:
        return {}
    if contract not in CONTRACTS:
        raise ValueError(f"contract {contract!r} is not known; known: {', '.join(CONTRACTS)}")
    known = options_of(kind)
    return {
        option: value
        for option, value in CONTRACTS[contract].items()
        if option in known and value in kind.choices.get(option, (value,))
    }
