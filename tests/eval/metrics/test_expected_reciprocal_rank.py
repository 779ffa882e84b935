import pytest

from eval.metrics import ExpectedReciprocalRank
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """With top = 2 labels 2, 0, 1 stop the reader with 3/4, 0 and 1/4."""
    lists, scores = as_lists([[(2, 9), (0, 8), (1, 7)]])
    expected = 3 / 4 + 1 / 4 * 1 / 4 / 3
    assert ExpectedReciprocalRank(top=2).per_list(lists, scores) == pytest.approx([expected], rel=1e-12)
    assert ExpectedReciprocalRank(2, top=2).per_list(lists, scores) == pytest.approx([3 / 4], rel=1e-12)
    higher = 3 / 16 + 13 / 16 * 1 / 16 / 3
    assert ExpectedReciprocalRank(top=4).per_list(lists, scores) == pytest.approx([higher], rel=1e-12)


def test_the_highest_label_is_that_of_the_data_if_none_is_named():
    lists, scores = as_lists([[(1, 0)], [(1, 0)]], [[], [2.0]])
    assert ExpectedReciprocalRank().settled(lists).top == 2
    assert ExpectedReciprocalRank().per_list(lists, scores).tolist() == [1 / 4, 1 / 4]
    assert ExpectedReciprocalRank(top=4).settled(lists).top == 4


def test_huge_labels_do_not_overflow():
    lists, scores = as_lists([[(3000, 1), (2999, 0)]])
    assert ExpectedReciprocalRank().per_list(lists, scores) == pytest.approx([1], rel=1e-12)


def test_a_label_above_the_highest_is_refused():
    with pytest.raises(ValueError, match=r"err@5\(top=3.*\): label 4 is above top=3; choose a higher one"):
        ExpectedReciprocalRank(5, 3).per_list(*as_lists([[(4, 0)]]))
