import numpy as np
import pytest

from eval.lists import Lists
from eval.metrics import Judged


def test_by_hand():
    """Of the documents in the first k positions, also where the list is shorter; a tie at the cutoff is averaged."""
    judged = np.array([True, False, True, False, False])
    lists = Lists(np.array(["a", "b", "c"]), np.array([0, 4, 5, 5]), np.zeros(5), judged=judged)
    scores = np.array([9.0, 8.0, 7.0, 7.0, 1.0])
    found = {k: Judged(k).per_list(lists, scores) for k in (1, 3, 9, None)}
    assert {k: values[:2].tolist() for k, values in found.items()} == {
        1: [1, 0],
        3: [(1 + 1 / 2) / 3, 0],
        9: [2 / 4, 0],
        None: [2 / 4, 0],
    }
    assert all(np.isnan(values[2]) for values in found.values())
    assert Judged(3, ties="stable").per_list(lists, scores)[0] == pytest.approx(2 / 3)


def test_all_are_judged_where_nothing_else_is_known():
    lists = Lists(np.array(["a"]), np.array([0, 2]), np.zeros(2))
    assert Judged(1).per_list(lists, np.zeros(2)).tolist() == [1]
