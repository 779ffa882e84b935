import numpy as np
import pytest

from eval.lists import Lists
from eval.ranking import rank


def tied_lists():
    """Scores from the top: one of id b, then a tied group of ids 10, 9, c; then a list of two, tied."""
    labels = np.array([1.0, 5.0, 0.0, 3.0, 2.0, 2.0])
    ids = np.array(["10", "b", "9", "c", "x", "y"])
    lists = Lists(np.array(["q0", "q1"]), np.array([0, 4, 6]), labels, document_ids=ids)
    return lists, rank(lists, np.array([1.0, 5.0, 1.0, 1.0, 2.0, 2.0]))


def test_order_and_ties(make_lists):
    ranking = rank(make_lists([0, 0, 0], [], [0, 0]), np.array([1.0, 2.0, 1.0, 1.0, 0.0]))
    assert ranking.order[0] == 1
    assert ranking.order[3:].tolist() == [3, 4]
    assert ranking.tied.tolist() == [False, False, True, False, False]  # equal scores of two lists are no tie


def test_minus_zero_ties_with_zero(make_lists):
    assert rank(make_lists([0, 0]), np.array([0.0, -0.0])).tied.tolist() == [False, True]


def test_groups_of_tied_documents():
    groups = tied_lists()[1].groups
    assert (groups.slots.tolist(), groups.ragged.sizes.tolist(), groups.firsts.tolist()) == (
        [1, 2, 3, 4, 5],
        [3, 2],
        [1, 4],
    )


def test_expected_value_is_the_mean_of_the_tie_group(make_lists):
    lists = make_lists([0, 0, 0, 0], [0, 0], [0, 0])
    ranking = rank(lists, np.array([1.0, 5.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0]))
    values = np.array([3.0, 10.0, 5.0, 1.0, 7.0, 8.0, 20.0, 30.0])
    mean = (3 + 5 + 1) / 3
    expected = [10, mean, mean, mean, 7.5, 7.5, 20, 30]
    assert ranking.expected(values[ranking.order]).tolist() == expected
    untied = rank(lists, np.arange(8.0))
    np.testing.assert_array_equal(untied.expected(values), values)


@pytest.mark.parametrize("k", [1, 2, 3, 5, None])
def test_expected_values_of_the_first_positions_need_no_look_below(k):
    random = np.random.default_rng(k or 0)
    sizes = random.integers(0, 9, size=60)
    offsets = np.cumsum([0, *sizes])
    lists = Lists(np.arange(60), offsets, np.zeros(offsets[-1]))
    ranking = rank(lists, random.integers(0, 3, size=offsets[-1]).astype(np.float64))
    values = random.normal(size=offsets[-1])
    asked = []

    def value_of(documents):
        asked.extend(documents.tolist())
        return values[documents]

    top, found = ranking.expected_first(k, value_of)
    cut, slots = lists.ragged.first(k)
    np.testing.assert_array_equal(top.offsets, cut.offsets)
    np.testing.assert_allclose(found, ranking.expected(values[ranking.order])[slots], rtol=1e-12)
    beyond = np.setdiff1d(ranking.order, ranking.order[slots])
    assert (len(np.intersect1d(asked, beyond)) < len(beyond)) == (k is not None)


@pytest.mark.parametrize(
    ("ties", "order"),
    [
        ("stable", [1, 0, 2, 3, 4, 5]),
        ("docid", [1, 3, 2, 0, 5, 4]),  # c, 9, 10 as text
        ("optimistic", [1, 3, 0, 2]),
        ("pessimistic", [1, 2, 0, 3]),
    ],
)
def test_policies_for_ties(ties, order):
    _, ranking = tied_lists()
    broken = ranking.by(ties)
    assert broken.order[: len(order)].tolist() == order
    assert not broken.tied.any()
    assert ranking.by(ties) is broken  # computed once
    assert ranking.by("average") is ranking
    assert broken.by("average") is broken


def test_ids_of_any_type_compare_as_text():
    lists, _ = tied_lists()
    numbers = np.array([10, 7, 9, 100, 1, 2])
    for ids in (numbers, numbers.astype(str).astype(object)):
        with_ids = Lists(lists.query_ids, lists.offsets, lists.labels, document_ids=ids)
        order = rank(with_ids, np.array([1.0, 5.0, 1.0, 1.0, 2.0, 2.0])).by("docid").order
        assert order.tolist() == [1, 2, 3, 0, 5, 4]  # 9, 100, 10


def test_breaking_ties_by_id_needs_ids(make_lists):
    with pytest.raises(ValueError, match="ties=docid needs document ids"):
        rank(make_lists([0, 0]), np.array([1.0, 2.0])).by("docid")


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
