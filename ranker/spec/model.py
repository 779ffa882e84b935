"""The whole of `ranker.yaml`, and the references between its sections."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from ranker.errors import RankerError
from ranker.spec.data import Data, LetorSource
from ranker.spec.features import Features, Vector
from ranker.spec.models import Blend, Model, SingleFeature, Training
from ranker.spec.section import Location, Name, ReferencesError, Section, refuse_repeats, refuse_reserved

__all__ = ["Evaluation", "Serving", "Spec"]

_NAMED = 20
_VARIABLE = re.compile(r"\$\{?(\w+)")


class Evaluation(Section):
    """What is measured on the test lists, and against which model of the bundle."""

    metrics: Annotated[list[str], Field(min_length=1)] = ["ndcg@10"]
    baseline: Name | None = None


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
    models: Annotated[list[Model], Field(min_length=1)]
    blend: Blend
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
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
        if self.evaluation.baseline not in (None, "blend", *names):
            yield ("evaluation", "baseline"), f"no model {self.evaluation.baseline!r}; there are {names}"
        dense = self.features.dense_names
        for place, model in enumerate(self.models):
            if isinstance(model, SingleFeature) and not self.features.may_have(model.feature):
                yield (
                    ("models", place, "feature"),
                    f"no numeric or match feature {model.feature!r}; there are {_some(dense)}",
                )

        yield from self._faults_of_vectors()

    def _faults_of_vectors(self) -> Iterator[tuple[Location, str]]:
        """A LETOR source has one vector and nothing else, and alone knows how wide it is."""
        letor = isinstance(self.data.sources[0], LetorSource)
        document = self.features.document
        if letor and (len(document) != 1 or self.features.query or not isinstance(document[0], Vector)):
            yield ("features",), "a letor source has one feature, a document vector; expected no other"
        for place, feature in enumerate(document):
            if isinstance(feature, Vector) and not letor:
                yield ("features", "document", place), f"{feature.name}: only letor sources have vectors, for now"

    @model_validator(mode="before")
    @classmethod
    def _letor_has_features(cls, content: Any) -> Any:
        """Without a section of features, all that LETOR files have is taken."""
        if isinstance(content, dict) and "features" not in content and isinstance(content.get("data"), dict):
            sources = content["data"].get("sources")
            if isinstance(sources, list) and any(isinstance(s, dict) and s.get("kind") == "letor" for s in sources):
                return content | {"features": {"document": [{"name": "features", "kind": "vector"}]}}
        return content

    def with_vector(self, width: int, first: int) -> Self:
        """The same spec, with what the data told of its one vector."""
        vector = self.features.document[0].model_copy(update={"width": width, "first": first})
        return self.model_copy(update={"features": self.features.model_copy(update={"document": [vector]})})

    def with_vector_of(self, other: Spec) -> Self:
        """The same spec; if it is of LETOR files, with as many features as `other`, of a dataset, has found in them."""
        found, own = other.features.document[0], self.features.document[0]
        if isinstance(found, Vector) and found.width is not None and isinstance(own, Vector):
            return self.with_vector(found.width, found.first)
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the spec's content: same meaning, same digest, wherever the file lies."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def path(self, text: str) -> Path:
        """A path of the spec: environment variables expanded, relative to the folder of the spec file.

        Raises:
            RankerError: for a variable that is not set.
        """
        unset = [name for name in _VARIABLE.findall(text) if name not in os.environ]
        if unset:
            raise RankerError(f"path {text!r}: environment variable {unset[0]} is not set; set it, or write the path")
        return self._base / Path(os.path.expandvars(text)).expanduser()


def _some(names: list[str]) -> str:
    """The first of many names."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{names[:_NAMED]}{more}"
