"""Intra-list diversity: how different the first documents of a list are from each other, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.content import DocumentSets, DocumentVectors
from eval.lists import Lists
from eval.metrics.content_metric import ContentMetric
from eval.ragged import BoolArray, FloatArray, IntArray, Ragged
from eval.ranking import Ranking

__all__ = ["IntraListDiversity"]


@dataclass(frozen=True)
class IntraListDiversity(ContentMetric):
    """ild@k: the mean distance of the pairs of documents among the first k.

    Ziegler, McNee, Konstan and Lausen, WWW 2005 (there the sum of similarities); as a mean of distances Zhang and
    Hurley, RecSys 2008. The distance of two sets of values is 1 - Jaccard index, so that of two categories is 0 or 1;
    that of two vectors is 1 - cosine, from 0 to 2. Undefined below two documents. Under ties the exact mean over all
    orders: where the cutoff is inside a group of n tied documents, of which m are shown, a pair of them is shown with
    probability m (m - 1) / (n (n - 1)), and a pair of one of them and a document above with m / n.

    >>> import pyarrow as pa
    >>> from eval.content import ContentLists
    >>> lists = Lists(np.array(["q"]), np.array([0, 3]), np.zeros(3))
    >>> lists = ContentLists.of(lists, {"kind": pa.array(["saw", "saw", "rake"])})
    >>> IntraListDiversity(by="kind").per_list(lists, np.zeros(3)).round(3).tolist()
    [0.667]

    Args:
        k: cutoff, >= 2; None: the whole list.
        by: a column of values, sets of values or vectors.
        missing: documents without a value, or with a vector that is missing or zero: they are `alike`, at distance 0
            from each other and 1 from all others, or an `error`.
    """

    name: ClassVar[str] = "ild"
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **ContentMetric.choices,
        "empty": ("skip", "zero"),
        "missing": ("alike", "error"),
    }

    missing: str = "alike"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k == 1:
            raise ValueError(f"{self.name}: one document has no distance; the cutoff must be at least 2, got 1")

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        distance = "1 - Jaccard index of sets, 1 - cosine of vectors"
        return {**super().contract, "missing": self.missing, "distance": distance}

    def undefined(self, lists: Lists) -> BoolArray:
        """Lists of fewer than two documents, bool [lists]."""
        return lists.sizes < 2

    def _figures(self, ranking: Ranking) -> FloatArray:
        content, lists = self._content(ranking.lists), ranking.lists
        if self.missing == "error" and (wrong := np.flatnonzero(content.missing)).size:
            raise ValueError(f"{self}: expected a value of {self.by!r} for {lists.place(int(wrong[0]))}; add it")
        shown = _Shown.of(ranking, self.k)
        alike = _alike_sets(shown, content) if isinstance(content, DocumentSets) else _alike_vectors(shown, content)
        pairs = shown.size * (shown.size - 1) / 2
        similarity = np.divide(alike, pairs, out=np.zeros(len(alike)), where=pairs > 0)
        return np.maximum(1.0 - similarity, 0.0)  # a sum of equal documents: a last bit below 0


@dataclass(frozen=True, eq=False)
class _Shown:
    """Which documents lists show in their first k positions.

    Args:
        documents: int64 [n], numbers of documents that can be among them, list by list.
        lists: int64 [n], the list of each.
        certain: bool [n], whether the document is for certain, or in a tied group that the cutoff parts.
        size: int64 [lists], how many a list shows.
        one: float64 [lists], the probability of a document of the tied group to be shown.
        two: float64 [lists], that of a pair of them.
    """

    documents: IntArray
    lists: IntArray
    certain: BoolArray
    size: IntArray
    one: FloatArray
    two: FloatArray

    @classmethod
    def of(cls, ranking: Ranking, k: int | None) -> "_Shown":
        ragged, groups = ranking.lists.ragged, ranking.groups
        cutoff = int(ragged.sizes.max(initial=0)) if k is None else k
        lists = ragged.rows_of(groups.firsts)
        above = groups.firsts - ragged.offsets[lists]
        parted = (above < cutoff) & (above + groups.ragged.sizes > cutoff)
        lists, n = lists[parted], groups.ragged.sizes[parted].astype(np.float64)
        m = cutoff - above[parted]
        one, two = np.zeros(len(ragged)), np.zeros(len(ragged))
        one[lists], two[lists] = m / n, m * (m - 1) / (n * (n - 1))
        doubtful = np.zeros(len(ranking.order), np.bool_)
        doubtful[groups.select(parted).slots] = True
        slots = np.flatnonzero((ragged.positions <= cutoff) | doubtful)
        size = np.minimum(ragged.sizes, cutoff)
        return cls(ranking.order[slots], ragged.rows[slots], ~doubtful[slots], size, one, two)

    def pairs(self, lists: IntArray, certain: FloatArray, tied: FloatArray) -> FloatArray:
        """Pairs expected to be shown among documents of a kind, of which so many are certain and so many tied."""
        of_tied = self.one[lists] * certain * tied + self.two[lists] * tied * (tied - 1) / 2
        return certain * (certain - 1) / 2 + of_tied


def _alike_sets(shown: _Shown, content: DocumentSets) -> FloatArray:
    """Sum of the similarity of pairs that are shown, float64 [lists].

    Documents of a list with equal sets are counted together: pairs of different sets are few.
    """
    n_sets, n_lists = len(content.members), len(shown.size)
    keys, place = np.unique(shown.lists * n_sets + content.sets[shown.documents], return_inverse=True)
    lists, sets = np.divmod(keys, max(n_sets, 1))
    certain, tied = (np.bincount(place, of, len(keys)).astype(np.float64) for of in (shown.certain, ~shown.certain))
    alike = np.bincount(lists, shown.pairs(lists, certain, tied), n_lists).astype(np.float64)
    entries = Ragged.of_sizes(np.bincount(lists, minlength=n_lists))
    for _, items in entries.chunks():
        left, right, common = _overlapping(lists[items], sets[items], content)
        left, right = left + items.start, right + items.start
        sizes = content.members.sizes[sets]
        jaccard = common / (sizes[left] + sizes[right] - common)
        both = certain[left] * certain[right] + shown.two[lists[left]] * tied[left] * tied[right]
        both += shown.one[lists[left]] * (certain[left] * tied[right] + tied[left] * certain[right])
        alike += np.bincount(lists[left], jaccard * both, n_lists)
    return alike


def _overlapping(lists: IntArray, sets: IntArray, content: DocumentSets) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs of different sets of a list with a value in common, by their numbers, and how many they have in common."""
    ragged, codes = content.values(sets)
    keys = lists[ragged.rows] * max(len(content.names), 1) + codes
    order = np.argsort(keys, kind="stable")
    holders = ragged.rows[order]
    sharing = Ragged.of_sizes(np.unique(keys, return_counts=True)[1])
    before = sharing.positions - 1  # each holder of a value meets those that come before
    left = np.repeat(holders, before)
    within = Ragged.of_sizes(before)
    right = holders[np.repeat(np.repeat(sharing.offsets[:-1], sharing.sizes), before) + within.positions - 1]
    pairs, common = np.unique(left * max(len(sets), 1) + right, return_counts=True)
    left, right = np.divmod(pairs, max(len(sets), 1))
    return left, right, common


def _alike_vectors(shown: _Shown, content: DocumentVectors) -> FloatArray:
    """Sum of the similarity of pairs that are shown, float64 [lists].

    The cosines of all pairs of n unit vectors add up to (|sum of vectors|^2 - n) / 2.
    """
    n_lists = len(shown.size)
    there = ~content.missing[shown.documents]
    sums, counts, absent = [], [], []
    for kind in (shown.certain, ~shown.certain):
        sums.append(_sums(content.directions, shown.documents[kind & there], shown.lists[kind & there], n_lists))
        counts.append(np.bincount(shown.lists[kind & there], minlength=n_lists))
        absent.append(np.bincount(shown.lists[kind & ~there], minlength=n_lists).astype(np.float64))
    certain, tied = ((np.einsum("ij,ij->i", s, s) - n) / 2 for s, n in zip(sums, counts, strict=True))
    between = np.einsum("ij,ij->i", *sums)
    return certain + shown.one * between + shown.two * tied + shown.pairs(np.arange(n_lists), *absent)


def _sums(vectors: FloatArray, documents: IntArray, lists: IntArray, n_lists: int) -> FloatArray:
    """Sum of the vectors of each list, float64 [lists, width]; `lists` int64 [n] never falls."""
    sums = np.zeros((n_lists, vectors.shape[1]))
    ragged = Ragged.of_sizes(np.bincount(lists, minlength=n_lists))
    for part, items in ragged.chunks():
        filled = np.flatnonzero(part.sizes)
        if filled.size:
            numbers = lists[items][part.offsets[filled]]
            sums[numbers] = np.add.reduceat(vectors[documents[items]], part.offsets[filled], axis=0)
    return sums
