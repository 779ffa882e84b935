import itertools

import numpy as np
import pytest
from scipy import stats

from eval.compare import paired_differences, paired_t_test, randomisation_test
from eval.sums import Sums


def sums_of(*series, draws=1):
    values = np.array(series, dtype=np.float64).T.reshape(-1, len(series))
    return Sums.of(values, np.array([f"q{i}" for i in range(len(values))], dtype=object), draws)


def test_t_agrees_with_scipy():
    random = np.random.default_rng(1)
    one, two = random.normal(size=40), random.normal(0.3, size=40)
    gaps = np.where(np.arange(40) % 4 == 0, np.nan, one - two)
    expected = [stats.ttest_rel(one, two).pvalue, stats.ttest_1samp(gaps, 0, nan_policy="omit").pvalue]
    assert paired_t_test(sums_of(one - two, gaps)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [([0.5], np.nan), ([0.5, np.nan], np.nan), ([0.0, 0.0], 1.0), ([0.5, 0.5], 0.0), ([-1.0, 1.0], 1.0)],
)
def test_degenerate_differences(differences, p_value):
    np.testing.assert_array_equal(paired_t_test(sums_of(differences)), [p_value])


def test_randomisation_agrees_with_all_signs():
    """Of 2^10 signs all can be tried; 20,000 draws have a standard error of at most 0.0036."""
    differences = np.random.default_rng(2).normal(0.4, size=10)
    every = np.array(list(itertools.product([-1, 1], repeat=10))) @ differences
    exact = np.mean(np.abs(every) >= abs(differences.sum()) * (1 - 1e-12))
    assert 0.01 < exact < 0.9
    assert randomisation_test(sums_of(differences, draws=20_000))[0] == pytest.approx(exact, abs=0.018)


def test_randomisation_agrees_with_scipy():
    differences = np.random.default_rng(3).normal(0.2, size=80)
    theirs = stats.permutation_test(
        (differences, np.zeros(80)), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples",
        n_resamples=20_000, vectorized=True, rng=np.random.default_rng(0),
    ).pvalue  # fmt: skip
    assert randomisation_test(sums_of(differences, draws=20_000))[0] == pytest.approx(theirs, abs=0.02)


def test_randomisation_never_says_zero():
    assert randomisation_test(sums_of(np.ones(50), draws=99))[0] == 0.01
    assert randomisation_test(sums_of(np.zeros(5), draws=99))[0] == 1
    assert np.isnan(randomisation_test(sums_of([np.nan, np.nan], draws=9))[0])


def test_differences_within_rounding_are_zero():
    values, baseline = np.array([0.1 + 0.2, 0.5, np.nan, 0.7]), np.array([0.3, 0.25, np.nan, np.nan])
    np.testing.assert_array_equal(paired_differences(values, baseline), [0, 0.25, np.nan, np.nan])
