"""The sections of the spec. Every model is frozen and refuses unknown keys."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from ranker.errors import RankerError

__all__ = [
    "Blend",
    "Bm25",
    "Categorical",
    "Data",
    "Evaluation",
    "Features",
    "LambdaMart",
    "Model",
    "Numeric",
    "Section",
    "SelfAttention",
    "Serving",
    "SingleFeature",
    "Spec",
    "Split",
    "TablesSource",
    "Text",
    "Training",
    "Vocabulary",
]

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
_VARIABLE = re.compile(r"\$\{?(\w+)")
RESERVED_NAMES = frozenset({"query_id", "document_id", "label", "mask", "dense", "blend"})
Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of the spec: unknown keys are errors and values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


# --- data -----------------------------------------------------------------------------------------------------------


class TablesSource(Section):
    """Queries, documents and judgments as three files (JSONL or CSV by their ending), joined on the ids."""

    kind: Literal["tables"]
    queries: str = Field(description="file with one row per query")
    documents: str = Field(description="file with one row per document")
    judgments: str = Field(description="file with one row per judged (query, document) pair")


class Split(Section):
    """Which lists are for validation and which for test; the rest are for training."""

    by: Literal["query_hash"] = "query_hash"
    valid: Share = 0.1
    test: Share = 0.2

    @model_validator(mode="after")
    def _leaves_lists_for_training(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError(f"valid + test = {self.valid + self.test:g} leaves no lists for training; expected < 1")
        return self


class Data(Section):
    """Where the lists come from, and what their columns are called."""

    sources: Annotated[list[TablesSource], Field(min_length=1, max_length=1)]
    query_id: str = "query_id"
    document_id: str = "document_id"
    label: str = "label"
    split: Split = Split()


# --- features -------------------------------------------------------------------------------------------------------


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
        _refuse_repeats("feature", names)
        _refuse_reserved("feature", names)
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


# --- models ---------------------------------------------------------------------------------------------------------


class SelfAttention(Section):
    """Multi-item network: masked self-attention over the list (Pang et al., SetRank, SIGIR 2020)."""

    name: Name
    kind: Literal["self_attention"]
    width: Annotated[int, Field(ge=1)] = 64
    heads: Annotated[int, Field(ge=1)] = 4
    blocks: Annotated[int, Field(ge=1)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    loss: Literal["approx_ndcg"] = "approx_ndcg"
    temperature: Annotated[float, Field(gt=0)] = 0.1

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self


class LambdaMart(Section):
    """Gradient-boosted trees with NDCG lambdas (Burges 2010), by LightGBM."""

    name: Name
    kind: Literal["lambdamart"]
    trees: Annotated[int, Field(ge=1)] = 500
    leaves: Annotated[int, Field(ge=2)] = 31
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    min_documents_in_leaf: Annotated[int, Field(ge=1)] = 20
    early_stopping_rounds: Annotated[int, Field(ge=1)] = 50


class SingleFeature(Section):
    """The value of one dense feature as the score: the reference that every model has to beat."""

    name: Name
    kind: Literal["single_feature"]
    feature: Name


Model = Annotated[SelfAttention | LambdaMart | SingleFeature, Field(discriminator="kind")]


class Blend(Section):
    """Plain average of members, each scaled to unit standard deviation within the validation lists."""

    members: Annotated[list[Name], Field(min_length=1)]


class Training(Section):
    """How networks are trained."""

    epochs: Annotated[int, Field(ge=1)] = 30
    batch_size: Annotated[int, Field(ge=1)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 0.002
    patience: Annotated[int, Field(ge=1)] = 5
    seed: Annotated[int, Field(ge=0)] = 7


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
        _refuse_repeats("model", names)
        _refuse_reserved("model", names)
        _refuse_repeats("blend member", self.blend.members)
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


def _refuse_repeats(what: str, names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{what} name used more than once: {', '.join(repeated)}")


def _refuse_reserved(what: str, names: Iterable[str]) -> None:
    for name in sorted(RESERVED_NAMES.intersection(names)):
        owned = ", ".join(sorted(RESERVED_NAMES))
        raise ValueError(f"{what} name {name!r} is one of the engine's own ({owned}); rename it")
