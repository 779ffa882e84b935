"""What every ranking metric is: a value that prints, knows its direction and scores whole batches of lists."""

from collections.abc import Mapping
from typing import Protocol, Self

from eval.lists import FloatArray, Lists

__all__ = ["Metric"]


class Metric(Protocol):
    """A ranking metric. `str(metric)` gives the text that `eval.metrics.parse_metric` reads back to an equal value."""

    @property
    def k(self) -> int | None:
        """The cutoff: documents from position k (0-based) on count for nothing. None: the whole list."""

    @property
    def higher_is_better(self) -> bool:
        """The direction of the metric."""

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures, for a report: gain, ties, empty (lists), ideal."""

    def settled(self, lists: Lists) -> Self:
        """The metric with every choice that depends on the labels made, by those of `lists`.

        Settle on the whole data before scoring parts of it, so that all parts are measured alike.
        """

    def per_list(self, lists: Lists, scores: FloatArray) -> FloatArray:
        """The metric of each list; NaN where the contract skips it.

        Args:
            lists: the lists.
            scores: float64 [documents], finite.

        Returns:
            float64 [lists].
        """
