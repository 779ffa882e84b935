from fractions import Fraction
from math import comb

import pytest

from eval.metrics import ReciprocalRank
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    lists, scores = as_lists([[(0, 9), (1, 8), (2, 7)], [(1, 1)]])
    assert ReciprocalRank().per_list(lists, scores).tolist() == [1 / 2, 1]
    assert ReciprocalRank(1).per_list(lists, scores).tolist() == [0, 1]
    assert ReciprocalRank(relevant=2, empty="zero").per_list(lists, scores) == pytest.approx([1 / 3, 0])


@pytest.mark.parametrize(("size", "relevant"), [(300, 1), (300, 2), (1000, 40), (1000, 999)])
@pytest.mark.parametrize("k", [None, 10])
def test_a_long_tied_list(size, relevant, k):
    """Of n tied documents r are relevant: the first of them stands at p with probability C(n - p, r - 1) / C(n, r)."""
    lists, scores = as_lists([[(n % size < relevant, 0) for n in range(size)]])
    depth = min(k or size, size - relevant + 1)
    expected = sum(Fraction(comb(size - p, relevant - 1), comb(size, relevant) * p) for p in range(1, depth + 1))
    assert ReciprocalRank(k).per_list(lists, scores) == pytest.approx([float(expected)], rel=1e-12)
