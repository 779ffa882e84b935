"""Metrics that read what documents are about: a column beside scores and labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from eval.content import Content, ContentLists
from eval.lists import Lists
from eval.metrics.metric import Metric

__all__ = ["ContentMetric"]


@dataclass(frozen=True)
class ContentMetric(Metric):
    """A metric of lists that know what their documents are about, `eval.content.ContentLists`.

    Args:
        k: cutoff, >= 1; None: the whole list.
        by: what is read of the documents, a name in `ContentLists.content`.
        ties: `average`, `stable` or `docid`. The best and the worst order of tied documents are not known: they are
            hard to find, and that by labels is neither.
    """

    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {**Metric.choices, "ties": ("average", "stable", "docid")}

    by: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.by:
            example = f"{self.name}@{self.k or 10}(by=category)"
            raise ValueError(f"{self.name}: needs the column that it looks at, such as {example}")

    @property
    def needs(self) -> frozenset[str]:
        """Fields of the lists, and the column with what documents are about."""
        return super().needs | {f"content {self.by}"}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a score table that it reads."""
        return (self.by,)

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        return {"by": self.by, **super().contract}

    def _content(self, lists: Lists) -> Content:
        known = lists.content if isinstance(lists, ContentLists) else {}
        if self.by not in known:
            raise ValueError(
                f"{self} needs {self.by!r} of each document, and the lists know {', '.join(known) or 'nothing'} of"
                " theirs; add the column to the score table, or name another in by"
            )
        return known[self.by]
