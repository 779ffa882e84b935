"""How the difference of two models is spread over lists, and where it is largest."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eval.compare import paired_differences
from eval.per_query import PerQuery
from eval.ragged import FloatArray, IntArray
from eval.report.data import Changes, Document, Query
from eval.score_table import ScoreTable

__all__ = ["Spread", "Texts", "changes_of", "shown_lists", "spread_of"]

_BINS = 21  # odd: the middle one is around 0
_SHOWN = 5  # queries at each end
_DOCUMENTS = 10


@dataclass(frozen=True)
class Texts:
    """Columns of the score table to read: that of the query's text, and that of the document's title."""

    query: str | None = None
    title: str | None = None

    @property
    def columns(self) -> list[str]:
        """Those that are there."""
        return [name for name in (self.query, self.title) if name is not None]


@dataclass(frozen=True, eq=False)
class Spread:
    """Differences of a model to the baseline in one metric.

    Args:
        edges: of bins, rising, float64 [bins + 1].
        counts: lists in each, int64 [bins].
        better: lists where the model is better; beside `same` and `worse`.
        rows: row, model's and baseline's value and difference of the lists that gain most, and of those that lose most.
    """

    edges: FloatArray
    counts: IntArray
    better: int
    same: int
    worse: int
    best: list[tuple[str, float, float, float]]
    worst: list[tuple[str, float, float, float]]

    @property
    def query_ids(self) -> set[str]:
        """The queries at both ends."""
        return {query for query, *_ in (*self.best, *self.worst)}


def spread_of(per_query: PerQuery, metric: str, model: str, baseline: str, *, higher_is_better: bool) -> Spread:
    """How the difference in one metric is spread."""
    values, others = (per_query.figures(metric, name) for name in (model, baseline))
    differences = paired_differences(values, others)
    there = np.flatnonzero(~np.isnan(differences))
    gains = differences[there] * (1 if higher_is_better else -1)
    reach = float(np.abs(gains).max(initial=0.0)) or 1.0
    edges = np.linspace(-reach, reach, _BINS + 1)
    counts = np.histogram(differences[there], edges)[0]
    ids = per_query.column("query_id")

    def largest(signed: FloatArray) -> list[tuple[str, float, float, float]]:
        most = np.partition(signed, -_SHOWN)[-_SHOWN] if len(signed) > _SHOWN else 0.0
        rows = there[(signed >= most) & (signed > 0)]  # all that are as large as the last one that is shown
        found = [(ids[row].as_py(), differences[row], values[row], others[row]) for row in rows.tolist()]
        found.sort(key=lambda one: (-abs(one[1]), one[0]))
        return [(query, *map(float, numbers)) for query, *numbers in found[:_SHOWN]]

    better, worse = int((gains > 0).sum()), int((gains < 0).sum())
    same = len(gains) - better - worse
    return Spread(edges, counts, better, same, worse, largest(gains), largest(-gains))


Shown = Mapping[str, tuple[str | None, Mapping[str, list[Document]]]]
"""By query its text, and by model the documents that stand first."""


def shown_lists(table: ScoreTable, texts: Texts) -> Shown:
    """The queries of a part, with the first documents of each model; ties by document id."""
    found = {}
    labels = table.lists.labels
    ids = np.full(len(labels), "") if table.lists.document_ids is None else table.lists.document_ids.astype(str)
    for number, query in enumerate(table.lists.query_ids.tolist()):
        start, end = table.lists.offsets[number : number + 2].tolist()
        by_model = {}
        for model, scores in table.scores.items():
            order = (np.lexsort((ids[start:end], -scores[start:end]))[:_DOCUMENTS] + start).tolist()
            by_model[model] = [
                Document(
                    id=str(ids[at]),
                    label=float(labels[at]),
                    score=float(scores[at]),
                    title=_text(table, texts.title, at),
                )
                for at in order
            ]
        found[query] = (_text(table, texts.query, start), by_model)
    return found


def changes_of(spread: Spread, model: str, baseline: str, shown: Shown) -> Changes:
    """The part of a report about a spread."""

    def queries(ends: list[tuple[str, float, float, float]]) -> list[Query]:
        told = []
        for query, delta, value, other in ends:
            text, lists = shown.get(query, (None, None))
            pair = None if lists is None else {"model": lists[model], "baseline": lists[baseline]}
            told.append(Query(query_id=query, delta=delta, model=value, baseline=other, text=text, lists=pair))
        return told

    return Changes(
        edges=spread.edges.tolist(),
        counts=spread.counts.tolist(),
        better=spread.better,
        same=spread.same,
        worse=spread.worse,
        best=queries(spread.best),
        worst=queries(spread.worst),
    )


def _text(table: ScoreTable, column: str | None, document: int) -> str | None:
    value = None if column is None else table.columns[column][document].as_py()
    return None if value is None else str(value)
