"""The order that scores give to each list, with its ties: what every metric counts down from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from eval.lists import Lists
from eval.ragged import BoolArray, FloatArray, IntArray, Ragged

__all__ = ["Ranking", "TieGroups", "Ties", "rank"]

Ties = Literal["average", "stable", "docid", "optimistic", "pessimistic"]


@dataclass(frozen=True, eq=False)
class TieGroups:
    """Groups of two or more documents of one list with the same score.

    Args:
        slots: int64 [tied documents], the slots of all groups, rising.
        ragged: which of these belong to each group; they are neighbours.
    """

    slots: IntArray
    ragged: Ragged

    @cached_property
    def firsts(self) -> IntArray:
        """The first slot of each group, int64 [groups]."""
        return self.slots[self.ragged.offsets[:-1]]

    def means(self, values: FloatArray) -> FloatArray:
        """Mean over each group of values by slot, float64 [documents] to float64 [groups]."""
        return self.ragged.sums(values[self.slots]) / self.ragged.sizes

    def select(self, groups: BoolArray) -> "TieGroups":
        """Some of the groups, bool [groups]."""
        ragged, tied = self.ragged.select(groups)
        return TieGroups(self.slots[tied], ragged)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Lists in order of falling score. A slot is a place in that order: position 1, 2, ... of list 0, then list 1, ...

    Computed once, it serves any number of metrics: what they derive from it is kept.

    Args:
        lists: the lists.
        order: int64 [documents], the document number in each slot.
        tied: bool [documents], whether a slot's score equals that of the slot before it in the same list.
    """

    lists: Lists
    order: IntArray
    tied: BoolArray
    _broken: dict[Ties, "Ranking"] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def labels(self) -> FloatArray:
        """The label in each slot, float64 [documents]."""
        return self.lists.labels[self.order]

    @cached_property
    def groups(self) -> TieGroups:
        """The tied documents."""
        starts = np.zeros_like(self.tied)
        starts[:-1] = self.tied[1:] & ~self.tied[:-1]
        slots = np.flatnonzero(self.tied | starts)
        firsts = np.flatnonzero(starts[slots])
        return TieGroups(slots, Ragged(np.append(firsts, len(slots)).astype(np.int64)))

    def expected(self, values: FloatArray) -> FloatArray:
        """The value expected in each slot when tied documents stand in random order: the mean value of their group.

        A sum over positions of (weight of the position) x (this) is the exact mean of that sum over all orders of
        the tied documents, at a cutoff inside a group too (McSherry and Najork, ECIR 2008, section 3).

        Args:
            values: float64 [documents], of the document in each slot.

        Returns:
            float64 [documents], by slot; `values` itself where nothing is tied.
        """
        groups = self.groups
        if not groups.slots.size:
            return values
        averaged = values.copy()
        averaged[groups.slots] = np.repeat(groups.means(values), groups.ragged.sizes)
        return averaged

    def expected_first(self, k: int | None, value_of: Callable[[IntArray], FloatArray]) -> tuple[Ragged, FloatArray]:
        """`expected` in the first `k` positions only (None: all), without a look at the documents below.

        Args:
            k: cutoff.
            value_of: the values of documents, given by their numbers: int64 [n] to a new float64 [n].

        Returns:
            The lists cut after k positions, and the value expected in each, float64 [positions of these].
        """
        ragged, groups = self.lists.ragged, self.groups
        top, slots = ragged.first(k)
        values = value_of(self.order[slots])
        lists = ragged.rows_of(groups.firsts)
        before = groups.firsts - ragged.offsets[lists]
        if k is not None:
            groups, lists, before = groups.select(before < k), lists[before < k], before[before < k]
        if groups.slots.size:
            means = groups.ragged.sums(value_of(self.order[groups.slots])) / groups.ragged.sizes
            inside = Ragged.of_sizes(np.minimum(groups.ragged.sizes, top.sizes[lists] - before))
            starts = np.repeat(top.offsets[lists] + before - 1, inside.sizes)
            values[starts + inside.positions] = np.repeat(means, inside.sizes)
        return top, values

    def by(self, ties: Ties) -> "Ranking":
        """The ranking under a policy for ties.

        Args:
            ties: `average`: this ranking, ties kept. The others put tied documents in an order, and no ties are left:
                `stable`: as they are listed. `docid`: by falling id as text, like trec_eval. `optimistic`: by falling
                label, the best that any order gives. `pessimistic`: by rising label, the worst.

        Raises:
            ValueError: for `docid`, if the lists have no document ids.
        """
        if ties == "docid" and self.lists.document_ids is None:
            raise ValueError("ties=docid needs document ids, and the lists have none; add them, or choose ties=average")
        if ties == "average" or not self.groups.slots.size:
            return self
        if ties not in self._broken:
            self._broken[ties] = self._in_order(ties)
        return self._broken[ties]

    def _in_order(self, ties: Ties) -> "Ranking":
        slots, groups = self.groups.slots, self.groups.ragged
        documents, ids = self.order[slots], self.lists.document_ids
        if ties == "docid" and ids is not None:
            within = groups.descending_texts(ids[documents].astype(str))
        elif ties == "stable":
            within = groups.descending(-documents.astype(np.float64))
        else:
            within = groups.descending(self.lists.labels[documents] * (1 if ties == "optimistic" else -1))
        order = self.order.copy()
        order[slots] = documents[within]
        return Ranking(self.lists, order, np.zeros_like(self.tied))

    def has_tie_within(self, k: int | None) -> BoolArray:
        """Lists where a group of tied documents holds one of the first `k` positions (None: all), bool [lists].

        A group that begins above the cutoff and ends below it counts.
        """
        firsts = self.groups.firsts
        lists = self.lists.ragged.rows_of(firsts)
        if k is not None:
            lists = lists[firsts - self.lists.offsets[lists] < k]
        return np.bincount(lists, minlength=len(self.lists)) > 0


def rank(lists: Lists, scores: FloatArray) -> Ranking:
    """Order each list by falling score.

    Args:
        lists: the lists.
        scores: float64 [documents], finite; the order of `lists.labels`.

    Returns:
        The order, ties marked.

    Raises:
        ValueError: wrong shape, or a score that is NaN or infinite (query and document are named).
    """
    if scores.shape != lists.labels.shape or scores.dtype != np.float64:
        raise ValueError(
            f"scores: expected float64 {lists.labels.shape}, one per document, got {scores.dtype} {scores.shape}"
        )
    finite = np.isfinite(scores)
    if not finite.all():
        document = int(np.argmin(finite))
        raise ValueError(f"score {scores[document]} of {lists.place(document)}: expected a finite number")
    order = lists.ragged.descending(scores)
    in_slots = scores[order]
    tied = np.zeros(len(order), dtype=np.bool_)
    np.equal(in_slots[1:], in_slots[:-1], out=tied[1:])
    tied[lists.offsets[:-1][lists.sizes > 0]] = False
    return Ranking(lists, order, tied)
