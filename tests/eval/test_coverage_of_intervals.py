"""The simulation of how often intervals and decisions are right, with few samples: wrong code shows, luck does not."""

import numpy as np
import pytest

from tests.benchmarks import coverage
from tests.benchmarks.coverage import MARGIN, Population


@pytest.fixture(scope="module", params=["ndcg@10", "mrr@10"])
def population(request):
    return Population.of(request.param, queries=5_000)


def test_differences_have_the_mean_that_is_asked_for(population):
    random = np.random.default_rng(0)
    for true in (-2 * MARGIN, 0.0, MARGIN):
        (values,) = population.differences(true, 2_000, 100, random)
        assert values.mean() == pytest.approx(true, abs=4 * values.std() / np.sqrt(values.size))


@pytest.mark.parametrize("paired", [False, True])
def test_intervals_hold_the_mean(population, paired):
    for share in coverage.coverage(population, 200, 400, paired=paired):
        assert 0.91 < share < 0.985


def test_decisions_are_seldom_wrong(population):
    passed, failed = coverage.decisions(population, -MARGIN, 200, 400)
    assert max(passed, failed) < 0.06
    assert coverage.decisions(population, -3 * MARGIN, 200, 200)[0] < 0.02
    assert coverage.decisions(population, MARGIN, 1_000, 100)[0] > 0.8


def test_tests_reject_as_often_as_they_say(population):
    for share in coverage.rejections(population, 100, 400):
        assert 0.015 < share < 0.09


def test_slices_are_seldom_wrong(population):
    wrong = coverage.slice_errors(population, 100, 40)
    assert wrong["bound_low"] <= 0.15
    assert max(wrong.values()) <= 0.2


def test_lost_lists_seldom_pass(population):
    random = np.random.default_rng(0)
    lost = population.losses(0.1, 2_000, 50, random)
    assert np.mean(lost < 0) == pytest.approx(0.1 * np.mean(population.baseline > 0), abs=0.01)
    for slices in (10, 1):
        wrong = coverage.lost_lists(population, 0.1, slices, 100, 100)
        assert max(wrong["pass"], wrong["fail"]) <= 0.08
        assert wrong["pass_by_percentiles"] > wrong["pass"] + (0.05 if slices > 1 else 0)
