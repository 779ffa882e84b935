"""Documents drawn evenly for each list, always the same ones for the same query and seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ranker.data.id_hash import mix
from ranker.data.tables.id_groups import Ints, Mask

__all__ = ["draw"]

_Hashes = npt.NDArray[np.uint64]
_STEP = np.uint64(0x9E3779B97F4A7C15)  # of the counter of SplitMix64 (Steele, Lea and Flood 2014)
_FEW = 4  # a list that takes more than one in so many documents is drawn by ranking all


def draw(queries: _Hashes, n: int, documents: int, lists: Ints, taken: Ints, seed: int) -> tuple[Ints, Ints]:
    """`n` distinct documents for each list, all equally likely, without those it has; fewer if there are no more.

    What is drawn for a list depends on its query, what it has, n, the number of documents and the seed alone. The draws
    of a list are a counter that goes through a mixing function, so that all lists are drawn at once.

    Args:
        queries: uint64 `[lists]`, a hash of the query of each list.
        n: how many, from 1.
        documents: number of all documents; they are the numbers below it.
        lists: int64 `[pairs]`, and
        taken: int64 `[pairs]`, the documents that lists have already; each pair once.
        seed: from 0.

    Returns:
        two int64 arrays: list and document; lists ascend.
    """
    states = mix(queries ^ mix(np.array([seed], np.uint64) + _STEP))
    has = np.bincount(lists, minlength=len(queries))
    crowded = documents <= _FEW * (n + has)
    pairs = np.sort(lists * documents + taken)
    many = _by_ranking(np.flatnonzero(crowded), states, n, documents, pairs)
    few = _by_chance(np.flatnonzero(~crowded), states, n, documents, pairs)
    keys = np.sort(np.concatenate([many, few]))
    return keys // documents, keys % documents


def _by_ranking(lists: Ints, states: _Hashes, n: int, documents: int, pairs: Ints) -> Ints:
    """For each list the documents with the lowest draws; as `list * documents + document`."""
    drawn = [np.empty(0, np.int64)]
    counter = np.arange(documents, dtype=np.uint64)
    for number in lists.tolist():
        own = pairs[np.searchsorted(pairs, number * documents) : np.searchsorted(pairs, (number + 1) * documents)]
        free = np.ones(documents, bool)
        free[own - number * documents] = False
        places = np.flatnonzero(free)
        order = np.argsort(mix(states[number] + counter[places] * _STEP), kind="stable")
        drawn.append(number * documents + places[order[:n]])
    return np.concatenate(drawn)


def _by_chance(lists: Ints, states: _Hashes, n: int, documents: int, pairs: Ints) -> Ints:
    """Draws one after the other, passing over what the list has; at least three of four are of use."""
    per_round = n + 8
    drawn = [np.empty(0, np.int64)]
    missing = np.full(len(lists), n)
    first = 0
    while len(lists):
        counter = np.arange(first, first + per_round, dtype=np.uint64)
        bits = mix(states[lists][:, None] + counter * _STEP)
        document = ((bits >> np.uint64(11)) * 2.0**-53 * documents).astype(np.int64)
        keys = (lists[:, None] * documents + document).ravel()
        new = _new(keys, pairs)
        rank = np.cumsum(new.reshape(-1, per_round), axis=1)
        wanted = new & (rank <= missing[:, None]).ravel()
        drawn.append(keys[wanted])
        pairs = np.sort(np.concatenate([pairs, keys[wanted]]))
        missing = missing - np.minimum(rank[:, -1], missing)
        lists, missing = lists[missing > 0], missing[missing > 0]
        first += per_round
    return np.concatenate(drawn)


def _new(keys: Ints, sorted_keys: Ints) -> Mask:
    """Which keys are there for the first time, and not among others."""
    new = np.zeros(len(keys), bool)
    new[np.unique(keys, return_index=True)[1]] = True
    place = np.searchsorted(sorted_keys, keys)
    there = place < len(sorted_keys)
    new[there] &= sorted_keys[place[there]] != keys[there]
    return new
