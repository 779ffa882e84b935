"""What the parts of the page ask of a report: its models, metrics and baseline, and which differences count."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

__all__ = ["Figures", "Outcome", "Reading"]

Figures = Mapping[str, Any]
"""A FIGURE, DELTA or QUERY of the report: numbers by name, None where there is no value."""

Outcome = Literal["better", "worse", "unclear"]


@dataclass(frozen=True, eq=False)
class Reading:
    """A report as the page reads it.

    Args:
        report: as `eval.report.data.Report` describes it.
    """

    report: Figures

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """As named in the order; the first is the one that the headline speaks of."""
        return tuple(self.report["higher_is_better"])

    @cached_property
    def models(self) -> tuple[str, ...]:
        """All of them, the baseline included."""
        return tuple(self.report["models"])

    @property
    def baseline(self) -> str | None:
        """What the other models are compared with."""
        baseline: str | None = self.report["baseline"]
        return baseline

    @cached_property
    def challengers(self) -> tuple[str, ...]:
        """The models that are compared with the baseline."""
        return tuple(model for model in self.models if model in self.report["comparisons"])

    @property
    def confidence(self) -> float:
        """Of all intervals, between 0 and 1."""
        return float(self.report["settings"]["confidence"])

    @property
    def level(self) -> str:
        """The confidence as people write it: 95%."""
        return f"{round(100 * self.confidence, 6):g}%"

    @property
    def alpha(self) -> float:
        """Below it a p-value is significant."""
        return round(1 - self.confidence, 6)

    @property
    def least_lists(self) -> int:
        """With fewer lists a slice is small."""
        return int(self.report["settings"].get("min_lists", 30))

    def overall(self, model: str, metric: str) -> Figures:
        """FIGURE over all lists."""
        return _at(self.report["models"], model, "overall", metric)

    def in_slice(self, model: str, metric: str, name: str, value: str) -> Figures:
        """FIGURE over the lists of a slice; empty where it has none."""
        return _at(self.report["models"], model, "slices", name, value, metric)

    @cached_property
    def leader(self) -> str:
        """The model that the page speaks of first.

        Of the models that are better than the baseline beyond chance, or else of all that are compared, or where there
        is no comparison of all: the one with the best mean of the first metric.
        """
        metric = self.metrics[0]
        clear = [m for m in self.challengers if self.overall_outcome(metric, self.delta(m, metric)) == "better"]
        return self.best(clear or self.challengers or self.models)

    def best(self, models: Sequence[str]) -> str:
        """Of these, the one with the best mean of the first metric; the first named, where they are equal."""
        metric = self.metrics[0]

        def key(model: str) -> float:
            mean = self.overall(model, metric).get("mean")
            return float("-inf") if mean is None else mean * self.direction(metric)

        return max(models, key=key)

    def macro(self, model: str, metric: str, name: str) -> float | None:
        """Mean over the values of a slice, each counting the same."""
        return _at(self.report["models"], model, "macro", name).get(metric)

    def delta(self, model: str, metric: str) -> Figures:
        """DELTA to the baseline over all lists; empty where the two are not compared."""
        return _at(self.report["comparisons"], model, "overall", metric)

    def delta_in_slice(self, model: str, metric: str, name: str, value: str) -> Figures:
        """DELTA to the baseline over the lists of a slice; empty where there is none."""
        return _at(self.report["comparisons"], model, "slices", name, value, metric)

    def changes(self, model: str, metric: str) -> Figures:
        """How the lists changed one by one; empty where the report does not say."""
        return _at(self.report["comparisons"], model, "changes", metric)

    def slice_values(self) -> Iterator[tuple[Figures, Figures]]:
        """Each slice with each of its values, as the report has them."""
        for part in self.report["slices"]:
            for value in part["values"]:
                yield part, value

    def direction(self, metric: str) -> int:
        """1 where larger is better, -1 where smaller is."""
        return 1 if self.report["higher_is_better"][metric] else -1

    def outcome(self, metric: str, delta: Figures) -> Outcome:
        """What the p-value adjusted for all slices says of a difference."""
        p_value = delta.get("p_adjusted")
        if p_value is None or p_value > self.alpha:
            return "unclear"
        return self.side(metric, delta.get("mean"))

    def overall_outcome(self, metric: str, delta: Figures) -> Outcome:
        """What is said of the difference over all lists: both the p-value and the interval have to exclude 0."""
        low, high = delta.get("low"), delta.get("high")
        if low is None or high is None or low <= 0 <= high:
            return "unclear"
        return self.outcome(metric, {"mean": delta["mean"], "p_adjusted": self.p_value(delta)})

    def p_value(self, delta: Figures) -> float | None:
        """Of the difference over all lists: adjusted where it has been, else of the randomisation or the t-test."""
        found = (delta.get(name) for name in ("p_adjusted", "p_randomisation", "p_t"))
        return next((p_value for p_value in found if p_value is not None), None)

    def side(self, metric: str, change: float | None) -> Outcome:
        """Whether a change is for the better, whatever its size."""
        if not change:
            return "unclear"
        return "better" if change * self.direction(metric) > 0 else "worse"


def _at(tree: Any, *keys: str) -> Figures:
    """What lies at the end of these keys; an empty mapping where one is not there or holds nothing."""
    for key in keys:
        tree = tree.get(key) or {}
    found: Figures = tree
    return found
