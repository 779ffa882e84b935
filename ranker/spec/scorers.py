"""Networks that score lists: one section for each kind in `ranker.models.scorers`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.losses import Loss, PairwiseLogistic, Softmax
from ranker.spec.section import Name, Section
from ranker.spec.training import NetworkTraining

__all__ = ["Dnn", "Gam", "Linear", "Network", "SelfAttention"]

Layers = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
InputDropout = Annotated[
    Dropout | None, Field(description="of numbers; default: up to a third, the more numbers there are")
]


class Network(Section):
    """What all networks have."""

    name: Name
    kind: Any
    loss: Loss = Softmax(kind="softmax")
    training: NetworkTraining = NetworkTraining()


class Linear(Network):
    """A weighted sum of the numbers: a strong reference on little data."""

    kind: Literal["linear"]
    loss: Loss = PairwiseLogistic(kind="pairwise_logistic")


class Dnn(Network):
    """A multi-layer network that scores each document by itself."""

    kind: Literal["dnn"]
    layers: Layers = [128, 64, 32]
    normalisation: Annotated[
        Literal["batch", "layer"], Field(description="over the documents of a batch, or over the units of each")
    ] = "layer"
    dropout: Dropout = 0.3
    input_dropout: InputDropout = None


class Gam(Network):
    """Generalised additive model: a sum of one piecewise linear function per number, which can be looked at."""

    kind: Literal["gam"]


class SelfAttention(Network):
    """Multi-item network: masked self-attention over the list (Pang et al., SetRank, SIGIR 2020).

    With `latent_cross` the list's context multiplies what is known of a document, as in DASALC (Qin et al., ICLR 2021).
    """

    kind: Literal["self_attention"]
    width: Annotated[int, Field(ge=1)] = 48
    heads: Annotated[int, Field(ge=1)] = 4
    blocks: Annotated[int, Field(ge=1)] = 1
    dropout: Dropout = 0.3
    input_dropout: InputDropout = None
    latent_cross: bool = False

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self
