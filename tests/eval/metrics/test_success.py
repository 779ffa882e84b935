from fractions import Fraction
from math import comb

import pytest

from eval.metrics import Success
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    lists, scores = as_lists([[(0, 9), (1, 8), (2, 7)], [(0, 1)]], [[], [1.0]])
    assert [Success(k).per_list(lists, scores).tolist() for k in (1, 2, None)] == [[0, 0], [1, 0], [1, 0]]


def test_a_long_tied_list():
    """Of 50 tied documents below 3 others 7 are relevant, and 7 of the 50 stand in the first 10."""
    lists, scores = as_lists([[(0, 1)] * 3 + [(1, 0)] * 7 + [(0, 0)] * 43])
    expected = 1 - Fraction(comb(43, 7), comb(50, 7))
    assert Success(10).per_list(lists, scores) == pytest.approx([float(expected)], rel=1e-12)
