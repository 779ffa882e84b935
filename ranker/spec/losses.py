"""What a network descends: the losses, by TF-Ranking's names, each with the options that have an effect on it; sums."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from ranker.spec.section import Section

__all__ = [
    "ApproxMrr",
    "ApproxNdcg",
    "Gain",
    "GumbelApproxNdcg",
    "LambdaLoss",
    "ListMle",
    "Loss",
    "MeanSquared",
    "OneLoss",
    "PairwiseHinge",
    "PairwiseLogistic",
    "SigmoidCrossEntropy",
    "Softmax",
    "UniqueSoftmax",
]

Gain = Annotated[
    Literal["exp2", "linear"],
    Field(description="of a label: 2^label - 1, or the label; default: exp2 unless a label is above 10"),
]
Temperature = Annotated[float, Field(gt=0)]


class OneLoss(Section):
    """What all losses have."""

    kind: Any
    weight: Annotated[float, Field(gt=0, description="in a sum of losses")] = 1.0


class ApproxNdcg(OneLoss):
    """1 - NDCG with ranks smoothed by sigmoids (Qin, Liu and Li, Information Retrieval 2010)."""

    kind: Literal["approx_ndcg"]
    temperature: Temperature = 0.1
    gain: Gain | None = None


class GumbelApproxNdcg(OneLoss):
    """ApproxNDCG of scores with Gumbel noise, mean over samples (Bruch et al., WSDM 2020)."""

    kind: Literal["gumbel_approx_ndcg"]
    temperature: Temperature = 0.1
    samples: Annotated[int, Field(ge=1)] = 8
    noise: Annotated[float, Field(gt=0, description="scale of the Gumbel noise")] = 1.0
    gain: Gain | None = None


class LambdaLoss(OneLoss):
    """Logistic loss of pairs, weighed by what their swap changes in NDCG (Wang et al., CIKM 2018).

    `ndcg` weighs a pair by the change of both discounts, as LambdaMART does; `ndcg_v2` by the bound of LambdaLoss
    (NDCG-Loss2), which depends on the distance in rank alone, made for a cut at k (Jagerman et al., SIGIR 2022).
    """

    kind: Literal["lambda_loss"]
    lambda_weight: Literal["ndcg", "ndcg_v2"] = "ndcg"
    k: Annotated[int, Field(ge=1)] | None = Field(None, description="ranks that count; default: all")
    temperature: Temperature = 1.0
    gain: Gain | None = None
    smooth_fraction: (
        Annotated[float, Field(ge=0, le=1, description="of ndcg: the rest goes by the distance in rank; default: 1")]
        | None
    ) = None

    @model_validator(mode="after")
    def _smooth_fraction_has_an_effect(self) -> Self:
        if self.smooth_fraction is not None and self.lambda_weight != "ndcg":
            raise ValueError("smooth_fraction has no effect with lambda_weight ndcg_v2: leave it out, or use ndcg")
        return self


class ApproxMrr(OneLoss):
    """1 - the mean reciprocal rank of the relevant documents, ranks smoothed as in approx_ndcg."""

    kind: Literal["approx_mrr"]
    temperature: Temperature = 0.1


class Softmax(OneLoss):
    """Cross-entropy of the softmax over the list (ListNet; Bruch et al., ICTIR 2019)."""

    kind: Literal["softmax"]
    temperature: Temperature = 1.0
    gain: Gain | None = None


class UniqueSoftmax(OneLoss):
    """Cross-entropy of each relevant document with those of lower labels alone (Zhu and Klabjan, WSDM 2020)."""

    kind: Literal["unique_softmax"]
    temperature: Temperature = 1.0
    gain: Gain | None = None


class ListMle(OneLoss):
    """Likelihood of the order of the labels, ties in a random order, by Plackett and Luce (Xia et al., ICML 2008)."""

    kind: Literal["list_mle"]
    temperature: Temperature = 1.0


class PairwiseHinge(OneLoss):
    """Hinge loss of each pair with different labels (ranking SVM, Joachims, KDD 2002)."""

    kind: Literal["pairwise_hinge"]
    temperature: Temperature = 1.0


class PairwiseLogistic(OneLoss):
    """Logistic loss of each pair with different labels (RankNet, Burges et al., ICML 2005)."""

    kind: Literal["pairwise_logistic"]
    temperature: Temperature = 1.0


class SigmoidCrossEntropy(OneLoss):
    """Cross-entropy of each document's probability of being relevant (label above 0)."""

    kind: Literal["sigmoid_cross_entropy"]
    temperature: Temperature = 1.0


class MeanSquared(OneLoss):
    """Squared difference of score and label of each document."""

    kind: Literal["mean_squared"]


def _by_name(content: Any) -> Any:
    return {"kind": content} if isinstance(content, str) else content


def _without_weight(loss: OneLoss) -> OneLoss:
    if loss.weight != 1:
        raise ValueError("weight has no effect on a loss alone: leave it out, or give a list of losses")
    return loss


def _alone_or_sum(content: Any) -> str:
    return "#sum" if isinstance(content, list) else "#alone"


_Kinds = (
    ApproxMrr
    | ApproxNdcg
    | GumbelApproxNdcg
    | LambdaLoss
    | ListMle
    | MeanSquared
    | PairwiseHinge
    | PairwiseLogistic
    | SigmoidCrossEntropy
    | Softmax
    | UniqueSoftmax
)
_Part = Annotated[
    Annotated[_Kinds, Field(discriminator="kind")],
    BeforeValidator(_by_name, str | Annotated[_Kinds, Field(discriminator="kind")]),
]
_Alone = Annotated[_Part, AfterValidator(_without_weight), Tag("#alone")]
_Sum = Annotated[list[_Part], Field(min_length=2), Tag("#sum")]
Loss = Annotated[_Alone | _Sum, Discriminator(_alone_or_sum)]
