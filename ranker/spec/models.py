"""The sections `models` and `blend`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ranker.spec.scorers import Dnn, Gam, Linear, SelfAttention
from ranker.spec.section import Name, Section

__all__ = ["Blend", "LambdaMart", "Model", "SingleFeature"]


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


Model = Annotated[Linear | Dnn | SelfAttention | Gam | LambdaMart | SingleFeature, Field(discriminator="kind")]


class Blend(Section):
    """Plain average of members, each scaled to unit standard deviation within the validation lists."""

    members: Annotated[list[Name], Field(min_length=1)]
