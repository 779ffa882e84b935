"""Metrics of parts of the lists, overall and in slices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from eval.content import ContentLists
from eval.lists import Lists
from eval.metrics import Metric
from eval.ragged import FloatArray, IntArray
from eval.ranking import rank
from eval.score_table import ScoreTable
from eval.series import Series
from eval.slices import Members, Slices
from eval.tally import Slice, Tally, Values, tally_of

__all__ = ["Measured", "Plan"]


@dataclass(frozen=True, eq=False)
class Measured:
    """A part of the lists with its figures.

    Args:
        table: the part.
        values: of its lists.
        named: by slicing, the values that each list has.
        tally: its sums.
    """

    table: ScoreTable
    values: Values
    named: Mapping[str, pa.Array]
    tally: Tally


@dataclass(frozen=True, eq=False)
class Plan:
    """What is measured, every choice that depends on the data made: the same for all parts of the lists.

    Args:
        metrics: settled, by their texts.
        series: of these metrics.
        slices: in the order of the report.
        draws: of the bootstrap.
        seed: of the bootstrap.
        content: by the name that metrics have for what they read of documents, the column of the score table.
    """

    metrics: Mapping[str, Metric]
    series: Series
    slices: Sequence[Slices]
    draws: int
    seed: int
    content: Mapping[str, str] = field(default_factory=dict)

    def measure(self, table: ScoreTable) -> Measured:
        """Measure a part of the lists; errors as of metrics and slices."""
        if self.content:
            columns = {name: table.columns[column] for name, column in self.content.items()}
            table = replace(table, lists=ContentLists.of(table.lists, columns))
        values = self._values(table.lists, table.scores)
        whole = Slice(np.arange(len(table.lists)), len(table.lists.labels), values, self.series.of(values.figures))
        slices, named = [whole], {}
        for one in self.slices:
            members, named[one.slicing.name] = one.members(table)
            slices += [self._slice(table, whole, member) for member in members]
        return Measured(table, values, named, tally_of(slices, table.units, self.draws, self.seed))

    def _values(self, lists: Lists, scores: Mapping[str, FloatArray]) -> Values:
        rankings = {model: rank(lists, scores[model]) for model in self.series.models}
        metrics = [(self.metrics[metric], rankings[model]) for metric, model in self.series.columns]
        return Values(
            np.column_stack([metric.values(ranking) for metric, ranking in metrics]),
            np.column_stack([metric.undefined(lists) for metric, _ in metrics]),
            np.column_stack([ranking.has_tie_within(metric.k) for metric, ranking in metrics]),
        )

    def _slice(self, table: ScoreTable, whole: Slice, member: Members) -> Slice:
        at = member.lists
        if member.documents is None:
            return Slice(at, int(table.lists.sizes[at].sum()), whole.values.of(at), whole.series[at])
        values = self._values(*_only(table, at, member.documents))
        return Slice(at, len(member.documents), values, self.series.of(values.figures))


def _only(table: ScoreTable, lists: IntArray, documents: IntArray) -> tuple[Lists, dict[str, FloatArray]]:
    """Some lists with only some of their documents, and the scores of these."""
    chosen = np.zeros(len(table.lists), np.bool_)
    chosen[lists] = True
    kept = np.zeros(len(table.lists.labels), np.bool_)
    kept[documents] = True
    whole, numbers = table.lists.select(chosen)
    return whole.keep(kept[numbers]), {model: scores[documents] for model, scores in table.scores.items()}
