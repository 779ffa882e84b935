"""All that is added up over parts of the lists while they are measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from eval.calibration import Calibration
from eval.measuring import Plan
from eval.per_query import per_query_rows
from eval.ragged import FloatArray
from eval.score_table import ScoreTable
from eval.tally import Tally

__all__ = ["MeasurePart", "Totals"]


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums; `a + b` is that of two parts with no unit in common.

    Args:
        tally: of figures.
        calibration: of labels by score.
    """

    tally: Tally
    calibration: Calibration

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.tally + other.tally, self.calibration + other.calibration)


@dataclass(frozen=True, eq=False)
class MeasurePart:
    """Measures a part of the lists.

    Args:
        plan: what is measured.
        columns: metric and model of each column of the table of queries.
        metadata: of that table.
        score_edges: of the bins of scores, by model.
    """

    plan: Plan
    columns: Sequence[tuple[str, str]]
    metadata: Mapping[str, Any]
    score_edges: Mapping[str, FloatArray]

    def __call__(self, table: ScoreTable) -> tuple[Totals, pa.Table]:
        """The sums of the part, and its rows of the table of queries; errors as of `Plan.measure`."""
        part = self.plan.measure(table)
        rows = per_query_rows(part, self.columns, self.metadata)
        return Totals(part.tally, Calibration.of(table, self.score_edges)), rows
