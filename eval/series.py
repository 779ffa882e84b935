"""The numbers that each list has: a metric of each model, and differences of models to the baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eval.compare import paired_differences
from eval.ragged import FloatArray

__all__ = ["Series"]


@dataclass(frozen=True)
class Series:
    """Which numbers there are, and their order: figures, then differences.

    Args:
        metrics: their texts.
        models: names of scores.
        baseline: one of them, that all others are compared with, or None.
        also: further pairs of models, the second subtracted from the first.
    """

    metrics: Sequence[str]
    models: Sequence[str]
    baseline: str | None = None
    also: Sequence[tuple[str, str]] = ()

    @cached_property
    def columns(self) -> list[tuple[str, str]]:
        """Metric and model of each figure."""
        return [(metric, model) for metric in self.metrics for model in self.models]

    @cached_property
    def pairs(self) -> list[tuple[str, str, str]]:
        """Metric, model and the model that is subtracted, of each difference."""
        others = [] if self.baseline is None else [(m, self.baseline) for m in self.models if m != self.baseline]
        return [(metric, *pair) for metric in self.metrics for pair in dict.fromkeys([*others, *self.also])]

    def figure(self, metric: str, model: str) -> int:
        """The number of a figure."""
        return self._numbers[metric, model]

    def difference(self, metric: str, model: str, other: str | None = None) -> int:
        """The number of a difference, counted on from the figures.

        Args:
            metric: its text.
            model: the model.
            other: what is subtracted; None: the baseline.
        """
        return self._numbers[metric, model, str(self.baseline) if other is None else other]

    @cached_property
    def _numbers(self) -> dict[tuple[str, ...], int]:
        return {key: number for number, key in enumerate([*self.columns, *self.pairs])}

    def of(self, figures: FloatArray) -> FloatArray:
        """Figures float64 [lists, columns] with the differences beside them, [lists, columns + pairs]."""
        differences = [
            paired_differences(figures[:, self.figure(metric, model)], figures[:, self.figure(metric, other)])
            for metric, model, other in self.pairs
        ]
        return np.column_stack([figures, *differences]) if differences else figures
