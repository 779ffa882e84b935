import pytest

from eval.metrics import AveragePrecision
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Relevant at 1 and 3, and one more that is not listed."""
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7)]], [[1.0]])
    assert AveragePrecision().per_list(lists, scores) == pytest.approx([(1 + 2 / 3) / 3], rel=1e-12)
    assert AveragePrecision(2).per_list(lists, scores) == pytest.approx([1 / 3], rel=1e-12)
    assert AveragePrecision(ideal="listed").per_list(lists, scores) == pytest.approx([(1 + 2 / 3) / 2], rel=1e-12)
    assert AveragePrecision(relevant=2, ideal="listed").per_list(lists, scores) == pytest.approx([1 / 3], rel=1e-12)


def test_divided_by_what_the_cutoff_lets_in():
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7), (1, 6)]])
    found = {k: float(AveragePrecision(k, norm="reachable").per_list(lists, scores)[0]) for k in (1, 2, 3, 4, None)}
    whole = 1 + 2 / 3 + 3 / 4
    assert found == pytest.approx({1: 1, 2: 1 / 2, 3: (1 + 2 / 3) / 3, 4: whole / 3, None: whole / 3}, rel=1e-12)
