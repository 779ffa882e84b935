"""Cumulative gain that falls with what a reader has seen before, exact under ties; its ideal is greedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.content import DocumentSets
from eval.lists import Lists
from eval.metrics.content_metric import ContentMetric
from eval.metrics.options import number
from eval.metrics.relevance import is_relevant, relevance_in_words
from eval.ragged import BoolArray, FloatArray, IntArray, Ragged
from eval.ranking import Ranking

__all__ = ["AlphaNDCG"]


@dataclass(frozen=True)
class AlphaNDCG(ContentMetric):
    """alpha_ndcg@k: alpha-DCG over that of a greedy ideal.

    alpha-DCG@k = sum over positions p = 1 .. k of sum over subtopics of the document at p of (1 - alpha)^(relevant
    documents above it with the subtopic) / log2(p + 1) (Clarke et al., SIGIR 2008). A document that is not relevant
    covers no subtopic. The best order is hard to find (NP-complete): the ideal takes at each position a listed document
    of the largest gain, as the paper and ndeval do, and of several the one whose subtopics come first (fewest, then by
    name; ndeval goes by document id). So the figure can exceed 1, by little. Undefined where no relevant document has a
    subtopic. Under ties the exact mean over all orders of the alpha-DCG.

    >>> import pyarrow as pa
    >>> from eval.content import ContentLists
    >>> lists = Lists(np.array(["q"]), np.array([0, 3]), np.ones(3))
    >>> lists = ContentLists.of(lists, {"topic": pa.array([["a"], ["a"], ["b"]])})
    >>> AlphaNDCG(2, by="topic").per_list(lists, np.array([3.0, 2.0, 1.0])).round(3).tolist()
    [0.807]

    Args:
        k: cutoff, >= 1; None: the whole list.
        by: a column of subtopics, a value or a list of values per document.
        alpha: how much a subtopic loses each time it is seen, from 0 to 1.
        relevant: the lowest label of a relevant document, above 0; None: any label above 0.
    """

    name: ClassVar[str] = "alpha_ndcg"

    alpha: float = 0.5
    relevant: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "relevant", self.relevant, 0)
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"{self.name}: alpha must be a number from 0 to 1, got {self.alpha:g}")

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        options = {"alpha": f"{self.alpha:g}", "relevant": relevance_in_words(self.relevant)}
        return {**super().contract, **options, "ideal": "greedy, listed"}

    def undefined(self, lists: Lists) -> BoolArray:
        """Lists without a relevant document that has a subtopic, bool [lists]."""
        return lists.ragged.counts(self._covering(lists)) == 0

    def _subtopics(self, lists: Lists) -> DocumentSets:
        content = self._content(lists)
        if not isinstance(content, DocumentSets):
            raise ValueError(f"{self}: expected subtopics in {self.by!r}, a value or a list of values, got vectors")
        return content

    def _covering(self, lists: Lists) -> BoolArray:
        """Relevant documents with a subtopic, bool [documents]."""
        return is_relevant(lists.labels, self.relevant) & ~self._subtopics(lists).missing

    def _figures(self, ranking: Ranking) -> FloatArray:
        lists, left = ranking.lists, 1.0 - self.alpha
        covering, content = self._covering(lists), self._subtopics(lists)
        longest = int(lists.sizes.max(initial=0))
        depth = longest if self.k is None else min(self.k, longest)
        slots = np.flatnonzero(covering[ranking.order])
        found = _gain(ranking, slots, content, left, depth)
        ideal = _greedy_gain(lists.ragged.rows[covering], content.sets[covering], content, left, depth, len(lists))
        return np.divide(found, ideal, out=np.zeros(len(found)), where=ideal > 0)


def _discounts(depth: int) -> FloatArray:
    return 1.0 / np.log2(np.arange(2, depth + 2))


def _gain(ranking: Ranking, slots: IntArray, content: DocumentSets, left: float, depth: int) -> FloatArray:
    """alpha-DCG of each list, ties averaged, float64 [lists].

    What a subtopic adds is a sum over groups of tied documents (mostly of one) that cover it: with r documents above
    that do, and c of the n in the group, left^r c / n x sum over positions of discount x `_seen`.

    Args:
        ranking: the lists in order.
        slots: int64 [n], rising, of documents that cover a subtopic.
        content: the subtopics of documents.
        left: what is left of a subtopic that was seen once.
        depth: cutoff.
    """
    ragged = ranking.lists.ragged
    firsts, sizes = _groups(ranking)
    subtopics, codes = content.values(content.sets[ranking.order[slots]])
    group = firsts[slots][subtopics.rows]
    lists = ragged.rows[group]
    # Runs of the same list, subtopic and group; the sort is by group within each subtopic.
    order = np.lexsort((group, codes, lists))
    topic = (lists * max(len(content.names), 1) + codes)[order]
    starts = np.flatnonzero(np.diff(topic, prepend=-1) | np.diff(group[order], prepend=-1))
    covering = np.diff(np.append(starts, len(order)))
    begins = np.flatnonzero(np.diff(topic, prepend=-1))
    before = starts - begins[np.searchsorted(begins, starts, side="right") - 1]
    first = group[order][starts]
    position = first - ragged.offsets[lists[order][starts]]
    inside = position < depth
    covering, before, first, position = (of[inside] for of in (covering, before, first, position))
    gained = _group_gain(sizes[first], covering, position, left, depth) * left**before
    return np.bincount(ragged.rows[first], gained, len(ragged)).astype(np.float64)


def _groups(ranking: Ranking) -> tuple[IntArray, IntArray]:
    """The first slot of the tied group of each slot, and the size of the group that begins in a slot."""
    firsts, sizes = np.arange(len(ranking.order)), np.ones(len(ranking.order), np.int64)
    groups = ranking.groups
    firsts[groups.slots] = np.repeat(groups.firsts, groups.ragged.sizes)
    sizes[groups.firsts] = groups.ragged.sizes
    return firsts, sizes


def _group_gain(n: IntArray, covering: IntArray, position: IntArray, left: float, depth: int) -> FloatArray:
    """Discounted gain expected of one subtopic in groups of n tied documents, int64 [groups] each to float64 [groups].

    Args:
        n: documents in the group.
        covering: those of them that cover the subtopic, 1 .. n.
        position: of the first, from 0, below `depth`.
        left: what is left of a subtopic that was seen once.
        depth: cutoff.
    """
    discounts = _discounts(depth)
    gained = discounts[position]
    tied = np.flatnonzero(n > 1)
    if not tied.size:
        return gained
    kinds, place = np.unique(np.stack([n, covering])[:, tied], axis=1, return_inverse=True)
    seen = _seen(kinds[0] - 1, kinds[1] - 1, left, min(depth, int(kinds[0].max())))
    shown = Ragged.of_sizes(np.minimum(n[tied], depth - position[tied]))
    inside = np.arange(shown.offsets[-1]) - np.repeat(shown.offsets[:-1], shown.sizes)
    expected = seen[place.ravel()[shown.rows], inside] * discounts[position[tied][shown.rows] + inside]
    gained[tied] = shown.sums(expected) * covering[tied] / n[tied]
    return gained


def _seen(n: IntArray, covering: IntArray, left: float, depth: int) -> FloatArray:
    """Mean of left^(documents that cover a subtopic among m of n drawn at random), m = 0 .. depth - 1.

    With one more document that covers it, which is among the m with probability m / n, S(m, n) = (1 - m / n)
    S(m, n - 1) + m / n left S(m - 1, n - 1); without any, S = 1. All terms are >= 0, which loses no digits.

    Args:
        n: int64 [kinds], documents.
        covering: int64 [kinds], those of them that cover it.
        left: from 0 to 1.
        depth: numbers of drawn documents.

    Returns:
        float64 [kinds, depth]; 0 for m beyond n.
    """
    m = np.arange(depth)
    found = (m <= (n - covering)[:, None]).astype(np.float64)
    for step in range(int(covering.max(initial=0))):
        rows = np.flatnonzero(covering > step)
        share = m / (n - covering + step + 1)[rows, None]
        added = share[:, 1:] * left * found[rows, :-1]
        found[rows] *= 1.0 - share
        found[rows, 1:] += added
    return found


def _greedy_gain(
    lists: IntArray, sets: IntArray, content: DocumentSets, left: float, depth: int, n_lists: int
) -> FloatArray:
    """alpha-DCG of a greedy order of documents that cover a subtopic, float64 [lists].

    Args:
        lists: int64 [documents], the list of each.
        sets: int64 [documents], its set of subtopics.
        content: the sets.
        left: what is left of a subtopic that was seen once.
        depth: cutoff.
        n_lists: number of all lists.
    """
    n_sets, n_codes = max(len(content.members), 1), max(len(content.names), 1)
    keys, unused = np.unique(lists * n_sets + sets, return_counts=True)  # documents with equal sets are alike
    owner, distinct = np.divmod(keys, n_sets)
    subtopics, codes = content.values(distinct)
    topics, topic = np.unique(owner[subtopics.rows] * n_codes + codes, return_inverse=True)
    worth = np.ones(len(topics))
    ideal = np.zeros(n_lists)
    for discount in _discounts(depth).tolist():
        if not len(owner):
            break
        gain = np.where(unused > 0, np.add.reduceat(worth[topic], subtopics.offsets[:-1]), -1.0)
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        best = np.maximum.reduceat(gain, starts)
        reached = np.flatnonzero(gain == np.repeat(best, np.diff(np.append(starts, len(owner)))))
        taken = reached[np.unique(owner[reached], return_index=True)[1]]
        ideal[owner[taken]] += discount * np.maximum(best, 0.0)
        unused[taken] -= 1
        chosen = np.zeros(len(owner), np.bool_)
        chosen[taken] = True
        worth[topic[chosen[subtopics.rows]]] *= left
    return ideal
