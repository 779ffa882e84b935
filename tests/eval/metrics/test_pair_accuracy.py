import math

import pytest
from scipy import stats

from eval.metrics import PairAccuracy
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Labels 1, 0, 2 from the top: of the pairs 1-0, 1-2, 0-2 the first is right."""
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7)], [(1, 0), (0, 0)], [(1, 0), (1, 1)]])
    assert PairAccuracy().per_list(lists, scores) == pytest.approx([1 / 3, 1 / 2, math.nan], nan_ok=True)
    assert PairAccuracy(ties="pessimistic").per_list(lists, scores)[1] == 0


def test_twice_it_less_1_is_somers_d_and_without_ties_kendalls_tau():
    one = [(label * 7 % 5, label * 13 % 11) for label in range(40)]
    lists, scores = as_lists([one])
    expected = stats.somersd([label for label, _ in one], [score for _, score in one]).statistic
    assert 2 * PairAccuracy().per_list(lists, scores) - 1 == pytest.approx([expected], rel=1e-12)
    labels = [label * 7 % 41 for label in range(40)]
    lists, scores = as_lists([list(zip(labels, range(40), strict=True))])
    expected = stats.kendalltau(labels, range(40)).statistic
    assert 2 * PairAccuracy().per_list(lists, scores) - 1 == pytest.approx([expected], rel=1e-12)
