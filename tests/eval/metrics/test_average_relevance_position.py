import math

import pytest

from eval.metrics import AverageRelevancePosition
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Labels 1, 0, 2 from the top: (1 x 1 + 2 x 3) / 3."""
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7)]])
    assert AverageRelevancePosition().per_list(lists, scores) == pytest.approx([7 / 3], rel=1e-12)


def test_it_looks_at_listed_documents_only():
    lists, scores = as_lists([[(0, 9), (1, 8)], [(0, 1)], []], [[3.0], [1.0], [1.0]])
    found = AverageRelevancePosition().per_list(lists, scores)
    assert found == pytest.approx([2, math.nan, math.nan], nan_ok=True)
