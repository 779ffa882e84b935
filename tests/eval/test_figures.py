import numpy as np
import pytest
from scipy import stats

from eval.bounds import simultaneous_bounds
from eval.figures import FEWEST_UNITS, deltas, ends, figures
from eval.intervals import bootstrap_interval
from eval.multiplicity import benjamini_hochberg, holm, max_t
from eval.sums import Sums, joined, sums_of_slices


def ids(count):
    return np.array([f"q{number}" for number in range(count)], dtype=object)


@pytest.fixture(scope="module")
def slices():
    """Differences in slices of 60, 40, 10 and 3 lists."""
    values = np.random.default_rng(0).normal(0.1, 1, 113)
    members = np.split(np.arange(113), [60, 100, 110])
    return values, members, sums_of_slices([(lists, values[lists, None]) for lists in members], ids(113), 400)


def test_few_units_have_no_interval():
    values = np.full((FEWEST_UNITS, 2), [1.0, 2.0])
    values[0, 1] = np.nan
    low, none = ends(Sums.of(values, ids(FEWEST_UNITS)), 0.95)
    assert low == (1.0, 1.0)
    assert none == (None, None)


def test_figures_are_means_with_their_intervals_and_counts():
    values = np.random.default_rng(1).random((50, 2))
    values[:10, 1] = np.nan
    first, second = figures(Sums.of(values, ids(50)), np.array([3, 10]), np.array([5, -1]), 0.9)
    interval = bootstrap_interval(values[:, 1], ids(50), 0.9)
    assert second == {
        "mean": pytest.approx(np.nanmean(values[:, 1])),
        "low": interval.low,
        "high": interval.high,
        "lists": 40,
        "empty": 10,
        "tied": None,
    }
    assert (first["lists"], first["empty"], first["tied"]) == (50, 3, 5)


def test_a_family_is_judged_together(slices):
    values, members, sums = slices
    found = deltas(sums, 0.9, min_lists=30)
    p_t = np.array([stats.ttest_1samp(values[lists], 0).pvalue for lists in members])
    assert [delta["p_t"] for delta in found] == pytest.approx(p_t.tolist())
    family = joined(sums[:2])
    low, high = simultaneous_bounds(family, 0.95)
    for place, (adjusted, by_holm, q) in enumerate(
        zip(max_t(family), holm(p_t[:2]), benjamini_hochberg(p_t[:2]), strict=True)
    ):
        delta = found[place]
        assert [delta[name] for name in ("p_adjusted", "p_holm", "q")] == pytest.approx([adjusted, by_holm, q])
        assert (delta["bound_low"], delta["bound_high"]) == pytest.approx((low[place], high[place]))
        assert delta["bound_low"] < delta["low"]
        assert delta["high"] < delta["bound_high"]
    for delta in found[2:]:
        assert delta["p_t"] is not None
        assert {delta[name] for name in ("p_adjusted", "p_holm", "q", "bound_low", "bound_high")} == {None}


def test_families_count_clusters(slices):
    """60 lists of 20 users are too few where 30 are needed, and 40 lists of 40 users are not."""
    values, members, _ = slices
    units = np.array([f"u{number // 3 if number < 60 else number}" for number in range(113)], dtype=object)
    sums = sums_of_slices([(lists, values[lists, None]) for lists in members], units, 400)
    found = deltas(sums, 0.9, min_lists=30)
    assert [delta["lists"] for delta in found] == [60, 40, 10, 3]
    assert [delta["bound_low"] is None for delta in found] == [True, False, True, True]
    assert [delta["q"] is None for delta in found] == [True, False, True, True]


def test_both_sides_of_the_bounds_hold_together():
    """Of a family without a difference, 90% of samples have all zeros between all bounds, or more."""
    random, held = np.random.default_rng(2), 0
    for sample in range(200):
        values = random.normal(size=(60, 6))
        found = deltas([Sums.of(values[:, [place]], ids(60), 300, sample) for place in range(6)], 0.9)
        held += all(delta["bound_low"] <= 0 <= delta["bound_high"] for delta in found)
    assert held / 200 == pytest.approx(0.9, abs=0.05)


def test_no_differences_are_no_family():
    assert deltas([], 0.95) == []


def test_what_is_not_defined_is_none():
    empty = Sums.of(np.full((10, 1), np.nan), ids(10))
    [delta] = deltas([empty], 0.95)
    assert delta.pop("lists") == 0
    assert set(delta.values()) == {None}
