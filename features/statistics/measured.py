"""Which columns of the lists are measured, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ranker.data.columns import TIMESTAMP, Column, judged_columns, raw_columns
from ranker.spec import Feature, Spec

__all__ = ["Kind", "Measured", "measured_columns"]

Kind = Literal["number", "label", "position", "time", "date", "text", "category", "categories", "vector"]
_KINDS: dict[str, Kind] = {"numeric": "number", "date": "date", "text": "text", "categorical": "category"}


@dataclass(frozen=True)
class Measured:
    """A raw column and what it stands for.

    Attributes:
        column: its name, scope and type.
        kind: `position` has 0 for documents that were not shown; `time` is that of the query; `categories` are several
            of a row.
        first: number of a vector's first component.
    """

    column: Column
    kind: Kind
    first: int = 0

    @property
    def name(self) -> str:
        """Of the column."""
        return self.column.name

    @property
    def measure(self) -> str | None:
        """What of it is a number: the `value`, of a text its `words`, of categories the number of `values`."""
        return {"text": "words", "categories": "values", "category": None, "vector": None}.get(self.kind, "value")

    @property
    def has_values(self) -> bool:
        """Whether its single values are counted."""
        return self.kind in ("label", "text", "category", "categories")


def measured_columns(spec: Spec) -> list[Measured]:
    """The raw columns that features read, the time of the query, and what is known of judged documents."""
    features = {feature.name: feature for feature in (*spec.features.query, *spec.features.of_documents)}
    judged: dict[str, Kind] = {"label": "label", "position": "position"}
    columns = raw_columns(spec)
    if spec.data.timestamp is not None and TIMESTAMP not in columns:
        columns = [TIMESTAMP, *columns]
    return [
        *(_measured(column, features.get(column.name)) for column in columns),
        *(Measured(column, judged.get(column.name, "number")) for column in judged_columns(spec.data)),
    ]


def _measured(column: Column, feature: Feature | None) -> Measured:
    if feature is None:
        return Measured(column, "time")
    if column.width is not None:
        return Measured(column, "vector", getattr(feature, "first", 0))
    if column.multivalued:
        return Measured(column, "categories")
    if feature.kind == "raw":
        return Measured(column, "text" if feature.type == "text" else "number")
    return Measured(column, _KINDS[feature.kind])
