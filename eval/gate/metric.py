"""Rules of the gate about a metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from eval.bounds import simultaneous_bounds, value_size
from eval.dropping import lost_by_scores
from eval.evaluation import Evaluation
from eval.figures import number
from eval.gate.decision import LEAST_LISTS, Decision, Measurements, worst
from eval.report.data import Rule
from eval.sums import Sums, joined

__all__ = ["ONLINE", "MetricRule"]

ONLINE: Final = "online"

Interval = tuple[float | None, float | None]


@dataclass(frozen=True)
class MetricRule:
    """A metric of a model against that of another, or against a floor.

    The interval is made of the bounds of `eval.bounds`, one on each side, which over slices hold for all of them
    together.
    Non-inferiority of the difference: PASS if the lower end is above -margin, FAIL if the upper end is below it.
    Superiority: PASS if the lower end is above the margin, FAIL if the upper end is not. A floor: PASS if the lower end
    is not below it, FAIL if the upper end is. Otherwise, and with too few lists, INCONCLUSIVE; as is every rule where
    relevant documents or whole queries were left out for want of a score, since the figures do not show what they cost.
    Of a metric that is better when lower, everything is turned round: the margin is how much higher it may be, and the
    floor is a ceiling.

    Args:
        metric: as it was measured.
        model: that is judged.
        against: another model; `ONLINE`: the model of that name, or the baseline where it was not measured. None: there
            is a floor.
        test: of the difference.
        margin: >= 0.
        floor: of the metric itself; None: there is another model.
        slices: names of slicings, of which each value with `min_lists` lists is judged, and single slices `name=value`,
            which have to be there; none: all lists.
        confidence: of the interval, or of the intervals of all slices together.
        min_lists: with fewer lists that have a value, nothing is decided.
    """

    metric: str
    model: str
    against: str | None = None
    test: Literal["non_inferiority", "superiority"] = "non_inferiority"
    margin: float = 0.0
    floor: float | None = None
    slices: tuple[str, ...] = ()
    confidence: float = 0.95
    min_lists: int = LEAST_LISTS

    def __post_init__(self) -> None:
        if (self.against is None) == (self.floor is None):
            raise ValueError(f"gate, {self.metric}: expected another model or a floor, one of them")
        if not self.margin >= 0 or not 0 < self.confidence < 1:
            raise ValueError(
                f"gate, {self.metric}: expected margin >= 0 and confidence between 0 and 1, got {self.margin} and"
                f" {self.confidence}"
            )

    def decide(self, evaluation: Evaluation, measured: Measurements) -> Rule:  # noqa: ARG002 - for other rules
        """See the class."""
        self._check(evaluation)
        other = self._other(evaluation)
        rule = self._text(evaluation, other)
        if not self.slices:
            sums = self._sums(evaluation, 0, other)
            decision, reason, figures = self._decide_one(sums, self._intervals(sums, evaluation, other)[0], evaluation)
            decided = Rule(rule=rule, decision=decision, reason=reason, figures=figures)
        else:
            decided = self._decide_slices(evaluation, other, rule)
        lost = lost_by_scores(evaluation.data.get("dropped"))
        return decided if lost is None else _undecided(decided, lost)

    def _check(self, evaluation: Evaluation) -> None:
        if self.metric not in evaluation.contract:
            raise ValueError(
                f"gate: no metric {self.metric!r} was measured; there are {', '.join(evaluation.contract)}"
            )
        models = evaluation.series.models
        for name in (self.model, self.against):
            if name not in (None, ONLINE, *models):
                raise ValueError(f"gate, {self.metric}: no model {name!r} was measured; there are {', '.join(models)}")
        names = [one.name for one in evaluation.slices]
        for name in self.slices:
            if name.partition("=")[0] not in names and name not in names:
                raise ValueError(f"gate, {self.metric}: no slices {name!r} were measured; there are {names}")

    def _other(self, evaluation: Evaluation) -> str | None:
        if self.against != ONLINE or ONLINE in evaluation.series.models:
            return self.against
        if evaluation.series.baseline is None:
            raise ValueError(
                f"gate, {self.metric}: nothing is online, and there is no baseline to take its place; name a baseline"
            )
        return evaluation.series.baseline

    def _sums(self, evaluation: Evaluation, row: int, other: str | None) -> Sums:
        if other is None:
            return evaluation.figure(row, self.metric, self.model)
        return evaluation.difference(row, self.metric, self.model, other)

    def _intervals(self, sums: Sums, evaluation: Evaluation, other: str | None) -> list[Interval]:
        """Of each series; together they hold with the confidence."""
        # A list may lose, or gain, all that it has: where all lists have 1, some of those not seen may have 0.
        models = (self.model,) if other is None else (self.model, other)
        sizes = [float(value_size(evaluation.figure(0, self.metric, model))[0]) for model in models]
        # Each side by itself holds with half of what is left, so that both hold together.
        bounds = simultaneous_bounds(sums, (1 + self.confidence) / 2, max(sizes, default=0.0))
        return [(number(low), number(high)) for low, high in zip(*(one.tolist() for one in bounds), strict=True)]

    def _text(self, evaluation: Evaluation, other: str | None) -> str:
        higher = evaluation.higher_is_better[self.metric]
        worse, better = ("below", "above") if higher else ("above", "below")
        where = f" in {', '.join(self.slices)}" if self.slices else ""
        if other is None:
            return f"{self.metric} of {self.model} not {worse} {self.floor:g}{where}"
        if self.test == "superiority":
            by = f" by more than {self.margin:g}" if self.margin else ""
            return f"{self.metric} of {self.model} {better} {other}{by}{where}"
        return f"{self.metric} of {self.model} not {worse} {other} by {self.margin:g} or more{where}"

    def _decide_one(
        self, sums: Sums, interval: Interval, evaluation: Evaluation
    ) -> tuple[Decision, str, dict[str, Any]]:
        lists, (low, high) = int(sums.n[0]), interval
        figures = {"mean": number(sums.mean[0]), "low": low, "high": high, "lists": lists}
        units = int(sums.units[0])  # queries, or clusters of them: what is resampled
        if units < self.min_lists or low is None or high is None:
            what = "lists have a value" if units == lists else f"clusters have a value, in {lists} lists"
            return "INCONCLUSIVE", f"{units} {what}, {self.min_lists} are needed", figures
        if not evaluation.higher_is_better[self.metric]:
            low, high = -high, -low
        bound = self._bound(evaluation)
        passes = low >= bound if self.floor is not None else low > bound
        fails = high <= bound if self.test == "superiority" and self.floor is None else high < bound
        decision: Decision = "PASS" if passes else "FAIL" if fails else "INCONCLUSIVE"
        where = {"PASS": "lies above", "FAIL": "lies below", "INCONCLUSIVE": "holds"}[decision]
        sign = "" if evaluation.higher_is_better[self.metric] else " with its sign turned"
        return decision, f"the interval [{low:.4f}, {high:.4f}]{sign} {where} {bound:g}", figures

    def _bound(self, evaluation: Evaluation) -> float:
        if self.floor is not None:
            return self.floor if evaluation.higher_is_better[self.metric] else 0.0 - self.floor
        return self.margin if self.test == "superiority" else 0.0 - self.margin

    def _decide_slices(self, evaluation: Evaluation, other: str | None, rule: str) -> Rule:
        rows, gone = self._rows(evaluation)
        sums = {place: self._sums(evaluation, row, other) for place, row in rows.items()}
        large = {place: of_slice for place, of_slice in sums.items() if of_slice.units[0] >= self.min_lists}
        bounds: dict[str, Interval] = dict.fromkeys(sums, (None, None))
        if large:
            bounds |= zip(large, self._intervals(joined(list(large.values())), evaluation, other), strict=True)
        decided = {place: self._decide_one(one, bounds[place], evaluation) for place, one in sums.items()}
        named = [place for place in decided if place in self.slices]
        counted = [place for place in decided if place in large or place in named]
        decisions: list[str] = [decided[place][0] for place in counted]
        decision = worst([*decisions, *("INCONCLUSIVE" for _ in gone)]) if counted or gone else "INCONCLUSIVE"
        return Rule(
            rule=rule,
            decision=decision,
            reason=_told({place: decided[place][:2] for place in counted}, gone, len(decided) - len(counted)),
            figures={place: {**figures, "decision": found} for place, (found, _, figures) in decided.items()},
        )

    def _rows(self, evaluation: Evaluation) -> tuple[dict[str, int], list[str]]:
        """The numbers of the slices by `name=value`; and single slices that are not there."""
        rows = {f"{name}={value}": row for row, name, value in evaluation.rows()}
        names = [one.name for one in evaluation.slices]
        whole = [name for name in self.slices if name in names]
        chosen = {place: row for place, row in rows.items() if place in self.slices}
        for row, name, value in evaluation.rows():
            if name in whole:
                chosen[f"{name}={value}"] = row
        return chosen, [place for place in self.slices if place not in names and place not in rows]


def _undecided(rule: Rule, reason: str) -> Rule:
    """The rule with its figures and no decision, neither overall nor in slices."""
    figures = {
        place: {**own, "decision": "INCONCLUSIVE"} if isinstance(own, dict) else own
        for place, own in rule["figures"].items()
    }
    return Rule(rule=rule["rule"], decision="INCONCLUSIVE", reason=reason, figures=figures)


def _told(decided: Mapping[str, tuple[Decision, str]], gone: Sequence[str], small: int) -> str:
    """Why, in words: the slices that do not pass, each with its reason."""
    parts = [f"{place}: {reason}" for place, (decision, reason) in decided.items() if decision != "PASS"]
    parts += [f"{place}: no list is there" for place in gone]
    if not parts:
        parts = [f"all of {len(decided)} slices pass"] if decided else ["no slice has enough lists"]
    return "; ".join(parts) + (f"; {small} with too few lists are not judged" if small else "")
