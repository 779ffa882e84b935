"""The raw columns of a list, and the Arrow schema of a batch of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from ranker.spec import Data, Spec
from ranker.spec.features import Feature

__all__ = [
    "LABEL",
    "MISSING_INT",
    "TIMESTAMP",
    "Column",
    "Dtype",
    "Scope",
    "column_of",
    "judged_columns",
    "list_schema",
    "raw_columns",
    "schema_of",
]

Scope = Literal["query", "document"]
Dtype = Literal["float32", "int64", "string"]

MISSING_INT = np.iinfo(np.int64).min
_ARROW: dict[Dtype, pa.DataType] = {"float32": pa.float32(), "int64": pa.int64(), "string": pa.string()}
_NUMPY: dict[Dtype, Any] = {"float32": np.float32, "int64": np.int64, "string": object}
_DTYPE: dict[str, Dtype] = {"numeric": "float32", "number": "float32", "vector": "float32", "date": "int64"}


@dataclass(frozen=True)
class Column:
    """A raw feature: its name, whose it is, and its type.

    Missing is NaN (float32), the smallest int64 or "" (string). Dates are int64, seconds since 1970 in UTC. With a
    `width` each value is a vector of so many numbers; if `multivalued`, it is any number of texts, none of them "". A
    `separator` splits one text that stands for several; values here are split.
    """

    name: str
    scope: Scope
    dtype: Dtype
    width: int | None = None
    multivalued: bool = False
    separator: str | None = None

    @property
    def arrow_type(self) -> pa.DataType:
        """Type of one value in Arrow."""
        scalar = _ARROW[self.dtype]
        if self.multivalued:
            return pa.list_(scalar)
        return scalar if self.width is None else pa.list_(scalar, self.width)

    def array(self, values: Sequence[Any]) -> np.ndarray:
        """Values of this column as TensorFlow takes them: float32, int64 or bytes `[values]`, or `[values, n]`.

        Multi-valued ones are filled with b"" to the longest, and to one at least.
        """
        if self.multivalued:
            longest = max([1, *(len(value) for value in values)])
            values = [[*value, *[b""] * (longest - len(value))] for value in values]
            return np.array(values, object).reshape(len(values), longest)
        return np.array(values, _NUMPY[self.dtype])

    def to_json(self) -> dict[str, Any]:
        """As the manifests hold it."""
        return asdict(self)


TIMESTAMP = Column("timestamp", "query", "int64")
LABEL = Column("label", "document", "float32")


def column_of(feature: Feature, scope: Scope) -> Column:
    """The raw column that a feature reads."""
    return Column(
        feature.name,
        scope,
        _DTYPE.get(feature.type if feature.kind == "raw" else feature.kind, "string"),
        feature.width if feature.kind in ("vector", "raw") else None,
        feature.kind == "categorical" and feature.multivalued,
        feature.separator if feature.kind == "categorical" else None,
    )


def raw_columns(spec: Spec) -> list[Column]:
    """The raw columns that the features of a spec read, query columns first; for dates also the `timestamp`."""
    features = spec.features
    return [
        *(column_of(feature, "query") for feature in features.query),
        *([TIMESTAMP] if features.dates else []),
        *(column_of(feature, "document") for feature in features.of_documents),
    ]


def judged_columns(data: Data) -> list[Column]:
    """What is known of judged documents beside their features: `label`, and as the spec says `weight` and `position`.

    A missing weight is 1; a document without position was not shown.
    """
    columns = [LABEL]
    if data.weight is not None:
        columns.append(Column("weight", "document", "float32"))
    if data.position is not None:
        columns.append(Column("position", "document", "int64"))
    return columns


def schema_of(spec: Spec) -> pa.Schema:
    """Schema of the lists of a source; with the `timestamp` of queries if the spec names one, feature or not."""
    columns = raw_columns(spec)
    if spec.data.timestamp is not None and TIMESTAMP not in columns:
        columns = [TIMESTAMP, *columns]
    return list_schema(columns, judged_columns(spec.data))


def list_schema(columns: Sequence[Column], judged: Sequence[Column] = (LABEL,)) -> pa.Schema:
    """Schema of a batch with one row per list.

    `query_id` string, each query column a value, `document_id` list<string>, the `judged` and each document column a
    list, all lists of a row equally long. No value is null.
    """
    fields = [pa.field("query_id", pa.string(), nullable=False)]
    fields += [pa.field(c.name, c.arrow_type, nullable=False) for c in columns if c.scope == "query"]
    fields += [pa.field("document_id", pa.list_(pa.string()))]
    fields += [pa.field(c.name, pa.list_(c.arrow_type)) for c in (*judged, *columns) if c.scope == "document"]
    return pa.schema(fields)
