"""Against all orders of tied documents one by one, with scikit-learn's Jaccard and SciPy's cosine distance."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine
from sklearn.metrics import jaccard_score

from eval.content import ContentLists
from eval.lists import Lists
from eval.metrics import IntraListDiversity
from tests.eval.metrics.reference import orders

VALUES = "abcd"


def jaccard_distance(left, right):
    """1 for two empty sets is scikit-learn's `zero_division`."""
    flags = [[value in one for value in VALUES] for one in (left, right)]
    return 1 - jaccard_score(*flags, zero_division=1)


def cosine_distance(left, right):
    if not any(left) or not any(right):
        return float(any(left) != any(right))
    return cosine(left, right)


def expected(contents, scores, k, distance):
    """The mean distance of pairs among the first k, averaged over all orders."""
    table = [[distance(left, right) for right in contents] for left in contents]
    means = []
    for order in orders([(0, score) for score in scores]):
        pairs = list(itertools.combinations(order[:k], 2))
        means.append(sum(table[left][right] for left, right in pairs) / len(pairs))
    return sum(means) / len(means)


def found(column, scores, k, **options):
    lists = Lists(np.array(["q"]), np.array([0, len(scores)]), np.zeros(len(scores)))
    metric = IntraListDiversity(k, by="what", **options)
    return metric.per_list(ContentLists.of(lists, {"what": column}), np.array(scores, np.float64))[0]


@settings(deadline=None, max_examples=60)
@given(
    documents=st.lists(st.tuples(st.frozensets(st.sampled_from(VALUES)), st.integers(0, 2)), min_size=2, max_size=6),
    k=st.none() | st.integers(2, 7),
)
def test_sets(documents, k):
    sets, scores = zip(*documents, strict=True)
    column = pa.array([sorted(one) for one in sets], pa.list_(pa.string()))
    assert found(column, scores, k) == pytest.approx(expected(sets, scores, k, jaccard_distance), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    documents=st.lists(st.tuples(st.tuples(*[st.integers(-3, 3)] * 3), st.integers(0, 2)), min_size=2, max_size=6),
    k=st.none() | st.integers(2, 7),
)
def test_vectors(documents, k):
    vectors, scores = zip(*documents, strict=True)
    column = pa.array([list(map(float, one)) for one in vectors], pa.list_(pa.float32(), 3))
    assert found(column, scores, k) == pytest.approx(expected(vectors, scores, k, cosine_distance), abs=1e-12)


def test_categories_by_hand():
    """saw, saw, rake: of three pairs two differ; of the first two none."""
    kinds = pa.array(["saw", "saw", "rake", "hoe"])
    assert [found(kinds, [4, 3, 2, 1], k) for k in (2, 3, 4)] == pytest.approx([0, 2 / 3, 5 / 6])
    assert found(pa.array(["saw", "saw"]), [0, 0], 10) == 0
    assert found(pa.array([["a", "b"], ["b", "c"]]), [0, 0], 10) == pytest.approx(1 - 1 / 3)


def test_documents_without_a_value():
    """They are alike and differ from all others, or are refused."""
    kinds = pa.array(["saw", None, None])
    assert found(kinds, [3, 2, 1], 3) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match=r"expected a value of 'what' for document 1 \(from 0\) of query 'q'"):
        found(kinds, [3, 2, 1], 3, missing="error")
    assert found(pa.array(["saw", "hoe"]), [3, 2], 3, missing="error") == 1


def test_one_document_has_no_distance():
    with pytest.raises(ValueError, match="the cutoff must be at least 2, got 1"):
        IntraListDiversity(1, by="what")
    assert np.isnan(found(pa.array(["saw"]), [1.0], 3))


def test_long_lists_of_many_sets_are_counted_in_parts():
    """200 lists of 150 documents: more sets than one chunk holds; each list by itself."""
    random = np.random.default_rng(2)
    rows = [sorted({VALUES[place] for place in random.integers(0, 4, 3)}) for _ in range(200 * 150)]
    lists = Lists(np.arange(200), np.arange(0, 200 * 150 + 1, 150), np.zeros(len(rows)))
    content = ContentLists.of(lists, {"what": pa.array(rows)})
    values = IntraListDiversity(by="what").per_list(content, np.zeros(len(rows)))
    flags = np.array([[value in row for value in VALUES] for row in rows], np.float64)
    for at in (0, 77, 199):
        own = flags[at * 150 : (at + 1) * 150]
        common = own @ own.T
        either = own.sum(axis=1)[:, None] + own.sum(axis=1) - common
        assert values[at] == pytest.approx((1 - common / either)[np.triu_indices(150, 1)].mean(), rel=1e-12)
