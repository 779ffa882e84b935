import pytest

from eval.metrics import Precision
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Relevant at 1 and 3; divided by k also where the list is shorter."""
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7)]])
    found = [float(Precision(k).per_list(lists, scores)[0]) for k in (1, 2, 3, 4)]
    assert found == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4], rel=1e-12)
    assert Precision(3, relevant=2).per_list(lists, scores) == pytest.approx([1 / 3], rel=1e-12)
