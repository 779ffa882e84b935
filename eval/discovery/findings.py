"""What a search for the worst slices gives."""

from dataclasses import dataclass

__all__ = ["Finding", "Findings"]


@dataclass(frozen=True)
class Finding:
    """A slice that is worse than it may be by chance.

    Args:
        conditions: feature and value of each.
        lists: how many it has.
        mean: of its values.
        others: mean of the lists outside.
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
        return " and ".join(f"{feature}: {value}" for feature, value in self.conditions)


@dataclass(frozen=True)
class Findings:
    """What a search found.

    Args:
        findings: the worst by its bound first; none is explained by the others.
        looked_at: slices that were tested, and for which p-values are adjusted.
        significant: slices with an adjusted p-value of at most alpha, findings and those that these explain.
        lists: how many had a value.
        min_lists: lists in a slice, at least; more than was asked for where there would have been too many slices.
        depth: features in a slice, at most; less than was asked for where there would have been too much to count.
        critical: the statistic from which on an adjusted p-value is at most alpha; inf: nothing was tested.
        detectable: how much worse a slice of `min_lists` lists has to be to be found with a probability of 0.8, if its
            values are spread as those of all lists; NaN: not known.
    """

    findings: tuple[Finding, ...]
    looked_at: int
    significant: int
    lists: int
    min_lists: int
    depth: int
    critical: float
    detectable: float
