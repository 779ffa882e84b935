"""What holds for every metric of a whole run."""

import itertools
import pickle

import numpy as np
import pytest

from eval.lists import Lists
from eval.metrics import RUN_METRICS, Catalogue, parse_run_metric
from eval.ranking import rank

ITEMS = np.array([f"i{number}" for number in range(40)])
CATALOGUE = Catalogue(ITEMS, np.arange(40.0))


def run(queries, seed=0, levels=10**6, taste=1.0):
    """Lists of 0 to 8 documents; items of low number come up more often."""
    random = np.random.default_rng(seed)
    odds = np.arange(1, 41.0) ** -taste
    ids = [
        random.choice(ITEMS, size=size, replace=False, p=odds / odds.sum())
        for size in random.integers(0, 9, size=queries)
    ]
    offsets = np.cumsum([0, *map(len, ids)])
    lists = Lists(np.arange(queries), offsets, np.zeros(offsets[-1]), document_ids=np.concatenate(ids))
    return lists, random.integers(0, levels, size=offsets[-1]).astype(np.float64)


@pytest.mark.parametrize("name", RUN_METRICS)
@pytest.mark.parametrize("levels", [2, 10**6])
def test_parts_add_up_to_the_whole(name, levels):
    metric = parse_run_metric(f"{name}@3")
    lists, scores = run(30, levels=levels)
    ranking = rank(lists, scores)
    at_once = metric.part(ranking, CATALOGUE)
    value, pseudo_values = metric.value(at_once), metric.pseudo_values(ranking, CATALOGUE, at_once)
    whole, parts = None, []
    for start, end in [(0, 11), (11, 12), (12, 30)]:
        chosen = (np.arange(30) >= start) & (np.arange(30) < end)
        part, documents = lists.select(chosen)
        parts.append(rank(part, scores[documents]))
        whole = metric.part(parts[-1], CATALOGUE) if whole is None else whole + metric.part(parts[-1], CATALOGUE)
    assert metric.value(whole) == pytest.approx(value, rel=1e-12)
    again = np.concatenate([metric.pseudo_values(part, CATALOGUE, whole) for part in parts])
    np.testing.assert_allclose(again, pseudo_values, rtol=1e-9)


@pytest.mark.parametrize("name", RUN_METRICS)
@pytest.mark.parametrize("levels", [1, 2, 10**6])
def test_numbers_of_lists_have_the_figure_as_their_mean(name, levels):
    lists, scores = run(40, levels=levels)
    value, contributions = parse_run_metric(f"{name}@4").measure(rank(lists, scores), CATALOGUE)
    assert contributions.shape == (40,)
    assert np.isfinite(contributions).sum() == (np.sum(lists.sizes > 0) if name == "novelty" else 40)
    assert np.nanmean(contributions) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("name", RUN_METRICS)
def test_the_spread_of_these_numbers_is_that_of_the_figure(name):
    """Over 150 runs of other queries: their standard deviation, and the standard error that each run gives itself.

    The jackknife is known to give too much rather than too little.
    """
    metric = parse_run_metric(f"{name}@3")
    values, errors = [], []
    for seed in range(150):
        value, contributions = metric.measure(rank(*run(60, seed=seed, taste=1.5)), CATALOGUE)
        there = contributions[~np.isnan(contributions)]
        values.append(value)
        errors.append(there.std(ddof=1) / np.sqrt(len(there)))
    assert 0.9 < np.mean(errors) / np.std(values, ddof=1) < 1.4


@pytest.mark.parametrize("name", RUN_METRICS)
@pytest.mark.parametrize("levels", [1, 3, 10**6])
def test_pseudo_values_are_those_of_leaving_each_list_out(name, levels):
    metric = parse_run_metric(f"{name}@3")
    lists, scores = run(25, seed=2, levels=levels)
    there = lists.sizes > 0
    if name == "novelty":  # which leaves out lists without documents
        lists, documents = lists.select(there)
        scores = scores[documents]
    n_lists = len(lists)
    without = []
    for number in range(n_lists):
        others, documents = lists.select(np.arange(n_lists) != number)
        without.append(metric.measure(rank(others, scores[documents]), CATALOGUE)[0])
    ranking = rank(lists, scores)
    whole = metric.part(ranking, CATALOGUE)
    found = metric.pseudo_values(ranking, CATALOGUE, whole)
    np.testing.assert_allclose(found, n_lists * metric.value(whole) - (n_lists - 1) * np.array(without), rtol=1e-9)


@pytest.mark.parametrize("name", RUN_METRICS)
def test_policies_for_ties(name):
    """Documents of list 0 are tied, one is shown: any, the first, or the one with the highest id."""
    ids = np.array(["i1", "i5", "i30", "i5"])
    lists = Lists(np.arange(2), np.array([0, 3, 4]), np.zeros(4), document_ids=ids)
    scores = np.array([1.0, 1.0, 1.0, 0.0])

    def value(text, top):
        if top is None:
            return parse_run_metric(text).measure(rank(lists, scores), CATALOGUE)[0]
        return parse_run_metric(text).measure(rank(lists, scores + (ids == top)), CATALOGUE)[0]

    assert value(f"{name}@1(ties=stable)", None) == value(f"{name}@1", "i1")
    assert value(f"{name}@1(ties=docid)", None) == value(f"{name}@1(ties=stable)", "i5")
    if name != "gini":
        every = [value(f"{name}@1(ties=stable)", top) for top in ("i1", "i5", "i30")]
        assert value(f"{name}@1", None) == pytest.approx(np.mean(every), rel=1e-12)


@pytest.mark.parametrize("name", RUN_METRICS)
def test_order_of_lists_and_documents_is_immaterial(name):
    lists, scores = run(20, levels=3)
    value, contributions = parse_run_metric(f"{name}@2").measure(rank(lists, scores), CATALOGUE)
    random = np.random.default_rng(1)
    shuffled = [random.permutation(row) for row in np.split(np.arange(len(scores)), lists.offsets[1:-1])]
    backwards = list(reversed(shuffled))
    documents = np.concatenate(backwards)
    again = Lists(
        np.arange(20)[::-1],
        np.cumsum([0, *map(len, backwards)]),
        np.zeros(len(scores)),
        document_ids=lists.document_ids[documents],
    )
    found, others = parse_run_metric(f"{name}@2").measure(rank(again, scores[documents]), CATALOGUE)
    assert found == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(others[::-1], contributions, rtol=1e-9)


@pytest.mark.parametrize(("name", "offsets"), list(itertools.product(RUN_METRICS, ([0], [0, 0, 0]))))
def test_runs_that_show_nothing(name, offsets):
    ids = np.zeros(0, dtype=str)
    lists = Lists(np.arange(len(offsets) - 1), np.array(offsets), np.zeros(0), document_ids=ids)
    value, contributions = parse_run_metric(f"{name}@2").measure(rank(lists, np.zeros(0)), CATALOGUE)
    assert contributions.shape == (len(lists),)
    assert value == 0 if name == "coverage" else np.isnan(value)


@pytest.mark.parametrize("name", RUN_METRICS)
def test_direction_needs_and_contract(name):
    metric = parse_run_metric(f"{name}@2")
    assert metric.higher_is_better == (name != "gini")
    assert metric.needs == {"document_ids"} | ({"popularity"} if name == "novelty" else set())
    assert metric.columns == (("popularity",) if name == "novelty" else ())
    own = {"popularity": "popularity", "smoothing": "1"} if name == "novelty" else {}
    assert metric.contract == {"ties": "average"} | own


@pytest.mark.parametrize("name", ["coverage", "gini"])
@pytest.mark.parametrize("levels", [1, 3, 10**6])
def test_units_are_left_out_as_a_whole(name, levels):
    """Brute force: the figure without all lists of a unit; NaN beside the first list of each."""
    metric = parse_run_metric(f"{name}@3")
    lists, scores = run(24, seed=4, levels=levels)
    units = np.random.default_rng(1).permutation(np.arange(24) % 9)
    ranking = rank(lists, scores)
    whole = metric.part(ranking, CATALOGUE, units)
    assert metric.value(whole) == pytest.approx(metric.measure(ranking, CATALOGUE)[0], rel=1e-12)
    expected = np.full(24, np.nan)
    for unit in range(9):
        others, documents = lists.select(units != unit)
        without = metric.measure(rank(others, scores[documents]), CATALOGUE)[0]
        expected[np.flatnonzero(units == unit)[0]] = 9 * metric.value(whole) - 8 * without
    np.testing.assert_allclose(metric.pseudo_values(ranking, CATALOGUE, whole, units), expected, rtol=1e-9)


def test_lists_of_a_unit_do_not_hide_each_other():
    """Ten users with two equal lists each of items of their own: no list adds anything, but each user does."""
    ids = np.repeat(ITEMS[:10], 2)
    lists = Lists(np.arange(20), np.arange(21), np.zeros(20), document_ids=ids)
    ranking, units = rank(lists, np.zeros(20)), np.repeat(np.arange(10), 2)
    metric = parse_run_metric("coverage@1")
    assert np.ptp(metric.measure(ranking, CATALOGUE)[1]) == 0
    assert metric.pseudo_values(ranking, CATALOGUE, metric.part(ranking, CATALOGUE)).tolist() == [0.25] * 20
    values = metric.pseudo_values(ranking, CATALOGUE, metric.part(ranking, CATALOGUE, units), units)
    np.testing.assert_allclose(values[::2], 0.25 + 9 / 40)


@pytest.mark.parametrize("name", RUN_METRICS)
def test_a_mean_needs_no_units_and_units_of_one_list_are_lists(name):
    metric = parse_run_metric(f"{name}@3")
    lists, scores = run(15, seed=5, levels=3)
    ranking = rank(lists, scores)
    value, alone = metric.measure(ranking, CATALOGUE)
    again, of_units = metric.measure(ranking, CATALOGUE, np.arange(15))
    assert again == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(of_units, alone, rtol=1e-9)


@pytest.mark.parametrize("name", RUN_METRICS)
def test_items_that_no_list_holds_count(name):
    """Four more items without a name are as good as four with one that nobody has chosen."""
    lists, scores = run(15, seed=6)
    named = Catalogue(np.append(ITEMS, ["x1", "x2", "x3", "x4"]), np.append(np.arange(40.0), np.zeros(4)))
    unnamed = pickle.loads(pickle.dumps(Catalogue(ITEMS, np.arange(40.0), 4)))
    metric = parse_run_metric(f"{name}@3")
    assert len(named) == len(unnamed) == 44
    (one, values), (other, others) = (metric.measure(rank(lists, scores), all_of) for all_of in (named, unnamed))
    assert one == pytest.approx(other, rel=1e-12)
    np.testing.assert_allclose(values, others, rtol=1e-9)
    assert one != pytest.approx(metric.measure(rank(lists, scores), CATALOGUE)[0])
