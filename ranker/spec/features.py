"""The section `features`: what is known of a query, of a document, of how the two match, and of a document's list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from ranker.spec.section import Location, Name, ReferencesError, Section, refuse_repeats, refuse_reserved

__all__ = [
    "Bm25",
    "Categorical",
    "DenseFeature",
    "DocumentFeature",
    "Feature",
    "Features",
    "Listwise",
    "Match",
    "Numeric",
    "Text",
    "TextMatch",
    "Vector",
    "Vocabulary",
]

_MOST_ONE_HOT = 1000  # columns; each is a number of every document
_MOST_BAG = 1024


def _mean_zero_or_number(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        raise ValueError(f"expected mean, zero or a number, got {value!r:.60}") from None


class Numeric(Section):
    """A number.

    `transform` steps are taken in the order given. `log1p` is signed: sign(x) * log(1 + |x|). `zscore` and `minmax`
    (to 0..1 for training documents, not bounded for others) take their constants from the training documents; a column
    without spread becomes 0. `clip` bounds the number as it then is to `clip: [low, high]`.

    A missing value becomes, by `missing`: `mean`, the mean before `zscore` or `minmax`; `zero`, 0 after all steps; or a
    number, as if it had been given. Constants and buckets come from the values that are there.

    More columns: `NAME_bucket` with `buckets: n`, the quantile bucket of the given number (1 to n; 0 is missing), and
    `NAME_missing` with `missing_indicator: true` (1 or 0).
    """

    name: Name
    kind: Literal["numeric"]
    transform: list[Literal["clip", "log1p", "zscore", "minmax"]] = ["zscore"]
    clip: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    buckets: Annotated[int, Field(ge=2, le=1000)] | None = None
    missing: Annotated[Literal["mean", "zero"] | float, WrapValidator(_mean_zero_or_number)] = "mean"
    missing_indicator: bool = False

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        refuse_repeats("transform step", self.transform)
        if {"zscore", "minmax"} <= set(self.transform):
            raise ValueError("transform has both zscore and minmax; expected one of them")
        if ("clip" in self.transform) != (self.clip is not None):
            raise ValueError(
                "expected both or none of the step `clip` in transform and of its bounds `clip: [low, high]`"
            )
        if self.clip is not None and self.clip[0] >= self.clip[1]:
            raise ValueError(f"clip: expected [low, high] with low < high, got {self.clip}")
        return self

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector."""
        more = [(self.buckets is not None, "bucket"), (self.missing_indicator, "missing")]
        return [self.name, *(f"{self.name}_{what}" for wanted, what in more if wanted)]


class Vocabulary(Section):
    """Values by falling frequency in training lists, if met `min_count` times; others share `oov` hashed buckets."""

    top_k: Annotated[int, Field(ge=1)] = 5000
    min_count: Annotated[int, Field(ge=1)] = 1
    oov: Annotated[int, Field(ge=1)] = 1


class Categorical(Section):
    """One of a set of values, as an id from a vocabulary, or from a hash of so many buckets; missing is 0.

    `encode: embedding` gives a code for the trees and an embedding of `embed` numbers for networks; `one_hot` a dense
    column `NAME_is_ID` for each id from 1.
    """

    name: Name
    kind: Literal["categorical"]
    vocabulary: Vocabulary = Vocabulary()
    hash: Annotated[int, Field(ge=2)] | None = None
    encode: Literal["embedding", "one_hot"] = "embedding"
    embed: Annotated[int, Field(ge=1)] = 8

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if self.hash is not None and self.vocabulary != Vocabulary():
            raise ValueError("vocabulary and hash exclude each other; leave one out")
        if self.encode == "one_hot":
            _refuse_embed(self)
            if self.most_ids > _MOST_ONE_HOT:
                raise ValueError(
                    f"one_hot of {self.most_ids} columns, at most {_MOST_ONE_HOT}; lower vocabulary.top_k or hash, "
                    "or use encode: embedding"
                )
        return self

    @property
    def most_ids(self) -> int:
        """No id is larger."""
        return self.vocabulary.top_k + self.vocabulary.oov if self.hash is None else self.hash

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector; none for an embedding."""
        return [f"{self.name}_is_{i}" for i in range(1, self.most_ids + 1)] if self.encode == "one_hot" else []


class Text(Section):
    """Words, and with `ngrams: n` also runs of 2 to n words, of the first `max_words` words, hashed into `buckets` ids.

    `encode: embedding` gives the mean of `embed` numbers each to networks; ids are padded to the longest text of a
    batch, and without a limit one long text costs all documents its memory. `bag` gives a dense column `NAME_bag_ID`
    for each id from 1: how often it is there.
    """

    name: Name
    kind: Literal["text"]
    ngrams: Annotated[int, Field(ge=1, le=3)] = 1
    buckets: Annotated[int, Field(ge=2)] = 4096
    max_words: Annotated[int, Field(ge=1)] = 64
    encode: Literal["embedding", "bag"] = "embedding"
    embed: Annotated[int, Field(ge=1)] = 16

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if self.encode == "bag":
            _refuse_embed(self)
            if self.buckets > _MOST_BAG:
                raise ValueError(f"bag of {self.buckets} columns, at most {_MOST_BAG}; lower buckets")
        return self

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector; none for an embedding."""
        return [f"{self.name}_bag_{i}" for i in range(1, self.buckets + 1)] if self.encode == "bag" else []


def _refuse_embed(feature: Categorical | Text) -> None:
    if feature.embed != type(feature).model_fields["embed"].default:
        raise ValueError(f"embed has no effect with encode: {feature.encode}; leave it out")


class Vector(Section):
    """Numbers of one column, `width` of each document: the features of a LETOR file.

    Each becomes a dense column `NAME_I`, I from `first`; steps and missing numbers are as for `Numeric`. With
    `zscore_in_list: true` there is also `zscore_in_list_NAME_I`, the z-score of each among those of its list. A LETOR
    source knows `width` and `first` by itself.
    """

    name: Name
    kind: Literal["vector"]
    width: Annotated[int, Field(ge=1)] | None = None
    first: Annotated[int, Field(ge=0)] = 0
    transform: list[Literal["log1p", "zscore", "minmax"]] = ["log1p", "zscore"]
    zscore_in_list: bool = False

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        Numeric(name=self.name, kind="numeric", transform=list(self.transform))
        return self

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector; none while the width is not known."""
        numbers = [f"{self.name}_{i}" for i in range(self.first, self.first + (self.width or 0))]
        return numbers + [f"zscore_in_list_{name}" for name in numbers if self.zscore_in_list]

    def may_have(self, column: str) -> bool:
        """Whether this is one of its columns, or may be once the width is known."""
        if self.width is not None:
            return column in self.dense_columns
        pattern = rf"{'(zscore_in_list_)?' if self.zscore_in_list else ''}{self.name}_[0-9]+"
        return re.fullmatch(pattern, column) is not None


class _Match(Section):
    """A number computed from a text of the query and a text of the document."""

    kind: str
    query: Name
    document: Name

    @property
    def name(self) -> str:
        """Name of the feature this match computes."""
        return f"{self.kind}_{self.query}_{self.document}"

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector."""
        return [self.name]


class Bm25(_Match):
    """How well the texts match (Robertson and Zaragoza 2009)."""

    kind: Literal["bm25"]
    k1: Annotated[float, Field(gt=0)] = 1.2
    b: Annotated[float, Field(ge=0, le=1)] = 0.75


class TextMatch(_Match):
    """How well the texts match, in another way; `features.text_match` has a function with the formula for each kind."""

    kind: Literal["tfidf_cosine", "coverage", "idf_overlap", "exact_phrase", "bigram_overlap", "length_ratio"]


class Listwise(Section):
    """How a number of a document compares with those of its list.

    `of` names a numeric document feature (the number as given, before `transform`) or a match. A missing number stands
    in the middle of those that are there: its rank is (number of them + 1) / 2, its percentile 0.5, its z-score 0.
    """

    kind: Literal["rank_in_list", "percentile_in_list", "zscore_in_list"]
    of: Name

    @property
    def name(self) -> str:
        """Name of the feature it computes."""
        return f"{self.kind}_{self.of}"

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector."""
        return [self.name]


Feature = Annotated[Numeric | Categorical | Text, Field(discriminator="kind")]
DocumentFeature = Annotated[Numeric | Categorical | Text | Vector, Field(discriminator="kind")]
Match = Annotated[Bm25 | TextMatch, Field(discriminator="kind")]
DenseFeature = Numeric | Vector | Categorical | Text | Bm25 | TextMatch | Listwise


class Features(Section):
    """What is known of a query, of a document, of how the two match, and of how a document compares with its list."""

    query: list[Feature] = []
    document: Annotated[list[DocumentFeature], Field(min_length=1)]
    match: list[Match] = []
    listwise: list[Listwise] = []

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        faults = list(self._faults_of_references())
        if faults:
            raise ReferencesError(faults)
        return self

    def _faults_of_references(self) -> Iterator[tuple[Location, str]]:
        names = [f.name for f in (*self.query, *self.document, *self.match, *self.listwise)]
        columns = [column for f in self.dense for column in f.dense_columns if column != f.name]
        checks: list[tuple[Callable[[str, Iterable[str]], None], list[str]]] = [
            (refuse_repeats, [*names, *columns]),
            (refuse_reserved, names),
        ]
        for refuse, given in checks:
            try:
                refuse("feature", given)
            except ValueError as error:
                yield (), str(error)
        if not self.dense:
            yield (), "no numeric and no match feature; every ranker needs at least one"
        for side, features in (("query", self.query), ("document", self.document)):
            texts = [f.name for f in features if f.kind == "text"]
            for place, match in enumerate(self.match):
                if (used := getattr(match, side)) not in texts:
                    yield (
                        ("match", place, side),
                        f"{match.name}: no text feature {used!r} under features.{side}; there are {texts}",
                    )
        numbers = [f.name for f in self.document if f.kind == "numeric"] + [match.name for match in self.match]
        for place, listwise in enumerate(self.listwise):
            if listwise.of not in numbers:
                yield (
                    ("listwise", place, "of"),
                    f"{listwise.name}: no numeric document feature and no match {listwise.of!r}; there are {numbers}",
                )

    @property
    def dense(self) -> list[DenseFeature]:
        """The features with columns in the `dense` vector of a document, in the order of their columns."""
        given = (*self.query, *self.document)
        kinds = ("numeric", "vector", "categorical", "text")
        return [
            *(f for kind in kinds for f in given if f.kind == kind and (f.dense_columns or f.kind == "vector")),
            *self.match,
            *self.listwise,
        ]

    @property
    def dense_names(self) -> list[str]:
        """Names of the numbers in the `dense` vector of a document, in order."""
        return [column for feature in self.dense for column in feature.dense_columns]

    def may_have(self, column: str) -> bool:
        """Whether `dense` has this column, or may have it once the width of a vector is known."""
        vectors = [feature for feature in self.document if isinstance(feature, Vector)]
        return column in self.dense_names or any(vector.may_have(column) for vector in vectors)
