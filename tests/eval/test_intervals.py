import math

import numpy as np
import pytest
from scipy import stats

from eval.intervals import bootstrap_interval, bootstrap_intervals, t_intervals
from eval.sums import Sums


def ids(count, prefix="q"):
    return np.array([f"{prefix}{number}" for number in range(count)], dtype=object)


def test_interval_is_close_to_the_multinomial_bootstrap_of_scipy():
    values = np.random.default_rng(2).exponential(size=300)
    ours = bootstrap_interval(values, ids(300), draws=4000, seed=1)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.mean == pytest.approx(values.mean(), rel=1e-12)
    assert ours.n_lists == 300
    # An end of 4000 draws has a standard error of about 1% of the width; both sides have one.
    assert ours.low == pytest.approx(theirs.low, abs=0.06 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.06 * width)


def test_interval_is_close_to_the_normal_interval():
    values = np.random.default_rng(3).normal(size=2000)
    ours = bootstrap_interval(values, ids(2000), confidence=0.9, draws=4000)
    half = stats.norm.ppf(0.95) * values.std() / math.sqrt(2000)
    assert ours.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert ours.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_coverage_on_normal_data():
    """1000 samples of 100 values of mean 0, as 1000 series: the share of intervals over 0 is near 0.95.

    The percentile interval on 100 values covers about 0.94; three standard errors of 1000 trials are 0.022.
    """
    values = np.random.default_rng(4).normal(size=(100, 1000))
    intervals = bootstrap_intervals(Sums.of(values, ids(100), draws=1000), 0.95)
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert 0.915 < covered < 0.97


def test_lists_without_a_value_are_left_out():
    values = np.random.default_rng(5).normal(size=60)
    values[::3] = np.nan
    kept = ~np.isnan(values)
    gaps, dense = bootstrap_interval(values, ids(60)), bootstrap_interval(values[kept], ids(60)[kept])
    assert gaps.n_lists == dense.n_lists == 40
    assert (gaps.mean, gaps.low, gaps.high) == pytest.approx((dense.mean, dense.low, dense.high), rel=1e-12)


def test_order_of_lists_is_immaterial():
    random = np.random.default_rng(6)
    values, order = random.uniform(size=3000), random.permutation(3000)
    one, two = bootstrap_interval(values, ids(3000)), bootstrap_interval(values[order], ids(3000)[order])
    assert (one.mean, one.low, one.high) == pytest.approx((two.mean, two.low, two.high), rel=1e-12)


def test_a_series_of_differences_is_paired():
    """A constant shift is known without error, however much the values vary."""
    values = np.random.default_rng(8).normal(size=50) * 100
    shift = bootstrap_interval((values + 0.25) - values, ids(50))
    assert (shift.mean, shift.low, shift.high) == pytest.approx((0.25, 0.25, 0.25), rel=1e-9)
    flipped = bootstrap_interval(-values, ids(50))
    straight = bootstrap_interval(values, ids(50))
    assert (-flipped.low, -flipped.high) == pytest.approx((straight.high, straight.low), rel=1e-9)


def test_one_list_gives_its_value():
    one = bootstrap_interval(np.array([0.5]), ids(1))
    assert (one.mean, one.low, one.high, one.n_lists) == (0.5, 0.5, 0.5, 1)


@pytest.mark.parametrize(
    ("values", "options", "says"),
    [
        ([np.nan, np.nan], {}, "expected lists with a value, got 0"),
        ([0.0, 1.0], {"confidence": 95}, "between 0 and 1, such as 0.95, got 95"),
        ([0.0, 1.0], {"draws": 0}, "draws >= 1"),
        ([0.0, 1.0], {"seed": -1}, "0 <= seed"),
        ([0.0, 1.0, 2.0], {}, "for 2 lists"),
    ],
)
def test_wrong_requests_are_refused(values, options, says):
    with pytest.raises(ValueError, match=says):
        bootstrap_interval(np.array(values), ids(2), **options)


def test_t_intervals_are_those_of_scipy():
    values = np.random.default_rng(9).normal(0.3, size=(12, 3))
    values[::2, 1] = np.nan
    for series, interval in enumerate(t_intervals(Sums.of(values, ids(12), draws=1), 0.9)):
        there = values[~np.isnan(values[:, series]), series]
        expected = stats.ttest_1samp(there, 0).confidence_interval(0.9)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
        assert interval.n_lists == len(there)
    (alone,) = t_intervals(Sums.of(np.ones((1, 1)), ids(1), draws=1))
    assert (alone.mean, alone.low, alone.high) == (1, -math.inf, math.inf)
