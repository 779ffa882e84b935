"""Crosses: which value of the query meets which value of the document."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Name, Section

__all__ = ["Cross"]

_MOST_ONE_HOT = 1000  # columns; each is a number of every document


class Cross(Section):
    """Each pair of a value of the query and a value of the document, hashed into `buckets` ids: "gift" with "toys".

    `query` and `document` each name a categorical feature (its values), a text (its words) or a number or date with
    `buckets` (its bucket). Where one side has many values, its first `max_values` count. A missing value makes no pair.

    `encode: embedding` gives an embedding of `embed` numbers to networks, the mean over the pairs, and where there is
    one pair at most its id to trees; `one_hot` a dense column `NAME_is_ID` for each id from 1.
    """

    kind: Literal["cross"] = "cross"
    query: Name
    document: Name
    buckets: Annotated[int, Field(ge=2)] = 4096
    max_values: Annotated[int, Field(ge=1, le=64)] = 8
    encode: Literal["embedding", "one_hot"] = "embedding"
    embed: Annotated[int, Field(ge=1)] = 8

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if self.encode == "one_hot":
            if self.embed != type(self).model_fields["embed"].default:
                raise ValueError("embed has no effect with encode: one_hot; leave it out")
            if self.buckets > _MOST_ONE_HOT:
                raise ValueError(f"one_hot of {self.buckets} columns, at most {_MOST_ONE_HOT}; lower buckets")
        return self

    @property
    def name(self) -> str:
        """Name of the feature it computes."""
        return f"cross_{self.query}_{self.document}"

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector; none for an embedding."""
        return [f"{self.name}_is_{i}" for i in range(1, self.buckets + 1)] if self.encode == "one_hot" else []
