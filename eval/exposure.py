"""How much of the readers' attention models give to groups of documents, such as those of kinds of sellers.

Each list has one unit of attention, which falls with position (`Attention`). The share of a group is held against its
share of the relevance in the list, and of the documents (Singh and Joachims, KDD 2018: exposure in proportion to
relevance, and demographic parity; Sapiezynski, Zeng, Robertson, Mislove and Wilson, 2019: attention as a model of
readers, against a share of the population). Lists count alike: shares are means over lists, as metrics are. All of them
are over the same lists, those with a relevant document, since the others have no share of relevance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from eval.figures import FEWEST_UNITS, number
from eval.metrics.gain import check_gain, default_gain, gains
from eval.ragged import FloatArray, IntArray
from eval.ranking import Ranking
from eval.report.data import Estimate, GroupShares, ModelShare
from eval.slice_values import Values
from eval.slices import Slicing
from eval.sums import Sums

__all__ = ["Attention", "ExposureBy", "Exposures", "exposures"]

Discount = Literal["log", "geometric"]


@dataclass(frozen=True)
class Attention:
    """How attention falls with position.

    Args:
        discount: `log`: 1 / log2(position + 1); `geometric`: patience^(position - 1), a reader who goes on to the next
            document with this probability (Moffat and Zobel, TOIS 2008).
        k: no attention below position k; None: to the end.
        patience: of `geometric`, above 0 and below 1.
    """

    discount: Discount = "log"
    k: int | None = None
    patience: float = 0.8

    def __post_init__(self) -> None:
        if self.discount not in get_args(Discount):
            raise ValueError(f"attention: expected one of {', '.join(get_args(Discount))}, got {self.discount!r}")
        if self.k is not None and self.k < 1:
            raise ValueError(f"attention: expected a cutoff of at least 1, got {self.k}")
        if not 0 < self.patience < 1:
            raise ValueError(f"attention: expected a patience above 0 and below 1, got {self.patience:g}")

    def __str__(self) -> str:
        law = "1 / log2(position + 1)" if self.discount == "log" else f"{self.patience:g}^(position - 1)"
        return law + ("" if self.k is None else f", none below position {self.k}")

    def of(self, ranking: Ranking) -> FloatArray:
        """Attention that each document gets, of a list's 1, expected over all orders of tied documents.

        Returns:
            float64 [documents], by slot.
        """
        ragged = ranking.lists.ragged
        positions = np.arange(1, int(ragged.sizes.max(initial=0)) + 1, dtype=np.float64)
        by_position = 1 / np.log2(positions + 1) if self.discount == "log" else self.patience ** (positions - 1)
        if self.k is not None:
            by_position[self.k :] = 0.0
        slots = ranking.expected(by_position[ragged.positions - 1])
        return slots / np.repeat(ragged.sums(slots), ragged.sizes)


@dataclass(frozen=True)
class ExposureBy:
    """Groups of documents whose exposure is asked for.

    Args:
        slicing: what groups are; its scope has no meaning here.
        attention: how it falls with position.
    """

    slicing: Slicing
    attention: Attention = Attention()


@dataclass(frozen=True, eq=False)
class Exposures:
    """Sums of all groups; `a + b` is the whole of two parts with no unit in common.

    Args:
        groups: names.
        models: names.
        sums: for each group the share of documents, then for each the share of relevance, then for each the share of
            attention by the first model, and so on.
        left_out: lists without a relevant document.
        documents: int64 [groups], documents of all lists; one in two groups counts in both.
    """

    groups: tuple[str, ...]
    models: tuple[str, ...]
    sums: Sums
    left_out: int
    documents: IntArray

    def __add__(self, other: Self) -> "Exposures":
        if (self.groups, self.models) != (other.groups, other.models):
            raise ValueError(f"exposure adds up only over the same groups; got {self.groups} and {other.groups}")
        left_out, documents = self.left_out + other.left_out, self.documents + other.documents
        return Exposures(self.groups, self.models, self.sums + other.sums, left_out, documents)

    @property
    def lists(self) -> int:
        """Lists with a relevant document."""
        return int(self.sums.n.max(initial=0))

    def figures(self, confidence: float = 0.95, baseline: str | None = None) -> list[GroupShares]:
        """The figures of all groups, with percentile intervals of the bootstrap; null below 5 units.

        Args:
            confidence: of the intervals, between 0 and 1.
            baseline: the model that others are compared with; None: there is none.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence: expected a number between 0 and 1, such as 0.95, got {confidence}")
        shares = _Shares(self, confidence)
        return [
            GroupShares(
                group=group,
                count=int(self.documents[at]),
                documents=shares.estimate(shares.of("documents", at)),
                relevance=shares.estimate(shares.of("relevance", at)),
                models={model: shares.of_model(model, at, baseline) for model in self.models},
            )
            for at, group in enumerate(self.groups)
        ]


class _Shares:
    """Means of shares over the lists and, behind them, over the lists of each resample: float64 [1 + draws] each."""

    def __init__(self, exposures: Exposures, confidence: float) -> None:
        names = ["documents", "relevance", *(_model(model) for model in exposures.models)]
        self._places = {name: place * len(exposures.groups) for place, name in enumerate(names)}
        self._means = np.vstack([exposures.sums.mean, exposures.sums.resampled_means()])
        self._enough = int(exposures.sums.units.max(initial=0)) >= FEWEST_UNITS
        self._ends = [(1 - confidence) / 2, (1 + confidence) / 2]

    def of(self, share: str, group: int) -> FloatArray:
        """A share by its name and the number of the group."""
        return self._means[:, self._places[share] + group]

    def estimate(self, figure: FloatArray) -> Estimate:
        """A figure made of shares, with its interval; no interval where half of the resamples do not have it."""
        drawn = figure[1:][~np.isnan(figure[1:])]
        low = high = None
        if self._enough and len(drawn) > (len(figure) - 1) / 2:
            low, high = np.quantile(drawn, self._ends).tolist()
        return Estimate(mean=number(figure[0]), low=low, high=high)

    def of_model(self, model: str, group: int, baseline: str | None) -> ModelShare:
        """What a model gives a group."""
        shown, due = self.of(_model(model), group), self.of("relevance", group)
        change = None
        if baseline is not None and baseline != model:
            change = self.estimate(shown - self.of(_model(baseline), group))
        return ModelShare(
            exposure=self.estimate(shown),
            difference=self.estimate(shown - due),
            ratio=self.estimate(np.divide(shown, due, out=np.full(len(due), np.nan), where=due > 0)),
            change=change,
        )


def _model(name: str) -> str:
    """The share of attention by a model, whose name may be that of another share."""
    return f"attention by {name}"


def exposures(
    rankings: Mapping[str, Ranking],
    groups: Values,
    units: NDArray[Any],
    attention: Attention | None = None,
    *,
    gain: str | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Exposures:
    """Attention that models give to groups, beside their shares of relevance and documents.

    >>> from eval.lists import Lists
    >>> from eval.ranking import rank
    >>> lists = Lists(np.array(["q1", "q2"]), np.array([0, 2, 4]), np.ones(4))
    >>> groups = Values(np.arange(4), np.array([0, 1, 0, 1]), ["own", "other"])
    >>> found = exposures({"best": rank(lists, np.array([2.0, 1.0, 2.0, 1.0]))}, groups, lists.query_ids).figures()
    >>> [(one["group"], round(one["models"]["best"]["exposure"]["mean"], 3)) for one in found]
    [('own', 0.613), ('other', 0.387)]

    Args:
        rankings: by model, the same lists in its order; at least one.
        groups: of each document; one in several is shared out evenly. All parts of the lists have the same names.
        units: str [lists], what is resampled: query ids, or those of users.
        attention: how it falls with position; None: `Attention()`.
        gain: of labels, the measure of relevance, as of NDCG: `exp2`, `linear` or a table; None: `exp2`, but `linear`
            once a label exceeds 10.
        draws: number of resamples.
        seed: 0 <= seed < 2^64.

    Raises:
        ValueError: arguments that do not fit each other.
    """
    lists = next(iter(rankings.values())).lists
    check_gain("exposure", gain)
    held = np.bincount(groups.documents, minlength=len(lists.labels))
    if len(held) != len(lists.labels) or not held.all():
        raise ValueError(f"exposure: expected groups of {len(lists.labels)} documents, got {int((held > 0).sum())}")
    n_groups = len(groups.names)
    at = lists.ragged.rows[groups.documents] * n_groups + groups.codes

    def shares(of_documents: FloatArray) -> FloatArray:
        """What groups have of each list, float64 [lists, groups], from what documents have, float64 [documents]."""
        parts = (of_documents / held)[groups.documents]
        return np.bincount(at, parts, len(lists) * n_groups).astype(np.float64).reshape(len(lists), n_groups)

    relevance = gains(gain or default_gain(lists.largest_label), lists.labels)
    total = np.repeat(lists.ragged.sums(relevance), lists.sizes)
    relevance = np.divide(relevance, total, out=np.zeros(len(total)), where=total > 0)
    columns = [shares(1.0 / np.repeat(lists.sizes, lists.sizes)), shares(relevance)]
    for ranking in rankings.values():
        attended = np.empty(len(total))
        attended[ranking.order] = (attention or Attention()).of(ranking)
        columns.append(shares(attended))
    found = np.hstack(columns)
    without = lists.ragged.sums(relevance) == 0
    found[without] = np.nan
    sums = Sums.of(found, units, draws, seed)
    documents = np.bincount(groups.codes, minlength=n_groups)
    return Exposures(tuple(groups.names), tuple(rankings), sums, int(without.sum()), documents)
