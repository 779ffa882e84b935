"""Rules of the gate about limits: shares of lists and documents, time and size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eval.bounds import poisson_bounds, simultaneous_bounds, value_size
from eval.evaluation import Evaluation
from eval.figures import number
from eval.gate.decision import LEAST_LISTS, Decision, Measurements, worst
from eval.ragged import FloatArray
from eval.report.data import Dropped, Rule
from eval.sums import Sums

__all__ = ["BundleSize", "EmptyShare", "JudgedShare", "Latency"]


@dataclass(frozen=True)
class EmptyShare:
    """The share of lists without a relevant document.

    The interval is Wilson's (JASA 1927). With clusters, whose lists may be empty together, it is made of the bounds of
    `eval.bounds` for few units, of which each may hold as many empty lists as a list's cluster has on average.

    PASS if its upper end is not above `most`, FAIL if its lower end is; INCONCLUSIVE too where documents were left out
    with whole queries, or with the relevant documents of others.
    """

    most: float
    confidence: float = 0.95
    min_lists: int = LEAST_LISTS

    def decide(self, evaluation: Evaluation, measured: Measurements) -> Rule:  # noqa: ARG002 - for other rules
        """See the class."""
        empty, lists = evaluation.data["empty"], evaluation.data["queries"]
        if evaluation.settings["unit"] == "query":
            (low, high), units = _wilson(empty, lists, self.confidence), lists
        else:
            low, high, units = _interval_of_clusters(evaluation, self.confidence)
        figures = {"share": empty / lists, "low": low, "high": high, "lists": lists}
        decision, reason = _at_most(low, high, self.most)
        if units < self.min_lists:
            what = "lists" if units == lists else f"clusters, in {lists} lists"
            decision, reason = "INCONCLUSIVE", f"{units} {what}, {self.min_lists} are needed"
        if lost := _dropped(evaluation, "queries", "without_relevant"):
            decision, reason = "INCONCLUSIVE", f"left out were all documents, or all relevant ones, of {lost} queries"
        rule = f"at most {self.most:g} of the lists without a relevant document"
        return Rule(rule=rule, decision=decision, reason=reason, figures=figures)


@dataclass(frozen=True)
class JudgedShare:
    """The mean share of judged documents among the first k of a model, with an interval of the bounds of `eval.bounds`.

    PASS if its lower end is not below `least`, FAIL if its upper end is; INCONCLUSIVE too where it is not known which
    documents are judged, or where documents were left out, mostly those that are not.
    """

    model: str
    least: float
    k: int = 10
    confidence: float = 0.95
    min_lists: int = LEAST_LISTS

    def decide(self, evaluation: Evaluation, measured: Measurements) -> Rule:  # noqa: ARG002 - for other rules
        """See the class."""
        rule, metric = f"judged@{self.k} of {self.model} at least {self.least:g}", f"judged@{self.k}"
        if metric not in evaluation.series.metrics:
            reason = "it is not known which documents are judged; a column `judged` would tell"
            return Rule(rule=rule, decision="INCONCLUSIVE", reason=reason, figures={})
        sums = evaluation.figure(0, metric, self.model)
        bounds = simultaneous_bounds(sums, (1 + self.confidence) / 2, float(value_size(sums)[0]))
        low, high = (number(np.clip(one[0], 0.0, 1.0)) for one in bounds)
        lists = int(sums.n[0])
        figures = {"mean": number(sums.mean[0]), "low": low, "high": high, "lists": lists}
        if sums.units[0] < self.min_lists or low is None or high is None:
            reason = f"{int(sums.units[0])} units (lists or clusters) have a value, {self.min_lists} are needed"
            return Rule(rule=rule, decision="INCONCLUSIVE", reason=reason, figures=figures)
        decision, reason = _at_least(low, high, self.least)
        if left_out := _dropped(evaluation, "documents"):
            decision, reason = "INCONCLUSIVE", f"{left_out} documents were left out, whether judged or not"
        return Rule(rule=rule, decision=decision, reason=reason, figures=figures)


@dataclass(frozen=True)
class Latency:
    """Quantiles of the time of a call, each with the interval of its order statistics (Conover 1999, section 3.2).

    PASS if all upper ends are not above their limits, FAIL if a lower end is.

    Args:
        limits: milliseconds by percentile, such as {50: 5.0, 99: 20.0}.
        confidence: of each interval.
    """

    limits: Mapping[int, float]
    confidence: float = 0.95

    def decide(self, evaluation: Evaluation, measured: Measurements) -> Rule:  # noqa: ARG002 - for other rules
        """See the class."""
        rule = ", ".join(f"p{percent} of a call at most {limit:g} ms" for percent, limit in self.limits.items())
        times = measured.latency_ms
        if times is None or not len(times):
            return Rule(rule=rule, decision="INCONCLUSIVE", reason="no call was timed", figures={})
        decided, figures = [], {}
        for percent, limit in self.limits.items():
            low, high = _quantile_interval(times, percent / 100, self.confidence)
            figures[f"p{percent}"] = {"ms": float(np.percentile(times, percent)), "low": low, "high": high}
            decided.append((percent, *_at_most(low, high, limit)))
        figures["calls"] = {"count": len(times)}
        reason = "; ".join(f"p{percent}: {told}" for percent, _, told in decided)
        return Rule(rule=rule, decision=worst([one for _, one, _ in decided]), reason=reason, figures=figures)


@dataclass(frozen=True)
class BundleSize:
    """The size of the bundle, which is no estimate."""

    most_mb: float

    def decide(self, evaluation: Evaluation, measured: Measurements) -> Rule:  # noqa: ARG002 - for other rules
        """See the class."""
        rule, size = f"bundle of at most {self.most_mb:g} MB", measured.bundle_mb
        if size is None:
            return Rule(rule=rule, decision="INCONCLUSIVE", reason="there is no bundle", figures={})
        decision = "PASS" if size <= self.most_mb else "FAIL"
        return Rule(rule=rule, decision=decision, reason=f"it has {size:.3g} MB", figures={"mb": size})


def _dropped(evaluation: Evaluation, *counts: Literal["documents", "queries", "without_relevant"]) -> int:
    """How many of these were lost with documents that are left out."""
    dropped: Dropped | None = evaluation.data.get("dropped")
    return 0 if dropped is None else sum(dropped[name] for name in counts)


def _at_most(low: float, high: float | None, most: float) -> tuple[Decision, str]:
    """The decision that something is at most so much; `high` None: not known."""
    told = f"the interval [{low:.4g}, {'?' if high is None else f'{high:.4g}'}]"
    if low > most:
        return "FAIL", f"{told} lies above {most:g}"
    if high is not None and high <= most:
        return "PASS", f"{told} is not above {most:g}"
    return "INCONCLUSIVE", f"{told} reaches beyond {most:g}"


def _at_least(low: float, high: float, least: float) -> tuple[Decision, str]:
    """The decision that something is at least so much."""
    told = f"the interval [{low:.4g}, {high:.4g}]"
    if high < least:
        return "FAIL", f"{told} lies below {least:g}"
    if low >= least:
        return "PASS", f"{told} is not below {least:g}"
    return "INCONCLUSIVE", f"{told} reaches below {least:g}"


def _interval_of_clusters(evaluation: Evaluation, confidence: float) -> tuple[float, float, int]:
    """Ends of the interval of the share of empty lists, and how many clusters there are."""
    empty = evaluation.per_query.column("relevant").to_numpy() == 0
    units = evaluation.per_query.column("unit").to_numpy(zero_copy_only=False)
    sums = Sums.of(empty[:, None].astype(np.float64), units, draws=1)
    low, high = poisson_bounds(sums, (1 + confidence) / 2, least_size=float(sums.nn[0] / sums.n[0]))
    return max(0.0, float(low[0])), min(1.0, float(high[0])), int(sums.units[0])


def _wilson(count: int, total: int, confidence: float) -> tuple[float, float]:
    """Ends of Wilson's score interval of a share."""
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    share, scale = count / total, 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z * float(np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def _quantile_interval(values: FloatArray, quantile: float, confidence: float) -> tuple[float, float | None]:
    """Order statistics between which a quantile lies with this confidence, whatever the distribution.

    With too few values for an upper end, it is None; the lower one is then the least value.
    """
    from scipy.stats import binom

    ordered = np.sort(values)
    tail = (1 - confidence) / 2
    first = int(binom.ppf(tail, len(ordered), quantile))
    last = int(binom.ppf(1 - tail, len(ordered), quantile)) + 1
    return float(ordered[max(first - 1, 0)]), float(ordered[last - 1]) if last <= len(ordered) else None
