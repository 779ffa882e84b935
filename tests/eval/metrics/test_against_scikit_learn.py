import numpy as np
import pytest
from sklearn import metrics as sklearn

from eval.metrics import parse_metric
from tests.eval.metrics.reference import as_lists


def lists_of(levels, seed=7, size=17):
    random = np.random.default_rng(seed)
    labels, scores = random.integers(0, 5, size=(200, size)), random.integers(0, levels, size=(200, size)) / 8
    labels[0] = 0
    return labels, scores, *as_lists(np.stack([labels, scores], axis=2).tolist())


@pytest.mark.parametrize("levels", [1, 5, 10**6])
@pytest.mark.parametrize("k", [1, 4, 100, None])
def test_cumulated_gain_with_ties_averaged(levels, k):
    """Its contract: linear gain, ties averaged, 0 without a relevant document."""
    labels, scores, lists, flat = lists_of(levels)
    cutoff = "" if k is None else f"@{k}"
    rows = list(zip(labels[:, None], scores[:, None], strict=True))
    found = parse_metric(f"ndcg{cutoff}", "scikit-learn").per_list(lists, flat)
    expected = [sklearn.ndcg_score(label, score, k=k, ignore_ties=False) for label, score in rows]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    found = parse_metric(f"dcg{cutoff}", "scikit-learn").per_list(lists, flat)
    expected = [sklearn.dcg_score(label, score, k=k, ignore_ties=False) for label, score in rows]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("levels", [1, 5, 10**6])
@pytest.mark.parametrize("relevant", [1, 3])
def test_area_under_the_roc_curve_with_ties_averaged(levels, relevant):
    labels, scores, lists, flat = lists_of(levels)
    found = parse_metric(f"auc(relevant={relevant})").per_list(lists, flat)
    both = [0 < np.sum(label >= relevant) < len(label) for label in labels]
    assert 150 < sum(both) < 200
    np.testing.assert_array_equal(~np.isnan(found), both)
    expected = [sklearn.roc_auc_score(labels[at] >= relevant, scores[at]) for at in np.flatnonzero(both)]
    np.testing.assert_allclose(found[both], expected, rtol=0, atol=1e-9)


def test_average_precision_and_reciprocal_rank_without_ties():
    """scikit-learn takes tied documents in one step, which is another policy."""
    labels, scores, lists, flat = lists_of(10**9)
    expected = [sklearn.average_precision_score(label > 0, score) for label, score in zip(labels, scores, strict=True)
                if label.any()]  # fmt: skip
    np.testing.assert_allclose(parse_metric("map").per_list(lists, flat)[1:], expected, rtol=0, atol=1e-9)
    one = np.zeros_like(labels)
    one[np.arange(200), labels.argmax(axis=1)] = 1  # with one relevant document it is the reciprocal rank
    lists, flat = as_lists(np.stack([one, scores], axis=2).tolist())
    expected = sklearn.label_ranking_average_precision_score(one, scores)
    assert np.mean(parse_metric("mrr").per_list(lists, flat)) == pytest.approx(expected, abs=1e-9)
