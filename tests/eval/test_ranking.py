import numpy as np
import pytest

from eval.ranking import rank


def test_order_and_ties(make_lists):
    ranking = rank(make_lists([0, 0, 0], [], [0, 0]), np.array([1.0, 2.0, 1.0, 1.0, 0.0]))
    assert ranking.order[0] == 1
    assert ranking.order[3:].tolist() == [3, 4]
    assert ranking.tied.tolist() == [False, False, True, False, False]  # equal scores of two lists are no tie


def test_minus_zero_ties_with_zero(make_lists):
    assert rank(make_lists([0, 0]), np.array([0.0, -0.0])).tied.tolist() == [False, True]


def test_expected_value_is_the_mean_of_the_tie_group(make_lists):
    lists = make_lists([0, 0, 0, 0], [0, 0], [0, 0])
    ranking = rank(lists, np.array([1.0, 5.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0]))
    values = np.array([3.0, 10.0, 5.0, 1.0, 7.0, 8.0, 20.0, 30.0])
    mean = (3 + 5 + 1) / 3
    assert ranking.expected(values).tolist() == [10, mean, mean, mean, 7.5, 7.5, 20, 30]


def test_has_tie_within(make_lists):
    """Scores 9, 8, 8, 7: the tied group holds positions 2 and 3."""
    ranking = rank(make_lists([0, 0, 0, 0], [0], []), np.array([7.0, 8.0, 9.0, 8.0, 1.0]))
    found = {k: ranking.has_tie_within(k).tolist() for k in (1, 2, 3, None)}
    assert found == {1: [False] * 3, 2: [True, False, False], 3: [True, False, False], None: [True, False, False]}


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_finite_number_are_refused(make_lists, score):
    with pytest.raises(ValueError, match=rf"score {score} of document 1 \(from 0\) of query 'q1'"):
        rank(make_lists([0], [1, 0]), np.array([0.0, 1.0, score]))


def test_scores_of_another_shape_or_type_are_refused(make_lists):
    with pytest.raises(ValueError, match=r"expected float64 \(2,\), one per document, got float64 \(3,\)"):
        rank(make_lists([0, 0]), np.zeros(3))
    with pytest.raises(ValueError, match="got float32"):
        rank(make_lists([0, 0]), np.zeros(2, dtype=np.float32))
