"""The section `features`: what is known of a query, of a document, and of how the two match."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Name, Section, refuse_repeats, refuse_reserved

__all__ = ["Bm25", "Categorical", "Feature", "Features", "Numeric", "Text", "Vocabulary"]


class Numeric(Section):
    """A number. `log1p` is signed: sign(x) * log(1 + |x|). A missing value becomes the mean (after `transform`)."""

    name: Name
    kind: Literal["numeric"]
    transform: list[Literal["log1p", "zscore"]] = ["zscore"]


class Vocabulary(Section):
    """Values by falling frequency in the training lists; the others share `oov` hashed buckets."""

    top_k: Annotated[int, Field(ge=1)] = 5000
    oov: Annotated[int, Field(ge=1)] = 1


class Categorical(Section):
    """One of a set of values: a code for the trees, an embedding of `embed` numbers for networks."""

    name: Name
    kind: Literal["categorical"]
    vocabulary: Vocabulary = Vocabulary()
    embed: Annotated[int, Field(ge=1)] = 8


class Text(Section):
    """Words, hashed into `buckets` ids; the mean of the first `max_words` embeddings goes to networks.

    Ids are padded to the longest text of a batch: without a limit one long text costs all documents its memory.
    """

    name: Name
    kind: Literal["text"]
    buckets: Annotated[int, Field(ge=2)] = 4096
    embed: Annotated[int, Field(ge=1)] = 16
    max_words: Annotated[int, Field(ge=1)] = 64


class Bm25(Section):
    """How well a text of the document matches a text of the query (Robertson and Zaragoza 2009)."""

    kind: Literal["bm25"]
    query: Name
    document: Name
    k1: Annotated[float, Field(gt=0)] = 1.2
    b: Annotated[float, Field(ge=0, le=1)] = 0.75

    @property
    def name(self) -> str:
        """Name of the feature this match computes."""
        return f"bm25_{self.query}_{self.document}"


Feature = Annotated[Numeric | Categorical | Text, Field(discriminator="kind")]


class Features(Section):
    """What is known of a query, of a document, and of how the two match."""

    query: list[Feature] = []
    document: Annotated[list[Feature], Field(min_length=1)]
    match: list[Bm25] = []

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        names = [f.name for f in (*self.query, *self.document, *self.match)]
        refuse_repeats("feature", names)
        refuse_reserved("feature", names)
        if not self.dense_names:
            raise ValueError("no numeric and no match feature; every ranker needs at least one")
        for side, features in (("query", self.query), ("document", self.document)):
            texts = [f.name for f in features if f.kind == "text"]
            for match in self.match:
                if (used := getattr(match, side)) not in texts:
                    raise ValueError(f"{match.name}: no text feature {used!r} under features.{side}; there are {texts}")
        return self

    @property
    def dense_names(self) -> list[str]:
        """Names of the features in the `dense` vector of a document, in order."""
        numeric = [f.name for f in (*self.query, *self.document) if f.kind == "numeric"]
        return numeric + [match.name for match in self.match]
