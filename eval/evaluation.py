"""What an evaluation found: all that its report and its gate are made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from eval.beyond_accuracy import Found
from eval.per_query import PerQuery
from eval.report.data import Bin, Changes, Data, Discovery, Settings
from eval.series import Series
from eval.sums import Sums
from eval.tally import Tally

__all__ = ["Evaluation", "SliceNames"]


@dataclass(frozen=True)
class SliceNames:
    """The slices by one thing.

    Args:
        name: of the slicing.
        scope: whether lists or documents belong to a slice.
        values: names of the slices.
        merged: how many values are in the one for all others.
    """

    name: str
    scope: Literal["list", "document"]
    values: tuple[str, ...]
    merged: int = 0


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured.

    Args:
        contract: by metric the choices behind its figures; metrics of `series` beside these are not for the report.
        higher_is_better: by metric.
        series: of the tally.
        slices: of the tally, which has all lists first.
        tally: sums.
        settings: of intervals and tests.
        data: what was measured.
        per_query: figures of each list.
        changes: by model and metric.
        calibration: by model.
        beyond: what was asked for beyond the metrics of lists.
        discovery: slices that were found; None: none were looked for.
        notes: what a reader has to know.
    """

    contract: Mapping[str, Mapping[str, str]]
    higher_is_better: Mapping[str, bool]
    series: Series
    slices: Sequence[SliceNames]
    tally: Tally
    settings: Settings
    data: Data
    per_query: PerQuery
    changes: Mapping[str, Mapping[str, Changes]] = field(default_factory=dict)
    calibration: Mapping[str, list[Bin]] = field(default_factory=dict)
    beyond: Found = field(default_factory=Found)
    discovery: Discovery | None = None
    notes: Sequence[str] = ()

    def rows(self) -> Iterator[tuple[int, str, str]]:
        """The number of each slice in the tally, its slicing and its value."""
        number = 0
        for one in self.slices:
            for value in one.values:
                number += 1
                yield number, one.name, value

    def figure(self, row: int, metric: str, model: str) -> Sums:
        """Sums of one figure in a slice (0: all lists)."""
        return self.tally.sums[row].chosen([self.series.figure(metric, model)])

    def difference(self, row: int, metric: str, model: str, other: str | None = None) -> Sums:
        """Sums of one difference, to another model or else the baseline, in a slice (0: all lists)."""
        return self.tally.sums[row].chosen([self.series.difference(metric, model, other)])
