"""The sections `models`, `blend` and `training`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Name, Section

__all__ = ["Blend", "LambdaMart", "Model", "SelfAttention", "SingleFeature", "Training"]


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
