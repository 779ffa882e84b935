"""Rules of the gate about limits: shares of lists and documents, time and size."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eval.evaluation import Evaluation
from eval.figures import ends, number
from eval.gate.decision import LEAST_LISTS, Decision, Measurements, worst
from eval.ragged import FloatArray
from eval.report.data import Rule

__all__ = ["BundleSize", "EmptyShare", "JudgedShare", "Latency"]


@dataclass(frozen=True)
class EmptyShare:
    """The share of lists without a relevant document, with Wilson's interval (JASA 1927).

    PASS if its upper end is not above `most`, FAIL if its lower end is.
    """

    most: float
    confidence: float = 0.95
    min_lists: int = LEAST_LISTS

    def decide(self, evaluation: Evaluation, measured: Measurements) -> Rule:  # noqa: ARG002 - for other rules
        """See the class."""
        empty, lists = evaluation.data["empty"], evaluation.data["queries"]
        low, high = _wilson(empty, lists, self.confidence)
        figures = {"share": empty / lists, "low": low, "high": high, "lists": lists}
        decision, reason = _at_most(low, high, self.most)
        if lists < self.min_lists:
            decision, reason = "INCONCLUSIVE", f"{lists} lists, {self.min_lists} are needed"
        rule = f"at most {self.most:g} of the lists without a relevant document"
        return Rule(rule=rule, decision=decision, reason=reason, figures=figures)


@dataclass(frozen=True)
class JudgedShare:
    """The mean share of judged documents among the first k of a model, with its percentile interval.

    PASS if its lower end is not below `least`, FAIL if its upper end is; INCONCLUSIVE too where it is not known which
    documents are judged.
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
        (low, high), lists = ends(sums, self.confidence)[0], int(sums.n[0])
        figures = {"mean": number(sums.mean[0]), "low": low, "high": high, "lists": lists}
        if sums.units[0] < self.min_lists or low is None or high is None:
            reason = f"{int(sums.units[0])} units (lists or clusters) have a value, {self.min_lists} are needed"
            return Rule(rule=rule, decision="INCONCLUSIVE", reason=reason, figures=figures)
        decision, reason = _at_least(low, high, self.least)
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
