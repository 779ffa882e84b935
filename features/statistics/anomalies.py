"""Checks of lists against the training lists: what is missing, unseen, constant or drifts, unless it may be chance.

A comparison is an anomaly if its distance is more than the spec allows and its p-value less than (1 - confidence) /
(number of comparisons), which is Bonferroni's bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from features.statistics.comparison import Comparison
from features.statistics.measured import Measured
from features.statistics.summary import ColumnSummary, SplitSummary
from ranker.errors import RankerError
from ranker.spec.validation import LIST_LENGTH, Action, Validation

__all__ = ["Anomaly", "anomalies_of", "columns_differ", "constant_columns", "refuse"]

_SHORT = 30
_NAMED = 10


@dataclass(frozen=True)
class Anomaly:
    """Something that is wrong with a column; as a dict it is JSON.

    Attributes:
        split: in which.
        column: name of the column, `list_length`, or "" for rows.
        check: `drift`, `missing`, `unseen`, `constant`, `type` or `rows`.
        action: `warn` or `fail`.
        message: says all of it in a line.
        value: the distance; None where nothing is measured.
        limit: the largest that was allowed.
        p_value: how likely chance alone makes the distance as large.
    """

    split: str
    column: str
    check: str
    action: Action
    message: str
    value: float | None = None
    limit: float | None = None
    p_value: float | None = None


def anomalies_of(comparisons: Sequence[Comparison], checks: Validation) -> list[Anomaly]:
    """What of the comparisons is beyond its limit and beyond chance; components of a vector are told together."""
    chance = (1 - checks.confidence) / max(len(comparisons), 1)
    beyond = [c for c in comparisons if c.distance.value > c.limit and c.distance.p_value < chance]
    anomalies = []
    for (split, column, check), group in groupby(beyond, key=lambda c: (c.split, c.column, c.check)):
        action = checks.action_for(column, check)
        if action == "ignore":
            continue
        together = sorted(group, key=lambda c: -c.distance.value)
        distance, limit = together[0].distance, together[0].limit
        figures = distance.value, limit, distance.p_value
        anomalies.append(Anomaly(split, column, check, action, _message(together), *figures))
    return anomalies


def constant_columns(train: SplitSummary, checks: Validation) -> list[Anomaly]:
    """Columns of features, and labels, that are the same in all training lists, or always missing."""
    anomalies = []
    for column in train.columns:
        name, kind = column.measured.name, column.measured.kind
        if kind in ("time", "position") or name == "weight":
            continue
        action, what = checks.action_for(name, "constant"), _constant(column)
        if what and action != "ignore":
            message = (
                f"{train.name}: column {name!r} {what}, of which nothing can be learnt; leave it out, or say "
                f"validation.columns.{name}.action: ignore"
            )
            anomalies.append(Anomaly(train.name, name, "constant", action, message))
    return anomalies


def columns_differ(expected: Sequence[Measured], given: Sequence[Measured], where: str) -> list[Anomaly]:
    """Columns of the dataset that other data has not, or has as something else."""
    anomalies = []
    there = {column.name: column for column in given}
    for column in expected:
        found = there.get(column.name)
        if found is None:
            what = f"is not there; expected {_type(column)}"
        elif _type(found) != _type(column):
            what = f"is {_type(found)}; expected {_type(column)}"
        else:
            continue
        message = f"{where}: column {column.name!r} {what}, as in the dataset"
        anomalies.append(Anomaly(where, column.name, "type", "fail", message))
    return anomalies


def refuse(anomalies: Iterable[Anomaly]) -> None:
    """Fail if one of the anomalies is such as the spec says that it has to fail.

    Raises:
        RankerError: with the messages of all of them.
    """
    failing = [anomaly.message for anomaly in anomalies if anomaly.action == "fail"]
    if failing:
        told = "\n".join(f"  {message}" for message in failing)
        what = "of the checks under the spec's `validation` says that this data must not be used"
        raise RankerError(f"{len(failing)} {what}:\n{told}")


def _constant(column: ColumnSummary) -> str | None:
    """Why nothing can be learnt from a column, or a part of it."""
    numbers, values = column.numbers, column.values
    if column.rows and column.missing == column.rows:
        return "is missing everywhere"
    same = [place for place, c in enumerate(column.components, column.measured.first) if c.constant or not c.count]
    if same:
        return f"has {len(same)} of {len(column.components)} components with one number or none: {_few(same)}"
    if values is not None and values.exact and values.distinct == 1 and values.count == column.rows:
        return f"is {values.top[0][0][:_SHORT]!r} everywhere"
    if values is None and not column.components and numbers is not None and numbers.constant:
        return f"is {numbers.minimum:g} everywhere"
    return None


def _type(measured: Measured) -> str:
    """A column's type in words."""
    column = measured.column
    of = "queries" if column.scope == "query" else "documents"
    if column.width is not None:
        return f"a vector of {column.width} numbers, of {of}"
    return f"{'several of ' if column.multivalued else ''}type {column.dtype}, of {of}"


def _message(together: Sequence[Comparison]) -> str:
    worst = together[0]
    where = f"{worst.split}: {'' if worst.column == LIST_LENGTH else 'column '}{worst.column!r}"
    if worst.component is not None:
        numbers = [c.component for c in together if c.component is not None]
        where += f", {len(numbers)} of its components ({_few(numbers)}), at worst {worst.column}_{worst.component}"
    return (
        f"{where}: {worst.measure} {worst.distance.value:.3g}, more than {worst.limit:g} ({worst.what}); if "
        f"it is as it should be, raise validation.columns.{worst.column}.{worst.check}"
    )


def _few(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_NAMED]))
    return f"{shown} and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else shown
