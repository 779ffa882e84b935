"""The cascade model: a reader goes down the list and stops at a document with a probability of its own.

Reciprocal rank, success and expected reciprocal rank are figures of where the reader stops. This file gives the exact
probabilities when tied documents stand in random order.
"""

import numpy as np

from eval.ragged import FloatArray, IntArray, Ragged
from eval.ranking import Ranking, TieGroups

__all__ = ["stopping"]


def stopping(ranking: Ranking, chances: FloatArray, k: int | None) -> tuple[Ragged, FloatArray]:
    """Probability that the reader stops at each of the first k positions: to get there, and to stop there.

    Args:
        ranking: the lists in order.
        chances: float64 [documents], the probability to stop at the document in each slot once there.
        k: how far to go; None: to the end.

    Returns:
        The lists cut after k positions, and the probability for each position, float64 [positions of these].
    """
    top, slots = ranking.lists.ragged.first(k)
    averaged = _average_ties(ranking, chances, k)[slots]
    stops = np.empty(len(averaged))
    for _, places, real, chance in top.padded(averaged, 0.0):
        chance[:, 1:] *= np.cumprod(1.0 - chance, axis=1)[:, :-1]
        stops[places[real]] = chance[real]
    return top, stops


def _average_ties(ranking: Ranking, chances: FloatArray, k: int | None) -> FloatArray:
    """Chances by slot, those of tied documents replaced by the chance to stop in a slot once there, over all orders."""
    groups = ranking.groups
    if not groups.slots.size:
        return chances
    inside, starts = chances[groups.slots], groups.ragged.offsets[:-1]
    matter = np.maximum.reduceat(inside, starts) > np.minimum.reduceat(inside, starts)
    if k is not None:
        lists = ranking.lists.ragged.rows_of(groups.firsts)
        matter &= groups.firsts - ranking.lists.offsets[lists] < k
    return _with_averages(groups.select(matter), chances, k)


def _with_averages(groups: TieGroups, chances: FloatArray, k: int | None) -> FloatArray:
    averaged = chances.copy()
    for rows, places, _, padded in groups.ragged.padded(chances[groups.slots], 0.0):
        sizes = groups.ragged.sizes[rows]
        depth = padded.shape[1] if k is None else min(k, padded.shape[1])
        certain = not np.any(padded * (1.0 - padded))
        passed = (_chance_to_pass_all if certain else _chance_to_pass)(padded, sizes, depth)
        above = passed[:, :-1]
        chance = 1.0 - np.divide(passed[:, 1:], above, out=np.zeros_like(above), where=above > 0)
        real = np.arange(depth) < sizes[:, None]
        averaged[groups.slots[places[:, :depth][real]]] = chance[real]
    return averaged


def _chance_to_pass(chances: FloatArray, sizes: IntArray, depth: int) -> FloatArray:
    """The chance that a reader passes the first m of a group of documents in random order, m = 0 .. depth.

    It is the mean of the product of m of the numbers q = 1 - chance over all choices of m documents: with n documents
    S(m, n) = e_m(q) / binomial(n, m), e_m the elementary symmetric polynomial. The last document is among the first m
    with probability m / n, so that S(m, n) = (1 - m / n) S(m, n - 1) + m / n q_n S(m - 1, n - 1): all terms lie in
    [0, 1] and are added, which loses no digits. Documents without a chance (q = 1) come first: S = 1 for m <= n.

    Args:
        chances: float64 [groups, documents], padded with 0 at the end.
        sizes: int64 [groups], documents in each group.
        depth: the largest m.

    Returns:
        float64 [groups, depth + 1]; 0 for m beyond the size of a group.
    """
    stopping = np.count_nonzero(chances, axis=1)
    by_stopping = np.argsort(-stopping)
    falling = -np.sort(-chances[by_stopping], axis=1)
    left = np.bincount(stopping, minlength=chances.shape[1] + 1)[::-1].cumsum()[::-1]  # groups with >= j such documents
    among = np.arange(depth + 1)
    others = (sizes - stopping)[by_stopping, None]
    passed = (among <= others).astype(np.float64)
    for document in range(int(stopping.max(initial=0))):
        rows = slice(int(left[document + 1]))
        share = among / (others[rows] + document + 1)
        added = share[:, 1:] * (1.0 - falling[rows, document, None]) * passed[rows, :-1]
        passed[rows] *= 1.0 - share
        passed[rows, 1:] += added
    passed[by_stopping] = passed.copy()
    return passed


def _chance_to_pass_all(chances: FloatArray, sizes: IntArray, depth: int) -> FloatArray:
    """The same where the reader stops at a document for certain or not at all.

    Of n documents r stop: none of the first m does with probability (n - r) / n x (n - r - 1) / (n - 1) x ..., m times.
    """
    stopping = np.count_nonzero(chances, axis=1)
    left = np.maximum(sizes[:, None] - np.arange(depth), 1)
    passed = np.ones((len(sizes), depth + 1))
    np.cumprod(np.maximum(left - stopping[:, None], 0) / left, axis=1, out=passed[:, 1:])
    return passed
