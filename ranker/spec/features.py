"""The section `features`: what is known of a query, of a document, of how the two match, and of a document's list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from ranker.spec.computed import Code, Computed, Raw, SavedModel
from ranker.spec.crosses import Cross
from ranker.spec.section import Location, Name, ReferencesError, Section, refuse_repeats, refuse_reserved

__all__ = [
    "Bm25",
    "Categorical",
    "Code",
    "Computed",
    "Cross",
    "Date",
    "DenseFeature",
    "Feature",
    "Features",
    "Listwise",
    "Match",
    "Numeric",
    "PairFeature",
    "Raw",
    "SavedModel",
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


class _Number(Section):
    """What becomes of a number.

    `transform` steps are taken in the order given. `log1p` is signed: sign(x) * log(1 + |x|). `zscore` and `minmax`
    (to 0..1 for training documents, not bounded for others) take their constants from the training documents; a column
    without spread becomes 0. `clip` bounds the number as it then is to `clip: [low, high]`.

    A missing value becomes, by `missing`: `mean`, the mean before `zscore` or `minmax`; `zero`, 0 after all steps; or a
    number, as if it had been given. Constants and buckets come from the values that are there.

    More columns: `NAME_bucket` with `buckets: n`, the quantile bucket of the given number (1 to n; 0 is missing), and
    `NAME_missing` with `missing_indicator: true` (1 or 0).
    """

    name: Name
    kind: str
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


class Numeric(_Number):
    """A number."""

    kind: Literal["numeric"]


class Date(_Number):
    """A date or a moment, as a number: its age in days when the query was asked, which `data.timestamp` says.

    It is below 0 for what comes later. What becomes of the number, see `numeric`.
    """

    kind: Literal["date"]
    transform: list[Literal["clip", "log1p", "zscore", "minmax"]] = ["log1p", "zscore"]


class Vocabulary(Section):
    """Values by falling frequency in training lists, if met `min_count` times; others share `oov` hashed buckets."""

    top_k: Annotated[int, Field(ge=1)] = 5000
    min_count: Annotated[int, Field(ge=1)] = 1
    oov: Annotated[int, Field(ge=1)] = 1


class Categorical(Section):
    """One of a set of values, as an id from a vocabulary, or from a hash of so many buckets; missing is 0.

    `encode: embedding` gives a code for the trees and an embedding of `embed` numbers for networks; `one_hot` a dense
    column `NAME_is_ID` for each id from 1.

    With `multivalued: true` there are any number of values, e.g. the genres of a film: lists of texts in the tables, or
    texts with a `separator`. Each counts once; the embedding is the mean of theirs; trees take none of it unless
    `encode: one_hot`.
    """

    name: Name
    kind: Literal["categorical"]
    vocabulary: Vocabulary = Vocabulary()
    hash: Annotated[int, Field(ge=2)] | None = None
    encode: Literal["embedding", "one_hot"] = "embedding"
    embed: Annotated[int, Field(ge=1)] = 8
    multivalued: bool = False
    separator: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if self.separator is not None and not self.multivalued:
            raise ValueError("separator has no effect without multivalued: true; add it, or leave separator out")
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
    for each id from 1: how often it is there. `tfidf`, for texts of documents, a column `NAME_tfidf_ID`: each time
    counts the idf of its word in the collection, and the columns of a text have length 1 together.
    """

    name: Name
    kind: Literal["text"]
    ngrams: Annotated[int, Field(ge=1, le=3)] = 1
    buckets: Annotated[int, Field(ge=2)] = 4096
    max_words: Annotated[int, Field(ge=1)] = 64
    encode: Literal["embedding", "bag", "tfidf"] = "embedding"
    embed: Annotated[int, Field(ge=1)] = 16

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if self.encode != "embedding":
            _refuse_embed(self)
            if self.buckets > _MOST_BAG:
                raise ValueError(f"{self.encode} of {self.buckets} columns, at most {_MOST_BAG}; lower buckets")
        if self.encode == "tfidf" and self.ngrams > 1:
            raise ValueError("tfidf counts words, not runs of them; leave ngrams out, or use encode: bag")
        return self

    @property
    def dense_columns(self) -> list[str]:
        """Names of its columns in the `dense` vector; none for an embedding."""
        if self.encode == "embedding":
            return []
        return [f"{self.name}_{self.encode}_{i}" for i in range(1, self.buckets + 1)]


def _refuse_embed(feature: Categorical | Text) -> None:
    if feature.embed != type(feature).model_fields["embed"].default:
        raise ValueError(f"embed has no effect with encode: {feature.encode}; leave it out")


class Vector(Section):
    """Numbers of one column, `width` of each document: an embedding made elsewhere, the features of a LETOR file.

    Each becomes a dense column `NAME_I`, I from `first`; steps and missing numbers are as for `numeric`. With
    `zscore_in_list: true`, for documents and pairs, there is also `zscore_in_list_NAME_I`, the z-score of each among
    those of its list. A LETOR source knows `width` and `first` by itself. In an ELWC source `columns` groups scalar
    columns of numbers into one vector: their names, or one pattern such as `f*` for all that match, in natural order.
    """

    name: Name
    kind: Literal["vector"]
    width: Annotated[int, Field(ge=1)] | None = None
    first: Annotated[int, Field(ge=0)] = 0
    transform: list[Literal["log1p", "zscore", "minmax"]] = ["log1p", "zscore"]
    zscore_in_list: bool = False
    columns: Annotated[list[str], Field(min_length=1)] | str | None = None

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

    `of` names a numeric feature or a date of the document or the pair (the number as given or the age, before
    `transform`), a computed feature of one number (before `transform`), or a match. A missing number stands in the
    middle of those that are there: its rank is (number of them + 1) / 2, its percentile 0.5, its z-score 0.
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


Feature = Annotated[Numeric | Date | Categorical | Text | Vector | Raw, Field(discriminator="kind")]
PairFeature = Annotated[Numeric | Date | Categorical | Vector | Raw, Field(discriminator="kind")]
Match = Annotated[Bm25 | TextMatch, Field(discriminator="kind")]
DenseFeature = (
    Numeric | Date | Vector | Categorical | Text | SavedModel | Code | Cross | Bm25 | TextMatch | Listwise
)  # fmt: skip


class Features(Section):
    """What is known of a query, of a document, of how the two match, and of how a document compares with its list.

    `pair` features are columns of the judgments (or of the table of candidates): known of a document for this query.
    `crosses` are pairs of a value of each; `computed` features come from columns by what you bring.
    """

    query: list[Feature] = []
    document: Annotated[list[Feature], Field(min_length=1)]
    pair: list[PairFeature] = []
    crosses: list[Cross] = []
    computed: list[Computed] = []
    match: list[Match] = []
    listwise: list[Listwise] = []

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        faults = list(self._faults_of_references())
        if faults:
            raise ReferencesError(faults)
        return self

    def _faults_of_references(self) -> Iterator[tuple[Location, str]]:
        more = (*self.crosses, *self.computed, *self.match, *self.listwise)
        names = [f.name for f in (*self.query, *self.of_documents, *more)]
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
        yield from self._faults_of_texts()
        yield from self._faults_of_vectors()
        yield from self._faults_of_crosses()
        yield from self._faults_of_computed()
        numbers = [f.name for f in self.of_documents if f.kind in ("numeric", "date")]
        numbers += [f.name for f in (*self.match, *(f for f in self.computed if f.width in (None, 1)))]
        for place, listwise in enumerate(self.listwise):
            if listwise.of not in numbers:
                what = f"no numeric feature, date, computed feature of one number or match {listwise.of!r}"
                yield ("listwise", place, "of"), f"{listwise.name}: {what}; there are {numbers}"

    def _faults_of_texts(self) -> Iterator[tuple[Location, str]]:
        for side, features in (("query", self.query), ("document", self.document)):
            texts = [f.name for f in features if f.kind == "text"]
            for place, match in enumerate(self.match):
                if (used := getattr(match, side)) not in texts:
                    yield (
                        ("match", place, side),
                        f"{match.name}: no text feature {used!r} under features.{side}; there are {texts}",
                    )
        for place, feature in enumerate(self.query):
            if isinstance(feature, Text) and feature.encode == "tfidf":
                yield ("query", place, "encode"), f"{feature.name}: tfidf is for texts of documents; use encode: bag"

    def _faults_of_vectors(self) -> Iterator[tuple[Location, str]]:
        for place, feature in enumerate(self.query):
            if isinstance(feature, Vector) and feature.zscore_in_list:
                what = "zscore_in_list has no effect: all documents of a list have the same vector of the query"
                yield ("query", place, "zscore_in_list"), f"{feature.name}: {what}; leave it out"

    def _faults_of_crosses(self) -> Iterator[tuple[Location, str]]:
        for place, cross in enumerate(self.crosses):
            known = True
            for side, features in (("query", self.query), ("document", self.of_documents)):
                fit = [f.name for f in features if f.kind in ("categorical", "text") or getattr(f, "buckets", None)]
                if (used := getattr(cross, side)) not in fit:
                    known = False
                    what = f"no category, text or number with buckets {used!r} under features.{side}; there are {fit}"
                    yield ("crosses", place, side), f"{cross.name}: {what}"
            default = type(cross).model_fields["max_values"].default
            if known and cross.max_values != default and not self.has_many(cross):
                what = "max_values has no effect where both sides have one value; leave it out"
                yield ("crosses", place, "max_values"), f"{cross.name}: {what}"

    def _faults_of_computed(self) -> Iterator[tuple[Location, str]]:
        given = {f.name: f for f in (*self.query, *self.of_documents)}
        for place, feature in enumerate(self.computed):
            for name in feature.columns:
                what = None
                if name not in given:
                    what = f"no column {name!r}; there are {[*given]}"
                elif isinstance(feature, SavedModel) and getattr(given[name], "multivalued", False):
                    what = f"{name!r} has many values, which a saved_model cannot take; use kind: code"
                if what:
                    yield ("computed", place, "inputs"), f"{feature.name}: {what}"
        read = {name for feature in self.computed for name in feature.columns}
        for side in ("query", "document", "pair"):
            for place, raw in enumerate(getattr(self, side)):
                if isinstance(raw, Raw) and raw.name not in read:
                    yield (side, place), f"raw column {raw.name!r} has no effect: no computed feature reads it"

    def has_many(self, cross: Cross) -> bool:
        """Whether a cross may give a document several ids, because one of its sides may have several values."""
        sides = [f for f in (*self.query, *self.of_documents) if f.name in (cross.query, cross.document)]
        return any(f.kind == "text" or getattr(f, "multivalued", False) for f in sides)

    @property
    def of_documents(self) -> list[Feature]:
        """The features with a value for each document of a list: of the document or of the pair."""
        return [*self.document, *self.pair]

    @property
    def dates(self) -> list[Date]:
        """The features that are ages at the time of the query."""
        return [f for f in (*self.query, *self.of_documents) if isinstance(f, Date)]

    @property
    def dense(self) -> list[DenseFeature]:
        """The features with columns in the `dense` vector of a document, in the order of their columns."""
        given = [f for f in (*self.query, *self.of_documents) if not isinstance(f, Raw)]
        kinds = ("numeric", "date", "vector", "categorical", "text")
        return [
            *(f for kind in kinds for f in given if f.kind == kind and (f.dense_columns or f.kind == "vector")),
            *sorted(self.computed, key=lambda f: f.kind),
            *(cross for cross in self.crosses if cross.dense_columns),
            *self.match,
            *self.listwise,
        ]

    @property
    def dense_names(self) -> list[str]:
        """Names of the numbers in the `dense` vector of a document, in order."""
        return [column for feature in self.dense for column in feature.dense_columns]

    def may_have(self, column: str) -> bool:
        """Whether `dense` has this column, or may have it once the width of a vector is known."""
        vectors = [feature for feature in (*self.query, *self.of_documents) if isinstance(feature, Vector)]
        return column in self.dense_names or any(feature.may_have(column) for feature in (*vectors, *self.computed))

    def with_widths(self, widths: Mapping[str, int]) -> Self:
        """The same features; `computed` ones that are named have these widths."""
        computed = [f.model_copy(update={"width": widths.get(f.name, f.width)}) for f in self.computed]
        return self.model_copy(update={"computed": computed})
