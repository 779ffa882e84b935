"""Columns of lists against the schema of a dataset: their types, their shapes, how many values a row has.

Whether enough rows have a value is a question of chance, see `features.statistics.comparison`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tensorflow_metadata.proto.v0 import schema_pb2

from features.statistics.anomalies import Anomaly
from features.statistics.summary import ColumnSummary, SplitSummary

__all__ = ["SCHEMA_TYPES", "schema_differs"]

SCHEMA_TYPES = {"float32": schema_pb2.FLOAT, "int64": schema_pb2.INT, "string": schema_pb2.BYTES}
_SIDES = {"query": "context", "document": "example"}


def schema_differs(split: SplitSummary, schema: schema_pb2.Schema) -> list[Anomaly]:
    """Columns that are not as the schema has them; each is told once.

    Args:
        split: statistics of the lists.
        schema: of the training lists, maybe edited since. Columns that it does not have may be anything.
    """
    features = {feature.name: feature for feature in schema.feature}
    anomalies = []
    for column in split.columns:
        feature = features.get(column.measured.name)
        what = None if feature is None else next(_faults(column, feature), None)
        if what is not None:
            name = column.measured.name
            message = f"{split.name}: column {name!r} {what}, in schema.pbtxt; mend the data or what the schema says"
            anomalies.append(Anomaly(split.name, name, "type", "fail", message))
    return anomalies


def _faults(summary: ColumnSummary, feature: schema_pb2.Feature) -> Iterator[str]:
    column = summary.measured.column
    type_ = SCHEMA_TYPES[column.dtype]
    if feature.type not in (type_, schema_pb2.TYPE_UNKNOWN):
        names = schema_pb2.FeatureType.Name
        yield f"has the type {names(type_)}; expected {names(feature.type)}"
    sides = [side for side in _SIDES.values() if side in feature.annotation.tag]
    if sides and _SIDES[column.scope] not in sides:
        yield f"is of the {_SIDES[column.scope]}; expected of the {sides[0]}"
    few, many = _value_counts(summary)
    low, high = _expected(feature)
    if many and (few < low or (high is not None and many > high)):
        yield f"has {_range(few, many)} values a row; expected {_range(low, high)}"


def _value_counts(summary: ColumnSummary) -> tuple[int, int]:
    """The fewest, at the least, and the most values that a row has, of those that have any; 0 if there are none."""
    column = summary.measured.column
    if not column.multivalued:
        return column.width or 1, column.width or 1
    numbers = summary.numbers
    return (max(int(numbers.minimum), 1), int(numbers.maximum)) if numbers is not None and numbers.count else (0, 0)


def _expected(feature: schema_pb2.Feature) -> tuple[int, int | None]:
    """The fewest and the most values that a row should have; None for any number."""
    if feature.HasField("shape"):
        size = 1
        for dimension in feature.shape.dim:
            size *= dimension.size
        return size, size
    counts = feature.value_count
    return counts.min, counts.max if counts.HasField("max") else None


def _range(few: int, many: int | None) -> str:
    if many is None:
        return f"{few} or more"
    return f"{few}" if few == many else f"{few} to {many}"
