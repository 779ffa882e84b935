"""What has to be known of all lists before any of them is measured; and what a report says of the data."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from eval.score_table import ScoreTable

__all__ = ["LENGTHS", "Survey"]

LENGTHS = ("min", "quartile1", "median", "quartile3", "max")

_LABELS = 25  # different ones that are counted one by one
_RANGES = 20


@dataclass(eq=False)
class Survey:
    """Counts of lists, while parts of them are added.

    Attributes:
        queries: lists.
        documents: in them.
        empty: lists without a relevant document.
        labels: documents by label.
        lengths: lists by number of documents.
        judged: whether all parts say what is judged.
    """

    queries: int = 0
    documents: int = 0
    empty: int = 0
    labels: Counter[float] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    judged: bool = True

    def add(self, table: ScoreTable) -> None:
        """Count a part of the lists."""
        lists = table.lists
        self.queries += len(lists)
        self.documents += len(lists.labels)
        self.empty += int(lists.empty.sum())
        for counter, values in ((self.labels, lists.labels), (self.lengths, lists.sizes)):
            counter.update(dict(zip(*(part.tolist() for part in np.unique(values, return_counts=True)), strict=True)))
        self.judged &= lists.judged is not None

    def __add__(self, other: "Survey") -> "Survey":
        """The counts of two parts."""
        return Survey(
            self.queries + other.queries,
            self.documents + other.documents,
            self.empty + other.empty,
            self.labels + other.labels,
            self.lengths + other.lengths,
            self.judged and other.judged,
        )

    @property
    def largest_label(self) -> float:
        """0 without any document."""
        return max(self.labels, default=0.0)

    def label_counts(self) -> dict[str, int]:
        """Documents by label as text; of more than 25 labels, in 20 ranges of equal width by their upper ends."""
        if len(self.labels) <= _LABELS:
            return {f"{label:.10g}": self.labels[label] for label in sorted(self.labels)}
        labels = np.array(sorted(self.labels))
        counts = np.array([self.labels[label] for label in labels.tolist()])
        edges = np.linspace(labels[0], labels[-1], _RANGES + 1)[1:]
        edges[-1] = labels[-1]
        sums = np.bincount(np.searchsorted(edges, labels), weights=counts, minlength=_RANGES)
        return {f"{edge:.10g}": int(count) for edge, count in zip(edges.tolist(), sums.tolist(), strict=True)}

    def length_summary(self) -> dict[str, float]:
        """The least, the quartiles and the largest number of documents, quartiles interpolated."""
        lengths = sorted(self.lengths)
        ends = np.cumsum([self.lengths[length] for length in lengths])
        found = {}
        for place, name in enumerate(LENGTHS):
            at = place / 4 * (self.queries - 1)
            low, high = (
                lengths[int(np.searchsorted(ends, rank, side="right"))] for rank in (int(at), int(np.ceil(at)))
            )
            found[name] = low + (high - low) * (at - int(at))
        return found
