import pytest

from eval.metrics import Recall
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Relevant at 1 and 3, and one more that is not listed."""
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7)]], [[0.0, 1.0]])
    found = [float(Recall(k).per_list(lists, scores)[0]) for k in (1, 2, 3, None)]
    assert found == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3], rel=1e-12)
    assert Recall(2, ideal="listed").per_list(lists, scores).tolist() == [1 / 2]


def test_rounding_does_not_lift_it_above_1():
    """Two thirds three times: unclipped, some of these lists reach 1 + 2e-16."""
    lists, scores = as_lists([[(n < relevant, 0) for n in range(size)] for size in range(2, 30) for relevant in (1, 2)])
    assert Recall().per_list(lists, scores).max() == 1.0
