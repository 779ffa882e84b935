"""What a search for the worst slices gives."""

import math
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ALL_LISTS", "Discovery", "Finding"]

ALL_LISTS = "all lists"


@dataclass(frozen=True)
class Finding:
    """A slice that is worse than it may be by chance.

    Args:
        conditions: feature and value of each; none: all lists.
        lists: how many it has.
        mean: of its values.
        others: mean of the lists outside; NaN without any.
        effect: in standard deviations, negative where a low figure is bad: of differences mean / their deviation in the
            slice, of figures (mean - mean of the others) / root of the mean of both variances (Cohen's d as in Chung et
            al., Slice Finder, ICDE 2019).
        p_adjusted: p-value, adjusted for all slices that were looked at.
        bound: the mean (of figures: mean - mean of the others) is at least as bad as this, for all slices together with
            confidence 1 - alpha: an approximation, mean -+ the critical value x standard error, at best 0.
    """

    conditions: tuple[tuple[str, str], ...]
    lists: int
    mean: float
    others: float
    effect: float
    p_adjusted: float
    bound: float

    @property
    def name(self) -> str:
        """The conditions in one text."""
        return " and ".join(f"{feature}: {value}" for feature, value in self.conditions) or ALL_LISTS


@dataclass(frozen=True)
class Discovery:
    """The findings of a search.

    Args:
        findings: the worst by its bound first; none is explained by the others.
        looked_at: slices that were tested, and for which p-values are adjusted.
        significant: slices with an adjusted p-value of at most alpha, findings and those that these explain.
        lists: how many had a value.
        min_lists: lists in a slice, at least; more than was asked for where there would have been too many slices.
        critical: the statistic from which on an adjusted p-value is at most alpha.
    """

    findings: tuple[Finding, ...]
    looked_at: int
    significant: int
    lists: int
    min_lists: int
    critical: float

    def data(self) -> dict[str, Any]:
        """As JSON knows it: what is not finite is None, findings have their `name` too."""
        found = [{"name": finding.name, **asdict(finding)} for finding in self.findings]
        for one in found:
            one["conditions"] = [{"feature": feature, "value": value} for feature, value in one["conditions"]]
        own = {name: value for name, value in asdict(self).items() if name != "findings"}
        return {**_finite(own), "findings": [_finite(one) for one in found]}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }
