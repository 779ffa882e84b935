import pytest

from eval.metrics import RankBiasedPrecision
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Relevant at 1 and 3: (1 - p)(1 + p^2)."""
    lists, scores = as_lists([[(1, 9), (0, 8), (2, 7)]])
    assert RankBiasedPrecision().per_list(lists, scores) == pytest.approx([0.2 * (1 + 0.64)], rel=1e-12)
    assert RankBiasedPrecision(p=0.5).per_list(lists, scores) == pytest.approx([0.5 * 1.25], rel=1e-12)
    assert RankBiasedPrecision(2, p=0.5).per_list(lists, scores) == pytest.approx([0.5], rel=1e-12)
    assert RankBiasedPrecision(relevant=2, p=0.5).per_list(lists, scores) == pytest.approx([0.125], rel=1e-12)
    assert RankBiasedPrecision(p=0.5).contract["p"] == "0.5"
