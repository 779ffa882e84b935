"""The whole of `ranker.yaml`, and the references between its sections."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeGuard, cast

from pydantic import Field, PrivateAttr, model_validator

from ranker.errors import RankerError
from ranker.spec.candidates import Bm25Candidates, TableCandidates
from ranker.spec.clicks import ClicksSource
from ranker.spec.data import Data, ElwcSource, LetorSource, TableSource, TablesSource
from ranker.spec.evaluation import Evaluation, GateRule, faults_of_evaluation, faults_of_gate
from ranker.spec.features import Feature, Features, Vector
from ranker.spec.models import Blend, Model, SingleFeature
from ranker.spec.section import Location, Name, ReferencesError, Section, refuse_repeats, refuse_reserved
from ranker.spec.training import Training
from ranker.spec.validation import Validation, faults_of_columns

__all__ = ["Serving", "Spec"]

_NAMED = 20
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
_VARIABLE = re.compile(r"\$\{?(\w+)")


class Serving(Section):
    """How the online scorer presents itself."""

    model_name: Name = "ranker"
    grpc_port: Annotated[int, Field(ge=0, le=65535)] = 8500
    rest_port: Annotated[int, Field(ge=0, le=65535)] = 8501

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.grpc_port == self.rest_port != 0:
            raise ValueError(f"grpc_port and rest_port are both {self.rest_port}; they need one each")
        return self


class Spec(Section):
    """The whole of `ranker.yaml`."""

    version: Literal[1]
    data: Data
    features: Features
    validation: Validation = Validation()
    models: Annotated[list[Model], Field(min_length=1)]
    blend: Blend
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    gate: list[GateRule] = []
    serving: Serving = Serving()

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        faults = list(self._faults_of_references())
        if faults:
            raise ReferencesError(faults)
        return self

    def _faults_of_references(self) -> Iterator[tuple[Location, str]]:
        names = [m.name for m in self.models]
        checks: tuple[tuple[Location, Callable[[str, list[str]], None], str, list[str]], ...] = (
            (("models",), refuse_repeats, "model", names),
            (("models",), refuse_reserved, "model", names),
            (("blend", "members"), refuse_repeats, "blend member", self.blend.members),
        )
        for where, refuse, what, given in checks:
            try:
                refuse(what, given)
            except ValueError as error:
                yield where, str(error)
        for place, name in enumerate(self.blend.members):
            if name not in names:
                yield ("blend", "members", place), f"no model {name!r}; there are {names}"
        yield from faults_of_evaluation(self.evaluation, self.features, names)
        dense = self.features.dense_names
        for place, model in enumerate(self.models):
            if isinstance(model, SingleFeature) and not self.features.may_have(model.feature):
                yield (
                    ("models", place, "feature"),
                    f"no numeric or match feature {model.feature!r}; there are {_some(dense)}",
                )

        yield from self._faults_of_sources()
        yield from self._faults_of_candidates()
        yield from self._faults_of_outcomes()
        yield from faults_of_columns(self.validation, self.features, self.data)
        yield from faults_of_gate(self.gate, self.evaluation, names)

    def _faults_of_sources(self) -> Iterator[tuple[Location, str]]:
        """What only some sources can give, and what they need."""
        source, features = self.data.sources[0], self.features
        letor, elwc = isinstance(source, LetorSource), isinstance(source, ElwcSource)
        if letor and (len(features.document) != 1 or features.query or features.pair or not self._vectors):
            yield ("features",), "a letor source has one feature, a document vector; expected no other"
        for place, vector in self._vectors:
            if vector.columns is not None and not elwc:
                yield (*place, "columns"), f"{vector.name}: only elwc sources have scalar columns to group; leave out"
            if vector.columns is None and vector.width is None and not letor:
                yield place, f"{vector.name}: width is missing: how many numbers each vector has"
        if features.pair and not isinstance(source, TablesSource | ClicksSource):
            yield (
                ("features", "pair"),
                f"a {source.kind} source has the features of pairs under document; move them there",
            )
        if features.dates and self.data.timestamp is None:
            yield (
                ("data",),
                f"date {features.dates[0].name!r} needs data.timestamp, the column that says when a query was asked",
            )

    def _faults_of_outcomes(self) -> Iterator[tuple[Location, str]]:
        """Label, click and position are not known before documents are ranked, whatever a feature of them is called."""
        for side in ("query", "document", "pair"):
            known = self._outcomes(side)
            for place, feature in enumerate(getattr(self.features, side)):
                columns = feature.columns if isinstance(feature, Vector) and isinstance(feature.columns, list) else []
                if what := next((known[name] for name in (feature.name, *columns) if name in known), None):
                    told = f"{feature.name}: {what} of a document is not known before it is ranked; leave it out"
                    yield ("features", side, place), told

    def _outcomes(self, side: str) -> dict[str, str]:
        """What columns that features of this side read know of the outcome, by name."""
        source, position = self.data.sources[0], "the position"
        known = {} if self.data.position is None else {"position": position}
        # Three tables have columns of their own; those of the judgments are read by features of pairs.
        judged = side == "pair" or isinstance(source, TableSource | ElwcSource)
        if not judged or isinstance(self.data.candidates, TableCandidates):
            return known
        if isinstance(source, ClicksSource):
            return known | {source.clicked: "the click", source.position: position}
        return known | {self.data.label: "the label"} | ({self.data.position: position} if self.data.position else {})

    def _faults_of_candidates(self) -> Iterator[tuple[Location, str]]:
        candidates = self.data.candidates
        if not isinstance(candidates, Bm25Candidates):
            return
        for side, names in (("query", [candidates.query]), ("document", candidates.document)):
            texts = [f.name for f in getattr(self.features, side) if f.kind == "text"]
            for name in names:
                if name not in texts:
                    what = f"no text feature {name!r} under features.{side}; there are {texts}"
                    yield ("data", "candidates", side), what

    @property
    def _vectors(self) -> list[tuple[Location, Vector]]:
        """Where each vector is, and what."""
        return [
            (("features", side, place), feature)
            for side in ("query", "document", "pair")
            for place, feature in enumerate(getattr(self.features, side))
            if isinstance(feature, Vector)
        ]

    @model_validator(mode="before")
    @classmethod
    def _files_of_numbers_have_features(cls, content: Any) -> Any:
        """Without a section of features, all that LETOR files have is taken, and all numbers of ELWC examples."""
        if isinstance(content, dict) and "features" not in content and isinstance(content.get("data"), dict):
            sources = content["data"].get("sources")
            kinds = [s.get("kind") for s in sources if isinstance(s, dict)] if isinstance(sources, list) else []
            vector = {"name": "features", "kind": "vector"}
            if "letor" in kinds:
                return content | {"features": {"document": [vector]}}
            if "elwc" in kinds:
                return content | {"features": {"document": [vector | {"columns": "*"}]}}
        return content

    def with_vector(self, width: int, first: int) -> Self:
        """The same spec, with what the data told of its one vector."""
        vector = self.features.document[0].model_copy(update={"width": width, "first": first})
        return self.model_copy(update={"features": self.features.model_copy(update={"document": [vector]})})

    def with_columns(self, columns: Mapping[str, Sequence[str]]) -> Self:
        """The same spec, with the scalar columns that were found for the vectors of these names."""

        def resolved(feature: Feature) -> Feature:
            if feature.name not in columns:
                return feature
            names = list(columns[feature.name])
            return feature.model_copy(update={"columns": names, "width": len(names)})

        sides = {side: [resolved(f) for f in getattr(self.features, side)] for side in ("query", "document")}
        return self.model_copy(update={"features": self.features.model_copy(update=sides)})

    def with_widths(self, widths: Mapping[str, int]) -> Self:
        """The same spec; computed features that are named have these widths."""
        return self.model_copy(update={"features": self.features.with_widths(widths)})

    def with_vector_of(self, other: Spec) -> Self:
        """The same spec, with what `other`, of a dataset, has found in the files of its vectors.

        That is the number of features of LETOR files, the names of columns of ELWC files, and how wide the computed
        features are.
        """
        widths = {feature.name: feature.width for feature in other.features.computed if feature.width is not None}
        return self.with_widths(widths)._with_vectors_of(other)

    def _with_vectors_of(self, other: Spec) -> Self:
        found, own = other.features.document[0], self.features.document[0]
        if isinstance(self.data.sources[0], LetorSource):
            if isinstance(found, Vector) and found.width is not None and isinstance(own, Vector):
                return self.with_vector(found.width, found.first)
            return self
        of_other = {vector.name: vector.columns for _, vector in other._vectors}
        own_columns = {vector.name: vector.columns for _, vector in self._vectors}
        known = {name: found for name, found in of_other.items() if _are_of(found, own_columns.get(name))}
        return self.with_columns(known)

    @property
    def digest(self) -> str:
        """SHA-256 of the spec's content: same meaning, same digest, wherever the file lies."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def path(self, text: str) -> Path:
        """A path of the spec: environment variables expanded, relative to the folder of the spec file.

        `s3://...` and the like are a `upath.UPath`: it has the methods of a Path, of which `ranker.data.files` uses
        those that all places have.

        Raises:
            RankerError: for a variable that is not set, or a place that fsspec does not know or has no plug-in for.
        """
        unset = [name for name in _VARIABLE.findall(text) if name not in os.environ]
        if unset:
            raise RankerError(f"path {text!r}: environment variable {unset[0]} is not set; set it, or write the path")
        expanded = os.path.expandvars(text)
        if remote := _SCHEME.match(expanded):
            return _remote(expanded, remote["scheme"])
        return self._base / Path(expanded).expanduser()


def _remote(text: str, scheme: str) -> Path:
    if scheme in ("file", "local"):
        return Path(text.partition("://")[2])
    from fsspec import get_filesystem_class  # type: ignore[import-untyped]
    from upath import UPath

    try:
        get_filesystem_class(scheme)
    except ImportError as error:
        raise RankerError(
            f"path {text!r}: {error}; fsspec needs this Python package for {scheme}://, install it"
        ) from None
    except ValueError as error:
        raise RankerError(f"path {text!r}: {error}; expected a path, or a place that fsspec knows") from None
    return cast("Path", UPath(text))


def _are_of(found: list[str] | str | None, wanted: list[str] | str | None) -> TypeGuard[list[str]]:
    """Whether columns that were found are those that a vector names, or that match its pattern."""
    if not isinstance(found, list) or wanted is None:
        return False
    return found == wanted if isinstance(wanted, list) else all(fnmatchcase(name, wanted) for name in found)


def _some(names: list[str]) -> str:
    """The first of many names."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{names[:_NAMED]}{more}"
