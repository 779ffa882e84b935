import math

import numpy as np
import pytest

from eval.metrics import DCG
from tests.eval.metrics.reference import as_lists


def test_by_hand():
    """Label 1, then 3, then 2."""
    lists, scores = as_lists([[(3, 2), (1, 3), (2, 1)]])
    assert DCG().per_list(lists, scores) == pytest.approx([1 + 7 / math.log2(3) + 3 / 2], rel=1e-12)
    assert DCG(2).per_list(lists, scores) == pytest.approx([1 + 7 / math.log2(3)], rel=1e-12)
    assert DCG(2, "linear").per_list(lists, scores) == pytest.approx([1 + 3 / math.log2(3)], rel=1e-12)
    assert DCG(2, "0:5:6:10").per_list(lists, scores) == pytest.approx([5 + 10 / math.log2(3)], rel=1e-12)


def test_a_label_without_a_gain_is_not_relevant():
    """In this table only labels from 2 on count; a tie of label 0 and 1 is then no matter."""
    lists, scores = as_lists([[(0, 0), (1, 0)], [(0, 0), (2, 0)]], [[2.0], []])
    metric = DCG(gain="0:0:4")
    assert metric.undefined(lists).tolist() == [False, False]
    assert DCG(gain="0:0:4", ideal="listed").undefined(lists).tolist() == [True, False]
    assert metric.per_list(lists, scores) == pytest.approx([0, 2 + 2 / math.log2(3)], rel=1e-12)


def test_a_label_without_a_place_in_the_table_is_refused():
    lists, scores = as_lists([[(3, 0)]])
    says = r"dcg@5\(gain=0:1:3.*\): label 3 is not in the table of gains 0:1:3, which has whole labels from 0 to 2"
    with pytest.raises(ValueError, match=says):
        DCG(5, "0:1:3").per_list(lists, scores)


def test_tiny_labels_have_a_gain():
    lists, scores = as_lists([[(1e-20, 0)]])
    np.testing.assert_allclose(DCG(gain="exp2").per_list(lists, scores), [1e-20 * math.log(2)], rtol=1e-12)
