"""What holds for every metric with one figure per list."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.lists import Lists
from eval.metrics import METRICS, parse_metric
from eval.metrics.options import options_of
from eval.ranking import rank
from tests.eval.metrics.reference import METRICS as REFERENCE
from tests.eval.metrics.reference import as_lists, orders, summary

# One list: (label, score) per document; few scores, so that ties are common, and exact in floating point.
documents = st.tuples(st.integers(0, 3), st.integers(0, 2))
short_list = st.lists(documents, min_size=1, max_size=5)
one_list = st.lists(documents, min_size=1, max_size=9)
many_lists = st.lists(st.lists(documents, max_size=9), min_size=1, max_size=7)
labels_beside = st.lists(st.integers(0, 3), max_size=3)
OPTIONS = {"err": "top=3"}


def of(name, k=None, **options):
    """The metric, with a cutoff if it takes one."""
    cutoff = "" if k is None or not METRICS[name].takes_cutoff else f"@{k}"
    pairs = ",".join([*OPTIONS.get(name, "").split(), *(f"{key}={value}" for key, value in options.items())])
    return parse_metric(f"{name}{cutoff}" + (f"({pairs})" if pairs else ""))


def cutoffs(name):
    """All cutoffs that a metric takes, to 7."""
    kind = METRICS[name]
    return [*([] if kind.needs_cutoff else [None]), *(range(1, 8) if kind.takes_cutoff else [])]


CASES = [pytest.param(name, k, id=f"{name}@{k}") for name in METRICS for k in cutoffs(name) if k in (None, 1, 3)]
IN_UNIT_INTERVAL = sorted(set(METRICS) - {"dcg", "arp"})


def test_every_metric_has_a_reference():
    assert set(REFERENCE) == set(METRICS) - {"judged"}


@pytest.mark.parametrize("name", REFERENCE)
@settings(deadline=None, max_examples=40)
@given(one=short_list, beside=st.none() | labels_beside)
def test_every_policy_for_ties_is_what_it_says_over_all_orders(name, one, beside):
    """The mean, the best and the worst of all orders of tied documents, and the order of the list itself."""
    lists, scores = as_lists([one], None if beside is None else [beside])
    known = [label for label, _ in one] + (beside or [])
    for k in cutoffs(name):
        try:
            values = [REFERENCE[name]([one[number][0] for number in order], known, k) for order in orders(one)]
        except ZeroDivisionError:
            values = [math.nan]
        if name not in ("arp", "pair_accuracy", "auc") and not any(known):
            values = [math.nan]
        expected = summary(values, METRICS[name].higher_is_better)
        found = {ties: float(of(name, k, ties=ties).per_list(lists, scores)[0]) for ties in expected}
        assert found == pytest.approx(expected, abs=1e-12, nan_ok=True), (k, values)


@pytest.mark.parametrize("name", REFERENCE)
def test_ties_by_document_id(name):
    """Like trec_eval: by falling id as text, so that "9" stands above "10", and capitals below small letters."""
    ids, labels = ["10", "9", "b", "B"], [1.0, 0.0, 3.0, 2.0]
    lists = Lists(np.array(["q"]), np.array([0, 4]), np.array(labels), document_ids=np.array(ids, dtype=object))
    k = 2 if METRICS[name].takes_cutoff else None
    expected = REFERENCE[name]([3.0, 2.0, 0.0, 1.0], labels, k)
    assert of(name, k, ties="docid").per_list(lists, np.zeros(4)) == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize(("name", "k"), CASES)
@settings(deadline=None, max_examples=30)
@given(lists=many_lists)
def test_optimistic_is_no_worse_than_average_and_pessimistic_no_better(name, k, lists):
    if "optimistic" not in METRICS[name].choices["ties"]:
        return
    batch, scores = as_lists(lists)
    best, average, worst = (
        of(name, k, ties=ties).per_list(batch, scores) for ties in ("optimistic", "average", "pessimistic")
    )
    sign = 1 if METRICS[name].higher_is_better else -1
    for better, other in ((best, average), (average, worst)):
        assert np.all((sign * (better - other) >= -1e-12) | np.isnan(better))


@pytest.mark.parametrize(("name", "k"), CASES)
@settings(deadline=None, max_examples=30)
@given(one=one_list, random=st.randoms(use_true_random=False))
def test_order_of_documents_is_immaterial(name, k, one, random):
    shuffled = random.sample(one, len(one))
    found, again = (of(name, k).per_list(*as_lists([documents])) for documents in (one, shuffled))
    np.testing.assert_allclose(found, again, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "k"), CASES)
@settings(deadline=None, max_examples=30)
@given(lists=many_lists)
def test_only_the_order_of_scores_counts(name, k, lists):
    batch, scores = as_lists(lists)
    transformed = scores**3 * 1e100 + scores
    np.testing.assert_array_equal(of(name, k).per_list(batch, scores), of(name, k).per_list(batch, transformed))


@pytest.mark.parametrize(("name", "k"), CASES)
@settings(deadline=None, max_examples=30)
@given(lists=many_lists, beside=st.data())
def test_batch_equals_one_list_at_a_time(name, k, lists, beside):
    others = [beside.draw(labels_beside) for _ in lists]
    metric = of(name, k).settle(3.0, qrels=True)
    alone = [metric.per_list(*as_lists([one], [more]))[0] for one, more in zip(lists, others, strict=True)]
    np.testing.assert_allclose(metric.per_list(*as_lists(lists, others)), alone, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("name", "k"), CASES)
@settings(deadline=None, max_examples=30)
@given(lists=many_lists)
def test_in_range_and_without_a_figure_exactly_where_undefined(name, k, lists):
    batch, scores = as_lists(lists)
    found = of(name, k).per_list(batch, scores)
    np.testing.assert_array_equal(np.isnan(found), of(name, k).undefined(batch))
    assert np.all((found >= 0) & (found <= (1 if name in IN_UNIT_INTERVAL else np.inf)) | np.isnan(found))


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"arp", "judged", "auc", "pair_accuracy"}))
@pytest.mark.parametrize("beside", [False, True])
def test_undefined_without_a_relevant_document(name, beside):
    """Where documents beside the list are known, one that is relevant defines the metric, at 0."""
    batch, scores = as_lists([[(0, 0), (0, 1)], [(1, 0)], []], [[2.0], [], [0.0]] if beside else None)
    assert of(name, 2).undefined(batch).tolist() == [not beside, False, True]
    assert of(name, 2).per_list(batch, scores)[0] == pytest.approx(0 if beside else math.nan, nan_ok=True)
    assert math.isnan(of(name, 2, ideal="listed").per_list(batch, scores)[0])


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"arp", "judged"}))
def test_empty_lists(name):
    batch, scores = as_lists([[(0, 0), (0, 1)], [(1, 1), (0, 0)]])
    choices = METRICS[name].choices["empty"]
    found = {empty: of(name, 2, empty=empty).per_list(batch, scores) for empty in choices}
    assert [found[empty][0] for empty in choices] == pytest.approx([math.nan, 0, 1][: len(choices)], nan_ok=True)
    assert all(values[1] > 0 for values in found.values())
    assert choices == (("skip", "zero") if name == "dcg" else ("skip", "zero", "one"))


@pytest.mark.parametrize("name", [name for name in METRICS if "missing" in METRICS[name].choices])
def test_missing_queries(name):
    """q0 has a relevant document and is missing, q1 is missing without one, q2 is there."""
    batch, scores = as_lists([[], [], [(1, 0)]], [[1.0], [0.0], []])
    assert batch.missing.tolist() == [True, True, False]
    found = of(name, 1).per_list(batch, scores)
    assert found[:2] == pytest.approx([0, math.nan], nan_ok=True)
    assert found[2] > 0
    assert np.isnan(of(name, 1, missing="skip").per_list(batch, scores)).tolist() == [True, True, False]
    assert of(name, 1, empty="zero").per_list(batch, scores)[:2].tolist() == [0, 0]
    assert np.isnan(of(name, 1, missing="skip", empty="zero").per_list(batch, scores)[:2]).all()
    with pytest.raises(ValueError, match=rf"{name}.*: 2 queries are missing from the run, the first 'q0'; choose"):
        of(name, 1, missing="error").per_list(batch, scores)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    "lists",
    [
        pytest.param([], id="no list"),
        pytest.param([[]], id="no document"),
        pytest.param([[(1, 0)]], id="one document"),
        pytest.param([[(0, 0)] * 3], id="all tied, none relevant"),
        pytest.param([[(2, 0)] * 3], id="all tied, all the same"),
        pytest.param([[(1, 1e308), (0, -1e308), (3, 5e-324)]], id="huge and tiny scores"),
        pytest.param([[(0, 2), (3, 2)] * 40, [], [(1, 0)]], id="long and short"),
    ],
)
@pytest.mark.parametrize("k", [1, 10**12, None])
def test_edges(name, lists, k):
    k = 1 if METRICS[name].needs_cutoff and k is None else k
    batch, scores = as_lists(lists)
    metric = of(name, k)
    found = metric.per_list(batch, scores)
    assert (found.dtype, found.shape) == (np.float64, (len(lists),))
    np.testing.assert_array_equal(np.isfinite(found), ~metric.undefined(batch))


@pytest.mark.parametrize("name", METRICS)
def test_a_ranking_serves_all_metrics_and_is_not_changed(name):
    random = np.random.default_rng(3)
    lists, scores = as_lists([list(zip(*random.integers(0, 4, (2, 30)), strict=True)) for _ in range(20)])
    ranking = rank(lists, scores)
    order = ranking.order.copy()
    for ties, k in itertools.product(METRICS[name].choices["ties"], cutoffs(name)):
        if ties != "docid":
            metric = of(name, k, ties=ties)
            np.testing.assert_array_equal(metric.values(ranking), metric.per_list(lists, scores))
    np.testing.assert_array_equal(ranking.order, order)
    np.testing.assert_array_equal(ranking.labels, lists.labels[order])


@pytest.mark.parametrize("name", METRICS)
def test_ids_are_asked_for_where_they_break_ties(name):
    metric = of(name, 1, ties="docid")
    assert metric.needs == {"document_ids"}
    assert of(name, 1).needs == frozenset()
    with pytest.raises(ValueError, match="ties=docid needs document ids, and the lists have none"):
        metric.per_list(*as_lists([[(1, 0), (0, 1)]]))


@pytest.mark.parametrize("name", METRICS)
def test_the_contract_names_every_option(name):
    metric = of(name, 1)
    options = set(METRICS[name].from_options(metric.k, {}).contract)
    assert options == set(options_of(type(metric)))
    assert metric.contract["ties"] == "average"
    assert METRICS[name].higher_is_better == (name != "arp")
    settled = metric.settle(2.0, qrels=False).contract
    assert settled.get("ideal", "listed") == "listed"
    assert "missing" not in settled  # without qrels no query is known to be missing
    assert metric.settle(2.0, qrels=True).contract.get("ideal", "judged") == "judged"
