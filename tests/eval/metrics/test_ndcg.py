import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from eval.lists import Lists
from eval.metrics import NDCG

# One list: (label, score) per document; few scores, so that ties are common, and exact in floating point.
documents = st.tuples(st.integers(0, 4), st.integers(-3, 3))
one_list = st.lists(documents, min_size=1, max_size=8)
many_lists = st.lists(one_list, min_size=1, max_size=6)
cutoffs = st.one_of(st.none(), st.integers(1, 10))


def as_lists(lists):
    """Lists and scores of nested (label, score) pairs."""
    flat = np.array([pair for one in lists for pair in one], dtype=np.float64).reshape(-1, 2)
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    return Lists(np.array([f"q{i}" for i in range(len(lists))]), offsets, flat[:, 0].copy()), flat[:, 1].copy()


def dcg(labels, k):
    return sum((2**label - 1) / math.log2(place + 1) for place, label in enumerate(labels[:k], start=1))


def brute_force(one, k):
    """Mean NDCG over every order of the documents in which scores do not rise."""
    ideal = dcg(sorted((label for label, _ in one), reverse=True), k)
    if ideal == 0:
        return math.nan
    orders = [o for o in itertools.permutations(one) if all(a[1] >= b[1] for a, b in itertools.pairwise(o))]
    return sum(dcg([label for label, _ in order], k) for order in orders) / len(orders) / ideal


def test_by_hand():
    """Labels 3 and 1, the worse document first: (1 / log2 2 + 7 / log2 3) / (7 / log2 2 + 1 / log2 3)."""
    lists, scores = as_lists([[(3, 1), (1, 2)]])
    expected = (1 + 7 / math.log2(3)) / (7 + 1 / math.log2(3))
    assert NDCG().per_list(lists, scores) == pytest.approx([expected], rel=1e-12)
    assert NDCG(1).per_list(lists, scores) == pytest.approx([1 / 7], rel=1e-12)
    linear = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert NDCG(gain="linear").per_list(lists, scores) == pytest.approx([linear], rel=1e-12)


@pytest.mark.parametrize("k", [1, 3, 10, None])
@pytest.mark.parametrize("levels", [3, 10, 10**6])
def test_agrees_with_scikit_learn(k, levels):
    random = np.random.default_rng(levels)
    labels, scores = random.integers(0, 5, size=(300, 23)), random.integers(0, levels, size=(300, 23)) / 8
    lists, flat = as_lists(np.stack([labels, scores], axis=2).tolist())
    expected = [
        ndcg_score([2.0**label - 1], [score], k=k, ignore_ties=False)
        for label, score in zip(labels, scores, strict=True)
    ]
    np.testing.assert_allclose(NDCG(k).per_list(lists, flat), expected, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(st.lists(documents, min_size=1, max_size=6), cutoffs)
def test_ties_are_the_mean_over_all_orders(one, k):
    assert NDCG(k).per_list(*as_lists([one])) == pytest.approx([brute_force(one, k)], abs=1e-12, nan_ok=True)


@given(one_list, cutoffs, st.randoms(use_true_random=False))
def test_order_of_documents_is_immaterial(one, k, random):
    shuffled = random.sample(one, len(one))
    np.testing.assert_allclose(
        NDCG(k).per_list(*as_lists([one])), NDCG(k).per_list(*as_lists([shuffled])), rtol=1e-12, atol=0
    )


@given(many_lists, cutoffs)
def test_only_the_order_of_scores_counts(lists, k):
    batch, scores = as_lists(lists)
    transformed = scores**3 * 1e100 + scores
    np.testing.assert_array_equal(NDCG(k).per_list(batch, scores), NDCG(k).per_list(batch, transformed))


@given(many_lists, cutoffs)
def test_in_range_and_nan_exactly_without_relevant_document(lists, k):
    batch, scores = as_lists(lists)
    found = NDCG(k).per_list(batch, scores)
    np.testing.assert_array_equal(np.isnan(found), [all(label == 0 for label, _ in one) for one in lists])
    assert np.all((found >= 0) & (found <= 1) | np.isnan(found))


@given(many_lists, cutoffs)
def test_scores_equal_to_labels_are_ideal(lists, k):
    batch, _ = as_lists(lists)
    found = NDCG(k).per_list(batch, batch.labels)
    np.testing.assert_allclose(found[~batch.empty], 1.0, rtol=1e-12)


@given(many_lists, cutoffs)
def test_batch_equals_one_list_at_a_time(lists, k):
    alone = [NDCG(k).per_list(*as_lists([one]))[0] for one in lists]
    np.testing.assert_allclose(NDCG(k).per_list(*as_lists(lists)), alone, rtol=1e-12, atol=0)


@pytest.mark.parametrize("k", [1, 2, 100, 10**12, None])
@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param([(2, 0)], lambda k: 1, id="one document"),
        pytest.param([(0, 0)], lambda k: math.nan, id="one document, not relevant"),
        pytest.param([(0, 1), (0, 2)], lambda k: math.nan, id="no relevant document"),
        pytest.param([(1, 0), (1, 0)], lambda k: 1, id="all ties, equal labels"),
        # Half of the orders put the relevant document first.
        pytest.param([(1, 0), (0, 0)], lambda k: 1 / 2 if k == 1 else (1 + 1 / math.log2(3)) / 2, id="all ties"),
        pytest.param([(0, -1e308), (1, 1e308)], lambda k: 1, id="huge scores"),
        pytest.param([(0, 5e-324), (1, 0)], lambda k: 0 if k == 1 else 1 / math.log2(3), id="tiny scores"),
    ],
)
def test_edges(one, expected, k):
    assert NDCG(k).per_list(*as_lists([one])) == pytest.approx([expected(k)], rel=1e-12, nan_ok=True)


def test_lists_without_documents():
    assert np.isnan(NDCG(3).per_list(*as_lists([[], []]))).tolist() == [True, True]
    assert NDCG(3).per_list(*as_lists([[], [(1, 0)]])) == pytest.approx([math.nan, 1], nan_ok=True)
    assert NDCG(3).per_list(*as_lists([])).shape == (0,)


def test_an_open_gain_is_settled_by_the_largest_label():
    small, large = as_lists([[(10, 0)]])[0], as_lists([[(10.5, 0)]])[0]
    assert NDCG(5).settled(small) == NDCG(5, "exp2")
    assert NDCG(5).settled(large) == NDCG(5, "linear")
    assert NDCG(5, "exp2").settled(large) == NDCG(5, "exp2")
    lists, scores = as_lists([[(20, 1), (40, 2)], [(5, 1), (10, 0)]])
    np.testing.assert_array_equal(NDCG(1).per_list(lists, scores), [40 / 40, 5 / 10])
    np.testing.assert_array_equal(NDCG(1, "linear").per_list(lists, scores), [40 / 40, 5 / 10])


def test_contract_names_the_gain():
    assert NDCG(5, "linear").contract == {"gain": "linear", "ties": "average", "empty": "skip", "ideal": "listed"}
    assert "linear once a label exceeds 10" in NDCG(5).contract["gain"]


def test_overflowing_gains_are_refused():
    lists, scores = as_lists([[(2000, 0)]])
    with pytest.raises(
        ValueError, match=r"ndcg@5\(gain=exp2\): 2\^label overflows for label 2000; write ndcg@5\(gain=li"
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
