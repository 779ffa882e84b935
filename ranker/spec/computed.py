"""Features computed from raw columns by what a user brings: another SavedModel, or a function of TensorFlow."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Name, Section, refuse_repeats

__all__ = ["Code", "Computed", "Raw", "SavedModel"]

_FUNCTION = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"


class Raw(Section):
    """A column that is no feature by itself: for `computed` features to read.

    `type: text`, missing is ""; or `number`, missing is NaN, with a `width` a vector of so many.
    """

    name: Name
    kind: Literal["raw"]
    type: Literal["text", "number"]
    width: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _width_has_an_effect(self) -> Self:
        if self.type == "text" and self.width is not None:
            raise ValueError("width has no effect with type: text; leave it out, or use type: number")
        return self

    @property
    def dense_columns(self) -> list[str]:
        """None."""
        return []


class _Computed(Section):
    """One number or one vector of `width` numbers for each document, or for each query if all inputs are of the query.

    Infinite numbers and NaN count as missing, and a missing number becomes the mean of the training documents.
    `transform` steps are as for `numeric`. The columns are `NAME`, or of a vector `NAME_0`, `NAME_1`, ... `width` is
    found out when the spec is checked or prepared.
    """

    name: Name
    kind: str
    width: Annotated[int, Field(ge=1)] | None = None
    transform: list[Literal["log1p", "zscore", "minmax"]] = ["zscore"]

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        refuse_repeats("transform step", self.transform)
        if {"zscore", "minmax"} <= set(self.transform):
            raise ValueError("transform has both zscore and minmax; expected one of them")
        return self

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector; none while the width is not known."""
        if self.width == 1:
            return [self.name]
        return [f"{self.name}_{i}" for i in range(self.width or 0)]

    def may_have(self, column: str) -> bool:
        """Whether this is one of its columns, or may be once the width is known."""
        if self.width is not None:
            return column in self.dense_columns
        return re.fullmatch(rf"{self.name}(_[0-9]+)?", column) is not None


class SavedModel(_Computed):
    """What a signature of another TensorFlow SavedModel gives: an encoder of images or texts.

    `inputs` says for each input of the signature which column it reads. The model becomes part of the transform graph
    and of the bundle. It sees "" and NaN where a value is missing; an input of type int64 sees the smallest int64 where
    a date is missing. It never sees a single row: that is given twice, so that matrix products have the same bits as in
    a batch.
    """

    kind: Literal["saved_model"]
    path: str = Field(description="folder of the SavedModel")
    signature: str = "serving_default"
    inputs: Annotated[dict[str, Name], Field(min_length=1)]
    output: str | None = Field(None, description="name of the output, if the signature has several")

    @property
    def columns(self) -> list[str]:
        """The columns it reads."""
        return list(self.inputs.values())


class Code(_Computed):
    """What a function of yours makes of columns with TensorFlow operations: `code: "module:function"`.

    The module is imported from the folder of the spec. The function takes one tensor per name in `inputs`, in order:
    float32 `[documents]` (missing is NaN) or `[documents, width]` for a vector, string `[documents]` (missing is ""),
    int64 `[documents]` for a date (seconds since 1970; missing is the smallest), a ragged string tensor
    `[documents, (values)]` for a multi-valued category, each value once. It gives numbers, `[documents]` or
    `[documents, width]`, each from the values of its own document. If all inputs are of the query, `documents` are
    queries. Only the operations go into the transform graph: no Python is run later.
    """

    kind: Literal["code"]
    code: Annotated[str, Field(pattern=_FUNCTION, description="module:function")]
    inputs: Annotated[list[Name], Field(min_length=1)]

    @property
    def columns(self) -> list[str]:
        """The columns it reads."""
        return self.inputs


Computed = Annotated[SavedModel | Code, Field(discriminator="kind")]
