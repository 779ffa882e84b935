"""Adjusted p-values against scipy and brute force; error rates by simulation."""

import numpy as np
import pytest
from scipy import stats

from eval.compare import randomisation_test
from eval.multiplicity import benjamini_hochberg, holm, max_t
from eval.resampling import random_bits, signs, unit_keys
from eval.sums import Sums


def ids(count):
    return np.array([f"q{number}" for number in range(count)], dtype=object)


P_VALUES = np.array([0.01, 0.04, 0.03, 0.005, 0.8, 0.04])


def test_holm_is_the_procedure_step_by_step():
    """As the paper words it: the smallest p times m, the next times m - 1, never falling, at most 1."""
    expected, largest = np.empty(6), 0.0
    for step, test in enumerate(sorted(range(6), key=lambda test: P_VALUES[test])):
        largest = max(largest, P_VALUES[test] * (6 - step))
        expected[test] = min(largest, 1)
    assert holm(P_VALUES) == pytest.approx(expected, rel=1e-12)


def test_benjamini_hochberg_is_that_of_scipy():
    assert benjamini_hochberg(P_VALUES) == pytest.approx(stats.false_discovery_control(P_VALUES), rel=1e-12)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_what_is_not_tested_does_not_count(adjust):
    gaps = np.insert(P_VALUES, [0, 3], np.nan)
    adjusted = adjust(gaps)
    assert np.isnan(adjusted).tolist() == np.isnan(gaps).tolist()
    assert adjusted[~np.isnan(gaps)] == pytest.approx(adjust(P_VALUES), rel=1e-12)
    assert np.isnan(adjust(np.array([np.nan]))).all()
    assert adjust(np.array([])).shape == (0,)


def test_max_t_is_the_procedure_step_by_step():
    values = np.random.default_rng(1).normal([0.5, 0.0, 0.3, 0.1], size=(40, 4))
    values[:15, 1] = np.nan
    sums = Sums.of(values, ids(40), draws=500, seed=2)
    x = np.nan_to_num(values)
    scale = np.sqrt((x**2).sum(axis=0))
    found = np.abs(x.sum(axis=0)) / scale
    drawn = np.abs(signs(random_bits(unit_keys(ids(40), 2), 500)).astype(float).T @ x) / scale
    left, expected, largest = list(np.argsort(-found)), np.empty(4), 0.0
    while left:
        reached = (drawn[:, left].max(axis=1) >= found[left[0]] * (1 - 1e-12)).sum()
        largest = max(largest, (reached + 1) / 501)
        expected[left.pop(0)] = largest
    assert max_t(sums) == pytest.approx(expected, rel=1e-12)
    assert (max_t(sums) >= randomisation_test(sums) - 1e-12).all()


def test_max_t_of_one_series_is_the_randomisation_test():
    sums = Sums.of(np.random.default_rng(2).normal(0.2, size=(50, 1)), ids(50), draws=999)
    assert max_t(sums) == pytest.approx(randomisation_test(sums), rel=1e-12)


def test_max_t_bounds_the_chance_of_any_false_finding():
    """300 samples of 20 series without effect: any is found at 0.05 in about 5% (three errors: 0.038)."""
    random, found = np.random.default_rng(3), 0
    for sample in range(300):
        shared = random.standard_t(4, size=(40, 1))
        values = shared + random.standard_t(4, size=(40, 20))
        found += bool((max_t(Sums.of(values, ids(40), draws=200, seed=sample)) <= 0.05).any())
    assert found / 300 < 0.09


def test_series_without_lists_are_not_tested():
    values = np.column_stack([np.full(20, np.nan), np.zeros(20), np.ones(20)])
    p_values = max_t(Sums.of(values, ids(20), draws=99))
    assert np.isnan(p_values[0])
    assert p_values[1:].tolist() == [1, 0.01]
