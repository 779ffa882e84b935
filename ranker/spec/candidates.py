"""The section `candidates`: where the documents of a list come from."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from ranker.spec.section import Name, Section, refuse_repeats

__all__ = ["Bm25Candidates", "Candidates", "JudgedCandidates", "SampledCandidates", "TableCandidates", "Unjudged"]

Unjudged = Annotated[Literal[0, "drop"], Field(description="label of a candidate without judgment, or `drop`")]


class _Candidates(Section):
    """`from` is a word of Python: the field is `from_`."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True, serialize_by_alias=True)


class JudgedCandidates(_Candidates):
    """The documents that were judged for the query."""

    from_: Literal["judgments"] = Field("judgments", alias="from")


class Bm25Candidates(_Candidates):
    """The `k` documents of the whole collection that match the query best.

    A training list also has its judged documents with a label above 0; no other list is given any. Documents that were
    judged, are not relevant and are not among the `k` are left out: the ranker will not see them.
    """

    from_: Literal["bm25"] = Field(alias="from")
    k: Annotated[int, Field(ge=1, le=10_000)] = 100
    query: Name = Field(description="a text feature of the query")
    document: Annotated[list[Name], Field(min_length=1)] = Field(description="text features, read as one text")
    k1: Annotated[float, Field(gt=0)] = 1.2
    b: Annotated[float, Field(ge=0, le=1)] = 0.75
    unjudged: Unjudged = 0

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse_repeats("document text", self.document)
        return self


class TableCandidates(_Candidates):
    """The rows of a table with the ids of query and document, e.g. what a retriever gave; otherwise as `bm25`.

    The columns of pair features are read from it.
    """

    from_: Literal["table"] = Field(alias="from")
    file: str = Field(description="file with one row per (query, document) pair")
    unjudged: Unjudged = 0


class SampledCandidates(_Candidates):
    """The judged documents and `n` others of the collection, drawn evenly, with label 0: for recommendation.

    Validation and test lists are not sampled, because measures on samples order models wrongly (Krichene and Rendle,
    KDD 2020): they have all documents of the collection, or with `test: judgments` those that were judged.
    """

    from_: Literal["sample"] = Field(alias="from")
    n: Annotated[int, Field(ge=1)] = 100
    seed: Annotated[int, Field(ge=0)] = 7
    test: Literal["all", "judgments"] = "all"


Candidates = Annotated[
    JudgedCandidates | Bm25Candidates | TableCandidates | SampledCandidates, Field(discriminator="from_")
]
