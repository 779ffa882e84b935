"""Draws: distinct, without what a list has, even, and the same whatever else is drawn."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.data.candidates.sampling import draw

QUERIES = np.random.default_rng(1).integers(0, 2**63, 50).astype(np.uint64)


def drawn(n: int, documents: int, taken: dict[int, list[int]], seed: int = 7, queries=QUERIES) -> dict[int, list[int]]:
    pairs = [(number, one) for number, own in taken.items() for one in own]
    lists, has = np.array(pairs, np.int64).reshape(-1, 2).T
    number, document = draw(queries, n, documents, lists, has, seed)
    assert (np.diff(number) >= 0).all()
    return {one: document[number == one].tolist() for one in range(len(queries))}


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(1, 12),
    documents=st.integers(1, 80),
    taken=st.dictionaries(st.integers(0, 7), st.sets(st.integers(0, 79)), max_size=8),
    seed=st.integers(0, 2**70),
)
def test_as_many_as_wanted_each_once_and_none_that_the_list_has(n, documents, taken, seed):
    """With few documents all are ranked, with many they are drawn one by one: both keep to this."""
    own = {number: [one for one in some if one < documents] for number, some in taken.items()}
    for number, found in drawn(n, documents, own, seed, QUERIES[:8]).items():
        free = set(range(documents)) - set(own.get(number, []))
        assert len(found) == len(set(found)) == min(n, len(free))
        assert set(found) <= free


@pytest.mark.parametrize(("n", "documents"), [(3, 10), (5, 1000)])
def test_a_list_gets_the_same_in_any_company(n, documents):
    taken = {number: [number % documents, documents - 1] for number in range(0, 50, 3)}
    together = drawn(n, documents, taken)
    for number in range(50):
        alone = drawn(n, documents, {0: taken.get(number, [])}, queries=QUERIES[number : number + 1])
        assert alone[0] == together[number]
    assert drawn(n, documents, taken, seed=8) != together


@pytest.mark.parametrize(("n", "documents"), [(10, 30), (10, 300)])
def test_all_documents_are_equally_likely(n, documents):
    """Of many lists; a sound generator fails once in 10,000 seeds."""
    queries = np.arange(6000, dtype=np.uint64) * np.uint64(3)  # as even as hashes never are
    found = drawn(n, documents, {}, queries=queries)
    counts = np.bincount(np.concatenate(list(found.values())), minlength=documents)
    assert scipy.stats.chisquare(counts).pvalue > 1e-4
    pairs = np.zeros((10, 10))
    for some in found.values():
        low = [one for one in some if one < 10]
        pairs[np.ix_(low, low)] += 1
    off = pairs[np.triu_indices(10, 1)]
    assert scipy.stats.chisquare(off).pvalue > 1e-4, "nor does one document bring another"


def test_nothing_to_draw_for():
    assert [one.tolist() for one in draw(QUERIES[:0], 3, 9, np.zeros(0, np.int64), np.zeros(0, np.int64), 1)] == [
        [],
        [],
    ]
    assert drawn(5, 2, {0: [0, 1]})[0] == []
