"""How the label of documents goes with their score."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from eval.figures import FEWEST_UNITS
from eval.intervals import t_intervals
from eval.ragged import FloatArray
from eval.report.data import Bin
from eval.score_table import ScoreTable
from eval.sums import Sums, sums_of_slices

__all__ = ["BINS", "Calibration", "ScoreNumbers"]

BINS = 10
"""How many bins of scores there are."""


@dataclass(frozen=True)
class ScoreNumbers:
    """Collects the scores of models, to cut them into bins of as many documents each."""

    models: tuple[str, ...]

    def __call__(self, table: ScoreTable) -> Mapping[str, FloatArray]:
        """The scores of a part of the lists, by model."""
        return {model: table.scores[model] for model in self.models}


@dataclass(frozen=True, eq=False)
class Calibration:
    """Sums of documents by bin of score; `a + b` is that of two parts with no unit in common.

    Args:
        labels: by model, of the labels in each bin.
        scores: by model, the sum of scores in each bin, float64 [bins].
    """

    labels: Mapping[str, tuple[Sums, ...]]
    scores: Mapping[str, FloatArray]

    @classmethod
    def of(cls, table: ScoreTable, edges: Mapping[str, FloatArray]) -> "Calibration":
        """Those of a part of the lists.

        Args:
            table: the lists.
            edges: of the bins, by model.
        """
        members, scores = [], {}
        for model, bounds in edges.items():
            bins = np.searchsorted(bounds, table.scores[model], side="right")
            documents = [np.flatnonzero(bins == number) for number in range(len(bounds) + 1)]
            members += [(table.lists.ragged.rows[one], table.lists.labels[one, None]) for one in documents]
            summed = np.bincount(bins, weights=table.scores[model], minlength=len(bounds) + 1)
            scores[model] = summed.astype(np.float64, copy=False)
        sums = iter(sums_of_slices(members, table.units, draws=1))
        return cls({model: tuple(islice(sums, len(bins))) for model, bins in scores.items()}, scores)

    def __add__(self, other: "Calibration") -> "Calibration":
        labels = {
            model: tuple(one + two for one, two in zip(sums, other.labels[model], strict=True))
            for model, sums in self.labels.items()
        }
        return Calibration(labels, {model: scores + other.scores[model] for model, scores in self.scores.items()})

    def bins(self, confidence: float) -> dict[str, list[Bin]]:
        """By model the bins that hold documents; t intervals of the mean label, with documents of a unit together."""
        found: dict[str, list[Bin]] = {}
        for model, bins in self.labels.items():
            found[model] = []
            for sums, score in zip(bins, self.scores[model].tolist(), strict=True):
                if not sums.n[0]:
                    continue
                [interval] = t_intervals(sums, confidence)
                enough = sums.units[0] >= FEWEST_UNITS
                ends = (max(interval.low, 0.0), interval.high) if enough else (None, None)
                found[model].append(
                    Bin(
                        score=score / interval.n_lists,
                        label=interval.mean,
                        low=ends[0],
                        high=ends[1],
                        documents=interval.n_lists,
                    )
                )
        return found
