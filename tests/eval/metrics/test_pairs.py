from itertools import combinations

import numpy as np
import pytest

from eval.metrics.pairs import different_pairs, pairs_in_order
from eval.ragged import Ragged


def ragged_codes(levels):
    random = np.random.default_rng(levels)
    ragged = Ragged.of_sizes(np.array([0, 1, *random.integers(0, 60, size=80), 0]))
    return ragged, random.integers(0, levels, size=ragged.offsets[-1])


@pytest.mark.parametrize("levels", [1, 2, 5, 200])
def test_pairs_in_order_are_those_of_two_loops(levels):
    ragged, codes = ragged_codes(levels)
    expected = [sum(a > b for a, b in combinations(row.tolist(), 2)) for row in np.split(codes, ragged.offsets[1:-1])]
    assert pairs_in_order(ragged, codes).tolist() == expected


@pytest.mark.parametrize("levels", [1, 2, 5, 200])
def test_different_pairs_are_those_of_two_loops(levels):
    ragged, codes = ragged_codes(levels)
    expected = [sum(a != b for a, b in combinations(row.tolist(), 2)) for row in np.split(codes, ragged.offsets[1:-1])]
    assert different_pairs(ragged, ragged.falling(codes.astype(np.float64))).tolist() == expected


def test_one_long_row():
    """Falling numbers: every pair is in order, 20 million of them do not overflow the block."""
    ragged = Ragged.of_sizes(np.array([200_000]))
    assert pairs_in_order(ragged, np.arange(200_000)[::-1]).tolist() == [200_000 * 199_999 // 2]
