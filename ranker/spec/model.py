"""The whole of `ranker.yaml`, and the references between its sections."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from ranker.errors import RankerError
from ranker.spec.data import Data
from ranker.spec.features import Features
from ranker.spec.models import Blend, Model, SingleFeature, Training
from ranker.spec.section import Name, Section, refuse_repeats, refuse_reserved

__all__ = ["Evaluation", "Serving", "Spec"]

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
        names = [m.name for m in self.models]
        refuse_repeats("model", names)
        refuse_reserved("model", names)
        refuse_repeats("blend member", self.blend.members)
        for name in self.blend.members:
            if name not in names:
                raise ValueError(f"blend.members: no model {name!r}; there are {names}")
        if self.evaluation.baseline not in (None, "blend", *names):
            raise ValueError(f"evaluation.baseline: no model {self.evaluation.baseline!r}; there are {names}")
        for model in self.models:
            if isinstance(model, SingleFeature) and model.feature not in self.features.dense_names:
                raise ValueError(
                    f"models.{model.name}: no numeric or match feature {model.feature!r}; "
                    f"there are {self.features.dense_names}"
                )
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
