"""Effect sizes and power against scipy's distributions and simulation."""

import numpy as np
import pytest
from scipy import stats

from eval.compare import paired_t_test
from eval.power import effect_size, lists_needed, minimum_detectable_effect
from eval.sums import Sums


def ids(count):
    return np.array([f"q{number}" for number in range(count)], dtype=object)


@pytest.fixture
def sums():
    return Sums.of(np.random.default_rng(0).normal(0.1, 0.5, size=(200, 1)), ids(200), draws=1)


def test_effect_size_is_mean_over_spread():
    values = np.random.default_rng(1).normal(0.1, 0.5, size=(200, 1))
    sums = Sums.of(values, ids(200), draws=1)
    assert effect_size(sums)[0] == pytest.approx(values.mean() / values.std(ddof=1), rel=1e-10)
    equal = Sums.of(np.column_stack([np.zeros(5), np.ones(5)]), ids(5), draws=1)
    assert effect_size(equal).tolist() == [0, np.inf]


def test_the_smallest_effect_is_found_as_often_as_promised():
    """2,000 samples with the true effect; three standard errors of the share are 0.027."""
    random = np.random.default_rng(2)
    effect = float(minimum_detectable_effect(Sums.of(random.normal(size=(200, 1)), ids(200), draws=1), power=0.8)[0])
    exact = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / np.sqrt(200)
    assert effect == pytest.approx(exact, rel=0.15)
    samples = random.normal(exact, size=(200, 2000))
    found = paired_t_test(Sums.of(samples, ids(200), draws=1)) < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.035)


def test_more_lists_find_a_smaller_effect(sums):
    effect = float(minimum_detectable_effect(sums)[0])
    assert lists_needed(sums, effect)[0] == pytest.approx(200, abs=1)
    assert lists_needed(sums, effect / 2)[0] == pytest.approx(800, abs=1)


@pytest.mark.parametrize("effect", [0, -1, np.inf, np.nan])
def test_effects_that_cannot_be(sums, effect):
    with pytest.raises(ValueError, match="effect: expected a number above 0"):
        lists_needed(sums, effect)


@pytest.mark.parametrize("options", [{"alpha": 0}, {"power": 1}])
def test_chances_that_cannot_be(sums, options):
    with pytest.raises(ValueError, match="between 0 and 1"):
        minimum_detectable_effect(sums, **options)
