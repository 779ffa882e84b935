"""What holds for every metric that reads what documents are about."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.content import ContentLists
from eval.lists import Lists
from eval.metrics import CONTENT_METRICS, parse_metric
from eval.metrics.options import options_of
from eval.ranking import rank

# One document: its label, its score, its set of values.
document = st.tuples(st.integers(0, 1), st.integers(0, 2), st.frozensets(st.sampled_from("abc")))
many_lists = st.lists(st.lists(document, max_size=8), min_size=1, max_size=6)
NAMES = sorted(CONTENT_METRICS)


def of(name, k=3, **options):
    pairs = ",".join(f"{key}={value}" for key, value in {"by": "kind", **options}.items())
    return parse_metric(f"{name}{'' if k is None else f'@{k}'}({pairs})")


def as_lists(lists):
    flat = [document for one in lists for document in one]
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    ids = np.array([f"d{place}" for place in range(len(flat))], dtype=object)
    plain = Lists(np.arange(len(lists)), offsets, np.array([label for label, _, _ in flat], np.float64), ids)
    kinds = pa.array([sorted(values) for _, _, values in flat], pa.list_(pa.string()))
    return ContentLists.of(plain, {"kind": kinds}), np.array([score for _, score, _ in flat], np.float64)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [2, 3, None])
@settings(deadline=None, max_examples=40)
@given(lists=many_lists)
def test_batch_equals_one_list_at_a_time(name, k, lists):
    alone = [of(name, k).per_list(*as_lists([one]))[0] for one in lists]
    np.testing.assert_allclose(of(name, k).per_list(*as_lists(lists)), alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(lists=many_lists, random=st.randoms(use_true_random=False))
def test_order_of_documents_is_immaterial(name, lists, random):
    shuffled = [random.sample(one, len(one)) for one in lists]
    found, again = (of(name).per_list(*as_lists(which)) for which in (lists, shuffled))
    np.testing.assert_allclose(found, again, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(lists=many_lists)
def test_without_a_figure_exactly_where_undefined(name, lists):
    batch, scores = as_lists(lists)
    for k in (2, None):
        found = of(name, k).per_list(batch, scores)
        np.testing.assert_array_equal(np.isnan(found), of(name, k).undefined(batch))
        assert np.all((found >= 0) | np.isnan(found))
        np.testing.assert_array_equal(of(name, k, empty="zero").per_list(batch, scores), np.nan_to_num(found))


@pytest.mark.parametrize("name", NAMES)
def test_slices_of_lists_and_documents_keep_their_figures(name):
    random = np.random.default_rng(1)
    kinds = [frozenset(random.choice(list("abc"), size=2).tolist()) for _ in range(60)]
    rows = [(int(random.integers(2)), int(random.integers(5)), kind) for kind in kinds]
    batch, scores = as_lists([rows[:20], rows[20:], []])
    some, documents = batch.select(np.array([False, True, False]))
    assert of(name).per_list(some, scores[documents]) == pytest.approx(of(name).per_list(batch, scores)[[1]], rel=1e-12)
    kept = random.random(60) < 0.5
    left = [[row for row, keep in zip(part, of_part, strict=True) if keep]
            for part, of_part in ((rows[:20], kept[:20]), (rows[20:], kept[20:]))]  # fmt: skip
    expected = of(name).per_list(*as_lists([*left, []]))
    np.testing.assert_allclose(of(name).per_list(batch.keep(kept), scores[kept]), expected, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "lists",
    [
        pytest.param([], id="no list"),
        pytest.param([[]], id="no document"),
        pytest.param([[(1, 0, {"a"})]], id="one document"),
        pytest.param([[(1, 0, set())] * 3], id="nothing known"),
        pytest.param([[(0, 0, {"a"})] * 3], id="none relevant"),
        pytest.param([[(1, 0, {"a", "b"})] * 3], id="all the same"),
        pytest.param([[(1, 1e308, {"a"}), (0, -1e308, {"b"})] * 40, [], [(1, 0, {"a"})] * 2], id="long and short"),
    ],
)
@pytest.mark.parametrize("k", [2, 10**12, None])
def test_edges(name, lists, k):
    batch, scores = as_lists(lists)
    found = of(name, k).per_list(batch, scores)
    assert (found.dtype, found.shape) == (np.float64, (len(lists),))
    np.testing.assert_array_equal(np.isfinite(found), ~of(name, k).undefined(batch))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_is_named(name):
    batch, scores = as_lists([[(1, 1, {"a"}), (1, 0, {"b"})]])
    with pytest.raises(ValueError, match=rf"{name}@2\(by=shop\) needs 'shop' of each document, and the lists"):
        of(name, 2, by="shop").per_list(batch, scores)
    plain = Lists(batch.query_ids, batch.offsets, batch.labels)
    with pytest.raises(ValueError, match="the lists know nothing of theirs; add the column"):
        of(name, 2).per_list(plain, scores)


@pytest.mark.parametrize("name", NAMES)
def test_parses_prints_and_says_its_contract(name):
    metric = of(name, 5, ties="docid")
    assert str(metric) == f"{name}@5(by=kind,ties=docid)"
    assert metric.needs == {"document_ids", "content kind"}
    assert metric.columns == ("kind",)
    assert metric.higher_is_better
    assert set(options_of(type(metric))) <= set(metric.contract)
    with pytest.raises(ValueError, match=f"{name}: needs the column that it looks at, such as {name}@7"):
        parse_metric(f"{name}@7")
    with pytest.raises(ValueError, match="ties must be one of average, stable, docid, got 'optimistic'"):
        of(name, ties="optimistic")


@pytest.mark.parametrize("name", NAMES)
def test_order_of_ties_that_are_broken(name):
    """By the list itself, and by falling id: the last documents stand first."""
    documents = [(1, 0, {"a"}), (1, 0, {"b"}), (1, 0, {"a"}), (1, 0, {"a"})]
    batch, scores = as_lists([documents])
    listed, backwards = (np.arange(4.0)[::step] for step in (-1, 1))
    assert of(name, 2, ties="stable").per_list(batch, scores) == of(name, 2).per_list(batch, listed)
    assert of(name, 2, ties="docid").per_list(batch, scores) == of(name, 2).per_list(batch, backwards)
    assert of(name, 2).per_list(batch, listed) != of(name, 2).per_list(batch, backwards)
    ranking = rank(batch, scores)
    assert of(name, 2).values(ranking) == of(name, 2).per_list(batch, scores)
    assert not math.isnan(of(name, 2).values(ranking)[0])
