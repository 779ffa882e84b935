"""How much of the readers' attention a ranking gives to groups of documents, such as those of kinds of sellers.

Each list has one unit of attention, which falls with position (`Attention`). The share of a group is held against its
share of the relevance in the list, or of the documents (Singh and Joachims, KDD 2018: exposure in proportion to
relevance, and demographic parity; Sapiezynski, Zeng, Robertson, Mislove and Wilson, 2019: attention as a model of
readers, against a share of the population). Lists count alike: figures are means over lists, as those of metrics are.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from eval.content import DocumentSets
from eval.intervals import Interval
from eval.lists import Lists
from eval.metrics.gain import check_gain, default_gain, gains
from eval.ragged import FloatArray, IntArray
from eval.ranking import Ranking
from eval.sums import Sums

__all__ = ["MISSING_GROUP", "Attention", "Exposures", "GroupExposure", "exposures"]

MISSING_GROUP = "(missing)"

Discount = Literal["log", "geometric"]
Against = Literal["relevance", "documents"]


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
class GroupExposure:
    """What a group gets. Intervals are percentile intervals of the bootstrap over lists.

    Args:
        group: its name.
        exposure: share of attention.
        reference: share of relevance or documents.
        difference: exposure - reference.
        ratio: exposure / reference, of the means; ends are NaN where the group is in too few lists to say.
    """

    group: str
    exposure: Interval
    reference: Interval
    difference: Interval
    ratio: Interval


@dataclass(frozen=True, eq=False)
class Exposures:
    """Sums of all groups; `a + b` is the whole of two parts with no unit in common.

    Args:
        groups: names.
        sums: shares of attention of all groups, then shares of the reference.
        left_out: lists without a reference: those without a relevant document, or without documents.
        documents: int64 [groups], documents; one in two groups counts in both.
    """

    groups: tuple[str, ...]
    sums: Sums
    left_out: int
    documents: IntArray

    def __add__(self, other: "Exposures") -> "Exposures":
        if self.groups != other.groups:
            raise ValueError(f"exposure adds up only over the same groups; got {self.groups} and {other.groups}")
        left_out = self.left_out + other.left_out
        return Exposures(self.groups, self.sums + other.sums, left_out, self.documents + other.documents)

    def figures(self, confidence: float = 0.95) -> list[GroupExposure]:
        """The figures of all groups that have documents.

        Args:
            confidence: of the intervals, between 0 and 1.

        Raises:
            ValueError: no list has a reference.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence: expected a number between 0 and 1, such as 0.95, got {confidence}")
        n_lists = int(self.sums.n.max(initial=0))
        if not n_lists:
            raise ValueError(f"exposure: expected lists with a relevant document, got none in {self.left_out} lists")
        means, drawn = (np.split(of, 2, axis=-1) for of in (self.sums.mean, self.sums.resampled_means()))
        ends = [(1 - confidence) / 2, (1 + confidence) / 2]

        def interval(mean: float, draws: FloatArray) -> Interval:
            known = draws[~np.isnan(draws)]
            low, high = np.quantile(known, ends).tolist() if len(known) > len(draws) / 2 else (np.nan, np.nan)
            return Interval(float(mean), low, high, n_lists)

        found = []
        for at in np.flatnonzero(self.documents).tolist():
            shown, due = (float(of[at]) for of in means)
            drawn_shown, drawn_due = (of[:, at] for of in drawn)
            found.append(
                GroupExposure(
                    self.groups[at],
                    exposure=interval(shown, drawn_shown),
                    reference=interval(due, drawn_due),
                    difference=interval(shown - due, drawn_shown - drawn_due),
                    ratio=interval(shown / due if due > 0 else np.nan, _over(drawn_shown, drawn_due)),
                )
            )
        return found


def exposures(
    ranking: Ranking,
    groups: DocumentSets,
    units: NDArray[Any],
    attention: Attention | None = None,
    against: Against = "relevance",
    *,
    gain: str | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Exposures:
    """Attention that groups get, against what they are due.

    >>> import pyarrow as pa
    >>> from eval.lists import Lists
    >>> from eval.ranking import rank
    >>> lists = Lists(np.array(["q1", "q2"]), np.array([0, 2, 4]), np.ones(4))
    >>> ranking = rank(lists, np.array([2.0, 1.0, 2.0, 1.0]))
    >>> found = exposures(ranking, DocumentSets.of(pa.array(["own", "other"] * 2)), lists.query_ids).figures()
    >>> [(one.group, round(one.exposure.mean, 3), round(one.reference.mean, 3)) for one in found]
    [('other', 0.387, 0.5), ('own', 0.613, 0.5)]

    Args:
        ranking: lists in order.
        groups: those of each document; one in several is shared out evenly, one in none is in `MISSING_GROUP`. Where
            lists come in parts, `DocumentSets.of` takes the names of all groups.
        units: str [lists], what is resampled: query ids, or those of users.
        attention: how it falls with position; None: `Attention()`.
        against: `relevance`: the share of the gain of all documents of the list; `documents`: of their number.
        gain: of labels, as of NDCG: `exp2`, `linear` or a table; None: `exp2`, but `linear` once a label exceeds 10.
        draws: number of resamples.
        seed: 0 <= seed < 2^64.

    Raises:
        ValueError: arguments that do not fit each other.
    """
    lists = ranking.lists
    if len(groups) != len(lists.labels):
        raise ValueError(f"exposure: expected groups of {len(lists.labels)} documents, got {len(groups)}")
    if against not in get_args(Against):
        raise ValueError(f"exposure: expected one of {', '.join(get_args(Against))}, got {against!r}")
    check_gain("exposure", gain)
    attended = np.empty(len(groups))
    attended[ranking.order] = (attention or Attention()).of(ranking)
    due = np.ones(len(groups))
    if against == "relevance":
        due = gains(gain or default_gain(lists.largest_label), lists.labels)
    total = np.repeat(lists.ragged.sums(due), lists.sizes)
    due = np.divide(due, total, out=np.full(len(due), np.nan), where=total > 0)
    members = _Members.of(groups)
    shares = np.hstack([members.shares(lists, of) for of in (attended, due)])
    shares[lists.missing | np.isnan(shares).any(axis=1)] = np.nan
    left_out, held = int(np.isnan(shares[:, 0]).sum()), np.bincount(members.groups, minlength=len(members.names))
    return Exposures(members.names, Sums.of(shares, units, draws, seed), left_out, held)


@dataclass(frozen=True, eq=False)
class _Members:
    """Which documents are in which group; a document in several is there several times.

    Args:
        names: of groups.
        documents: int64 [n].
        groups: int64 [n], the group of each by its number.
        weights: float64 [n], how much of the document is in it.
    """

    names: tuple[str, ...]
    documents: IntArray
    groups: IntArray
    weights: FloatArray

    @classmethod
    def of(cls, groups: DocumentSets) -> "_Members":
        ragged, codes = groups.values(groups.sets)
        missing = np.flatnonzero(groups.missing)
        documents = np.concatenate([ragged.rows, missing])
        codes = np.concatenate([codes, np.full(len(missing), len(groups.names))])
        weights = 1.0 / np.maximum(ragged.sizes, 1)[documents]
        return cls((*groups.names, MISSING_GROUP), documents, codes, weights)

    def shares(self, lists: Lists, of_documents: FloatArray) -> FloatArray:
        """What groups have of each list, float64 [lists, groups], from what documents have, float64 [documents]."""
        n_groups = len(self.names)
        at = lists.ragged.rows[self.documents] * n_groups + self.groups
        shares = np.bincount(at, of_documents[self.documents] * self.weights, len(lists) * n_groups)
        return shares.astype(np.float64).reshape(len(lists), n_groups)


def _over(above: FloatArray, below: FloatArray) -> FloatArray:
    """The quotient; NaN where what is below is 0."""
    return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
