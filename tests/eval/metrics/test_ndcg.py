import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import NDCG
from tests.eval.metrics.reference import as_lists

# One list: (label, score) per document; few scores, so that ties are common, and exact in floating point.
documents = st.tuples(st.integers(0, 4), st.integers(-3, 3))
many_lists = st.lists(st.lists(documents, min_size=1, max_size=8), min_size=1, max_size=6)
cutoffs = st.one_of(st.none(), st.integers(1, 10))


def test_by_hand():
    """Labels 3 and 1, the worse document first: (1 / log2 2 + 7 / log2 3) / (7 / log2 2 + 1 / log2 3)."""
    lists, scores = as_lists([[(3, 1), (1, 2)]])
    expected = (1 + 7 / math.log2(3)) / (7 + 1 / math.log2(3))
    assert NDCG().per_list(lists, scores) == pytest.approx([expected], rel=1e-12)
    assert NDCG(1).per_list(lists, scores) == pytest.approx([1 / 7], rel=1e-12)
    linear = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert NDCG(gain="linear").per_list(lists, scores) == pytest.approx([linear], rel=1e-12)
    table = (2 + 5 / math.log2(3)) / (5 + 2 / math.log2(3))
    assert NDCG(gain="0:2:2:5").per_list(lists, scores) == pytest.approx([table], rel=1e-12)


def test_the_ideal_is_of_all_judged_documents_or_of_the_listed():
    """Label 1 is listed, at 1; labels 2 and 0 are judged and not listed."""
    lists, scores = as_lists([[(1, 0)]], [[0.0, 2.0]])
    assert NDCG().per_list(lists, scores) == pytest.approx([1 / (3 + 1 / math.log2(3))], rel=1e-12)
    assert NDCG(1).per_list(lists, scores) == pytest.approx([1 / 3], rel=1e-12)
    assert NDCG(ideal="listed").per_list(lists, scores) == pytest.approx([1], rel=1e-12)
    alone, scores = as_lists([[(1, 0)]])  # where nothing else is known the two are one
    assert NDCG(ideal="judged").per_list(alone, scores).tolist() == [1]


@given(many_lists, cutoffs)
def test_scores_equal_to_labels_are_ideal(lists, k):
    batch, _ = as_lists(lists)
    found = NDCG(k).per_list(batch, batch.labels)
    np.testing.assert_allclose(found[~batch.empty], 1.0, rtol=1e-12)


def test_an_open_gain_is_settled_by_the_largest_label():
    small, large = as_lists([[(10, 0)]])[0], as_lists([[(10.5, 0)]])[0]
    beside = as_lists([[(1, 0)]], [[11.0]])[0]
    assert NDCG(5).settled(small) == NDCG(5, "exp2", ideal="listed")
    assert NDCG(5).settled(large) == NDCG(5, "linear", ideal="listed")
    assert NDCG(5).settled(beside) == NDCG(5, "linear", ideal="judged")
    assert NDCG(5, "exp2").settled(large) == NDCG(5, "exp2", ideal="listed")
    assert NDCG(5).settle(11.0, qrels=False) == NDCG(5).settled(large)  # for data in parts
    lists, scores = as_lists([[(20, 1), (40, 2)], [(5, 1), (10, 0)]])
    np.testing.assert_array_equal(NDCG(1).per_list(lists, scores), [40 / 40, 5 / 10])
    np.testing.assert_array_equal(NDCG(1, "linear").per_list(lists, scores), [40 / 40, 5 / 10])


def test_contract_names_the_choices():
    listed = {"ties": "average", "empty": "skip", "ideal": "listed"}
    assert NDCG(5, "linear", ideal="listed").contract == {"gain": "linear", **listed}
    judged = {"gain": "0:1", "ties": "docid", "empty": "zero", "ideal": "judged", "missing": "skip"}
    assert NDCG(5, **judged).contract == judged
    assert "linear once a label exceeds 10" in NDCG(5).contract["gain"]
    assert NDCG(5).contract["ideal"] == "judged where qrels are given, else listed"


def test_overflowing_gains_are_refused():
    lists, scores = as_lists([[(2000, 0)]])
    with pytest.raises(
        ValueError, match=r"ndcg@5\(gain=exp2.*\): 2\^label overflows for label 2000; choose gain=linear"
    ):
        NDCG(5, "exp2").per_list(lists, scores)


def test_one_list_with_huge_gains_leaves_the_others_exact():
    lists, scores = as_lists([[(900, 0), (0, 1)], [(1, 0), (0, 1)]])
    found = NDCG(gain="exp2").per_list(lists, scores)
    assert found == pytest.approx([1 / math.log2(3)] * 2, rel=1e-12)


def test_rounding_does_not_lift_the_ideal_above_1():
    """The mean of three equal gains is a last bit above the gain: unclipped, these lists reach 1 + 2e-16."""
    lists, scores = as_lists([[(level / 10, 0)] * size for level in range(1, 50) for size in range(2, 9)])
    assert NDCG().per_list(lists, scores).max() == 1.0
