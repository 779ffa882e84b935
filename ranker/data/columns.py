"""The raw columns of a list, and the Arrow schema of a batch of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from ranker.spec import Spec
from ranker.spec.features import DocumentFeature

__all__ = ["Column", "Scope", "list_schema", "raw_columns"]

Scope = Literal["query", "document"]
Dtype = Literal["float32", "string"]


@dataclass(frozen=True)
class Column:
    """A raw feature: its name, whose it is, and its type. Missing is NaN (float32) or "" (string).

    With a `width` each value is a vector of so many numbers.
    """

    name: str
    scope: Scope
    dtype: Dtype
    width: int | None = None

    @property
    def arrow_type(self) -> pa.DataType:
        """Type of one value in Arrow."""
        scalar = pa.float32() if self.dtype == "float32" else pa.string()
        return scalar if self.width is None else pa.list_(scalar, self.width)

    def array(self, values: Sequence[Any]) -> np.ndarray:
        """Values of this column as TensorFlow takes them: float32 `[values]` or `[values, width]`, or bytes."""
        return np.array(values, object if self.dtype == "string" else np.float32)

    def to_json(self) -> dict[str, Any]:
        """As the manifests hold it."""
        return asdict(self)


def raw_columns(spec: Spec) -> list[Column]:
    """The raw columns that the features of a spec read, query columns first."""

    def column(feature: DocumentFeature, scope: Scope) -> Column:
        dtype: Dtype = "float32" if feature.kind in ("numeric", "vector") else "string"
        return Column(feature.name, scope, dtype, feature.width if feature.kind == "vector" else None)

    given = [column(feature, "query") for feature in spec.features.query]
    return given + [column(feature, "document") for feature in spec.features.document]


def list_schema(columns: list[Column]) -> pa.Schema:
    """Schema of a batch with one row per list.

    `query_id` string, each query column a value, `document_id` list<string>, `label` list<float32> and each
    document column a list, all lists of a row equally long. No value is null.
    """
    fields = [pa.field("query_id", pa.string(), nullable=False)]
    fields += [pa.field(c.name, c.arrow_type, nullable=False) for c in columns if c.scope == "query"]
    fields += [pa.field("document_id", pa.list_(pa.string())), pa.field("label", pa.list_(pa.float32()))]
    fields += [pa.field(c.name, pa.list_(c.arrow_type)) for c in columns if c.scope == "document"]
    return pa.schema(fields)
