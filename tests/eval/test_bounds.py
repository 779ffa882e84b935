"""Simultaneous bounds against resamples written out unit by unit; how often they hold, by simulation."""

import numpy as np
import pytest
from scipy import stats

from eval.bounds import poisson_bounds, simultaneous_bounds, value_size
from eval.intervals import FEWEST_UNITS
from eval.resampling import poisson_weights
from eval.sums import Sums, joined, sums_of_slices


def ids(count, prefix="q"):
    return np.array([f"{prefix}{number}" for number in range(count)], dtype=object)


def mean_and_error(n, x):
    """Of the ratio of x to n, [units] each; the error without the factor of small samples."""
    mean = x.sum() / n.sum()
    return mean, np.sqrt(np.sum((x - mean * n) ** 2)) / n.sum()


def written_out(values, units, draws, seed, confidence):
    """The bounds, by the definition: one series, one draw and one unit at a time."""
    names = sorted(set(units))
    weights = poisson_weights(names, draws, seed)
    sizes, seen, found = [], [], []
    largest = np.full((4, draws), -np.inf)  # studentised and not, upward and downward
    for column in values.T:
        there = ~np.isnan(column)
        x = np.array([column[there & (units == name)].sum() for name in names])
        n = np.array([float((there & (units == name)).sum()) for name in names])
        residuals = x - x.sum() / n.sum() * n
        squares, fourths = np.sum(residuals**2), np.sum(residuals**4)
        sizes.append(np.sqrt(fourths / squares) if squares > 1e-20 else 0.0)
        seen.append(squares)
        mean, error = mean_and_error(n, x)
        found.append((mean, error, n.sum(), np.sum(n > 0)))
        if squares <= 1e-20 or squares**2 / fourths < FEWEST_UNITS:
            continue
        for draw in range(draws):
            of_draw, own = mean_and_error(np.repeat(n, weights[:, draw]), np.repeat(x, weights[:, draw]))
            t = (of_draw - mean) / own if own > 1e-12 else np.sign(of_draw - mean) * np.inf
            t /= np.sqrt(found[-1][3] / (found[-1][3] - 1))
            plain = (of_draw - mean) / error / np.sqrt(found[-1][3] / (found[-1][3] - 1))
            largest[:, draw] = np.maximum(largest[:, draw], [t, plain, -t, -plain])
    studentised_up, plain_up, studentised_down, plain_down = (
        sorted(one)[int(np.ceil(confidence * (draws + 1))) - 1] for one in largest
    )
    bounds = []
    for (mean, error, lists, count), squares, size in zip(found, seen, sizes, strict=True):
        few = squares / max(sizes) ** 2
        reach = (stats.chi2.isf(1 - confidence ** (1 / len(found)), 2 * (few + 1)) / 2 - few) * max(sizes) / lists
        error *= np.sqrt(count / (count - 1))
        low, high = mean - reach, mean + reach
        if size and squares / size**2 >= FEWEST_UNITS:
            low = max(low, mean - max(studentised_up, plain_down) * error)
            high = min(high, mean + max(studentised_down, plain_up) * error)
        bounds.append((low, high))
    return np.array(bounds).T


@pytest.mark.parametrize("clustered", [False, True])
def test_bounds_are_those_of_resamples_written_out(clustered):
    """Four series: skewed, symmetric on some of the lists, with three lists that differ, and without spread."""
    random = np.random.default_rng(0)
    values = np.column_stack(
        [
            -random.random(90) * (random.random(90) < 0.3),
            random.normal(size=90),
            np.where(np.arange(90) < 3, -0.4, 0.0),
            np.zeros(90),
        ]
    )
    values[60:, 1] = np.nan
    units = ids(35, "u")[random.integers(0, 35, 90)] if clustered else ids(90)
    low, high = simultaneous_bounds(Sums.of(values, units, draws=150, seed=5), 0.9)
    assert (low, high) == tuple(pytest.approx(one, rel=1e-9) for one in written_out(values, units, 150, 5, 0.9))


def test_bounds_hold_together():
    """300 samples of 10 means: all lower bounds are below the truth in about 95% (three errors: 0.038)."""
    random, lower, upper = np.random.default_rng(4), 0, 0
    for sample in range(300):
        sums = Sums.of(random.normal(size=(120, 10)), ids(120), draws=300, seed=sample)
        low, high = simultaneous_bounds(sums, 0.95)
        lower += bool((low <= 0).all())
        upper += bool((high >= 0).all())
    assert 0.89 < lower / 300 < 0.985
    assert 0.89 < upper / 300 < 0.985


@pytest.mark.parametrize("lists", [100, 300])
def test_bounds_of_skewed_losses_hold(lists):
    """Ten slices that lose, of a tenth of their lists, 1, 1/2, 1/4 or 1/8: one bound or more fails in 5% of samples.

    Percentile bounds, with one standard error for all draws, fail in 36% and 15%.
    """
    random, wrong = np.random.default_rng(1), 0
    numbers, truth = np.arange(10 * lists).reshape(10, lists), -0.1 * (1 + 0.5 + 0.25 + 0.125) / 4
    for sample in range(120):
        lost = (random.random((10, lists)) < 0.1) * 0.5 ** random.integers(0, 4, (10, lists))
        slices = [(at, -values[:, None]) for at, values in zip(numbers, lost, strict=True)]
        sums = joined(sums_of_slices(slices, ids(10 * lists), draws=200, seed=sample))
        wrong += bool((simultaneous_bounds(sums, 0.95)[0] > truth).any())
    assert wrong / 120 < 0.11


def test_where_nothing_differs_there_is_no_telling_how_far():
    """Of all series alike, the bounds are the mean; with one that differs, a list like it may be anywhere."""
    alike, differs = np.zeros(200), np.where(np.arange(200) < 80, -0.5, 0.5)
    low, high = simultaneous_bounds(Sums.of(np.column_stack([alike, alike]), ids(200)), 0.975)
    assert low.tolist() == high.tolist() == [0, 0]
    low, high = simultaneous_bounds(Sums.of(np.column_stack([alike, differs]), ids(200)), 0.975)
    none_seen = -np.log(1 - np.sqrt(0.975)) / 200  # the chance to see none of so many is exp(-200 share)
    size = stats.moment(differs, 4) / stats.moment(differs, 2)
    assert -low[0] == high[0] == pytest.approx(none_seen * np.sqrt(size))


def test_values_all_alike_are_not_known_to_be_so_everywhere():
    """Of 200 lists with 1 the bound is that of a share of which none was seen; without a size it is the mean."""
    ones = Sums.of(np.ones((200, 1)), ids(200))
    [low], _ = simultaneous_bounds(ones, 0.975, 1.0)
    exact = stats.binomtest(0, 200).proportion_ci(0.95, method="exact").high
    assert exact < 1 - low < 1.05 * exact
    assert [one.tolist() for one in simultaneous_bounds(ones, 0.975)] == [[1], [1]]
    zeros = Sums.of(np.zeros((200, 1)), ids(200))
    assert [one.tolist() for one in simultaneous_bounds(zeros, 0.975, 1.0)] == [[0], [0]]


def test_a_confidence_beyond_the_draws_has_the_bounds_that_need_none():
    sums = Sums.of(np.random.default_rng(4).normal(size=(60, 1)), ids(60), draws=100)
    assert simultaneous_bounds(sums, 0.995) == poisson_bounds(sums, 0.995)
    (low, high), (least, most) = simultaneous_bounds(sums, 0.975), poisson_bounds(sums, 0.975)
    assert least < low < high < most


def test_losses_seen_in_few_lists_have_the_exact_bounds_of_their_number():
    """Two of 300 lists lost wholly; the exact bound of a binomial share (Clopper and Pearson) is a little narrower."""
    values = -(np.arange(300) < 2).astype(float)[:, None]
    [low], _ = simultaneous_bounds(Sums.of(values, ids(300)), 0.975)
    exact = stats.binomtest(2, 300).proportion_ci(0.95, method="exact").high
    assert exact < -low < 1.05 * exact


def test_a_size_that_is_known_widens_bounds_of_few_lists_only():
    values = np.column_stack([-0.01 * (np.arange(300) < 2), np.random.default_rng(2).normal(size=300)])
    few, many = (Sums.of(values[:, [place]], ids(300)) for place in (0, 1))
    assert simultaneous_bounds(few, 0.975, 1.0)[0] < 5 * simultaneous_bounds(few, 0.975)[0] < 0
    assert simultaneous_bounds(many, 0.975, 1.0) == simultaneous_bounds(many, 0.975)


def test_the_size_of_values_is_that_of_large_ones():
    values = np.column_stack([np.where(np.arange(50) < 7, 0.3, 0.0), np.zeros(50), np.r_[1.0, np.full(49, 0.1)]])
    assert value_size(Sums.of(values, ids(50), draws=1)) == pytest.approx(
        [0.3, 0, np.sqrt(stats.moment(values[:, 2], 4, center=0) / stats.moment(values[:, 2], 2, center=0))]
    )


def test_series_below_two_lists_have_no_bounds():
    values = np.column_stack([np.full(30, np.nan), np.r_[1.0, np.full(29, np.nan)], np.arange(30.0)])
    low, high = simultaneous_bounds(Sums.of(values, ids(30)))
    assert np.isnan([low[:2], high[:2]]).all()
    assert low[2] < 14.5 < high[2]
