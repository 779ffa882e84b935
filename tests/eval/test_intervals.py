import hashlib
import math

import numpy as np
import pytest
from scipy import stats

from eval.intervals import BootstrapSums, bootstrap_interval, poisson_weights


def ids(count, prefix="q"):
    return np.array([f"{prefix}{number}" for number in range(count)], dtype=object)


def test_weights_are_poisson_1():
    weights = poisson_weights(ids(2000), draws=500, seed=1)
    assert weights.dtype == np.uint8
    n = weights.size
    # Five standard errors; the variance of (w - 1)^2 under Poisson(1) is its fourth central moment 4 less 1.
    assert abs(weights.mean() - 1) < 5 * math.sqrt(1 / n)
    assert abs(((weights - 1.0) ** 2).mean() - 1) < 5 * math.sqrt(3 / n)
    counts = np.bincount(np.minimum(weights.ravel(), 8), minlength=9)
    expected = n * np.append(stats.poisson.pmf(np.arange(8), 1), stats.poisson.sf(7, 1))
    assert stats.chisquare(counts, expected, sum_check=False).pvalue > 1e-4


def test_weights_of_queries_draws_and_seeds_are_uncorrelated():
    weights = poisson_weights(ids(400), draws=400, seed=1).astype(float)
    other = poisson_weights(ids(400), draws=400, seed=2).astype(float)
    pairs = [(weights, other), (weights[1:], weights[:-1]), (weights[:, 1:], weights[:, :-1])]
    for one, two in pairs:
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 5 / math.sqrt(one.size)


def test_a_weight_depends_on_query_draw_and_seed_only():
    whole = poisson_weights(ids(10), draws=50, seed=3)
    np.testing.assert_array_equal(poisson_weights(ids(10)[::-1], draws=50, seed=3), whole[::-1])
    np.testing.assert_array_equal(poisson_weights(["q7"], draws=20, seed=3), whole[7:8, :20])
    assert np.any(poisson_weights(ids(10), draws=50, seed=4) != whole)


def test_weights_are_the_documented_streams():
    """splitmix64 and blake2b, written out here in Python's integers: the same weights in every process, for good."""
    seed = 11
    for query in ("q1", "q2", "é"):
        state = int.from_bytes(
            hashlib.blake2b(query.encode(), digest_size=8, key=seed.to_bytes(8, "little")).digest(), "little"
        )
        expected = []
        for _ in range(300):
            state = (state + 0x9E3779B97F4A7C15) % 2**64
            mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
            uniform = ((mixed ^ (mixed >> 31)) >> 32) / 2**32
            expected.append(int(stats.poisson.ppf(uniform + 2**-34, 1)))  # ppf(0) is -1
        assert poisson_weights([query], draws=300, seed=seed)[0].tolist() == expected


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
    intervals = BootstrapSums.of(values, ids(100), draws=1000).intervals(0.95)
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


def test_halves_add_up_to_the_whole():
    values = np.random.default_rng(7).uniform(size=(1001, 2))
    values[::10, 1] = np.nan
    whole = BootstrapSums.of(values, ids(1001))
    halves = BootstrapSums.of(values[:400], ids(1001)[:400]) + BootstrapSums.of(values[400:], ids(1001)[400:])
    for one, two in zip(whole.intervals(), halves.intervals(), strict=True):
        assert one.n_lists == two.n_lists
        assert (one.mean, one.low, one.high) == pytest.approx((two.mean, two.low, two.high), rel=1e-12)


def test_parts_of_other_draws_do_not_add_up():
    values = np.zeros((3, 1))
    with pytest.raises(ValueError, match="seeds 0 and 1"):
        BootstrapSums.of(values, ids(3), seed=0) + BootstrapSums.of(values, ids(3), seed=1)
    with pytest.raises(ValueError, match="same seed, draws and series"):
        BootstrapSums.of(values, ids(3), draws=10) + BootstrapSums.of(values, ids(3), draws=20)


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
        ([0.0, 1.0, 2.0], {}, "for 2 query ids"),
    ],
)
def test_wrong_requests_are_refused(values, options, says):
    with pytest.raises(ValueError, match=says):
        bootstrap_interval(np.array(values), ids(2), **options)
