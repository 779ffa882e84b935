from fractions import Fraction
from itertools import combinations, pairwise
from math import comb, prod

import numpy as np
import pytest

from eval.metrics.cascade import stopping
from eval.ranking import rank
from tests.eval.metrics.reference import as_lists


def passing(chances, m):
    """The chance to pass the first m of a group in random order, by its definition, in exact arithmetic."""
    every = [prod((1 - Fraction(chance) for chance in some), start=Fraction(1)) for some in combinations(chances, m)]
    return sum(every) / comb(len(chances), m)


@pytest.mark.parametrize("k", [None, 1, 3, 6])
def test_tied_groups_by_definition(k):
    """Groups of 1, 7, 2 and 5 documents, from the top."""
    groups = [[0.25], [0.5, 0, 0, 1, 0.75, 0.125, 0], [0, 0], [0.5, 0.5, 0.5, 0, 0.25]]
    documents = [(0, -at) for at, group in enumerate(groups) for _ in group]
    lists, scores = as_lists([documents])
    ranking = rank(lists, scores)
    expected, reached = [], Fraction(1)
    for group in groups:
        left = [reached * passing(group, m) for m in range(len(group) + 1)]
        expected += [float(above - below) for above, below in pairwise(left)]
        reached = left[-1]
    chances = np.concatenate(groups)[ranking.order]
    top, found = stopping(ranking, chances, k)
    np.testing.assert_allclose(found, expected[:k], rtol=0, atol=1e-15)
    assert len(top) == 1
    np.testing.assert_array_equal(chances, np.concatenate(groups)[ranking.order])  # not changed


def test_groups_of_all_sizes_at_once():
    """Many lists in one call, in blocks of padded groups, give what each gives alone."""
    random = np.random.default_rng(1)
    sizes = [*random.integers(1, 40, size=300), 700]
    documents = [
        list(zip(random.integers(0, 4, size), random.integers(0, 1 + size // 6, size), strict=True)) for size in sizes
    ]
    for values in ({0: 0.0, 1: 0.2, 2: 0.5, 3: 1.0}, {0: 0.0, 1: 1.0, 2: 1.0, 3: 1.0}):

        def stops(some, k, values=values):
            lists, scores = as_lists(some)
            ranking = rank(lists, scores)
            return stopping(ranking, np.array([values[label] for label in ranking.labels.tolist()]), k)[1]

        for k in (None, 5):
            alone = np.concatenate([stops([one], k) for one in documents])
            np.testing.assert_allclose(stops(documents, k), alone, rtol=1e-12, atol=0)


def test_a_long_group_loses_no_digits():
    """2,000 tied documents, one of which may stop the reader: each position is as likely as the others."""
    lists, scores = as_lists([[(0, 0)] * 2000])
    _, found = stopping(rank(lists, scores), np.where(np.arange(2000) == 77, 0.3, 0.0), None)
    np.testing.assert_allclose(found, 0.3 / 2000, rtol=1e-10)
