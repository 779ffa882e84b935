import math

import pytest

from eval.metrics import AUC
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Relevant, not, relevant, not from the top: 3 of the 4 pairs are right."""
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7), (0, 6)], [(1, 0), (2, 0)], [(2, 0), (0, 0), (0, 1)]])
    assert AUC().per_list(lists, scores) == pytest.approx([3 / 4, math.nan, 1 / 4], nan_ok=True)
    assert AUC(relevant=2).per_list(lists, scores) == pytest.approx([1 / 3, 1 / 2, 1 / 4], rel=1e-12)
    assert AUC(empty="one").per_list(lists, scores)[1] == 1
