"""The order that scores give to each list, with its ties: what every metric counts down from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.lists import FloatArray, IntArray, Lists

__all__ = ["Ranking", "rank"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Lists in order of falling score. A slot is a place in that order: position 0, 1, ... of list 0, then list 1, ...

    Args:
        lists: the lists.
        order: int64 [documents], the document number in each slot.
        tied: bool [documents], whether a slot's score equals that of the slot before it in the same list.
    """

    lists: Lists
    order: IntArray
    tied: NDArray[np.bool_]

    def expected(self, values: FloatArray) -> FloatArray:
        """The value expected in each slot when tied documents stand in random order: the mean value of their group.

        A sum over positions of (weight of the position) x (this) is the exact mean of that sum over all orders of
        the tied documents, at a cutoff inside a group too (McSherry and Najork, ECIR 2008, section 3).

        Args:
            values: float64 [documents], by document number.

        Returns:
            float64 [documents], by slot.
        """
        in_slots = values[self.order]
        starts = ~self.tied
        in_group = self.tied.copy()
        in_group[:-1] |= self.tied[1:]
        slots = np.flatnonzero(in_group)
        if slots.size:
            group = np.cumsum(starts[slots]) - 1
            means = np.bincount(group, weights=in_slots[slots]) / np.bincount(group)
            in_slots[slots] = means[group]
        return in_slots

    def has_tie_within(self, k: int | None) -> NDArray[np.bool_]:
        """Lists where a group of tied documents holds one of the first `k` positions (None: all), bool [lists].

        A group that begins above the cutoff and ends below it counts.
        """
        slots = np.flatnonzero(self.tied)
        lists = self.lists.lists_of(slots)
        if k is not None:
            lists = lists[slots - self.lists.offsets[lists] <= k]  # a slot's tie is with the position above it
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
    order = lists.descending(scores)
    in_slots = scores[order]
    tied = np.zeros(len(order), dtype=np.bool_)
    np.equal(in_slots[1:], in_slots[:-1], out=tied[1:])
    tied[lists.offsets[:-1][lists.sizes > 0]] = False
    return Ranking(lists, order, tied)
