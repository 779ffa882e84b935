"""Distances and their p-values, against scipy, and against simulated chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from features.statistics.distances import difference_of_shares, jensen_shannon, kolmogorov_smirnov
from features.statistics.summary import LEVELS, Numbers, Values


def numbers_of(sample: np.ndarray) -> Numbers:
    """Figures of a sample, quantiles by numpy."""
    quantiles = np.quantile(sample, LEVELS)
    return Numbers(
        len(sample),
        0,
        sample.mean(),
        sample.std(),
        sample.min(),
        sample.max(),
        0,
        LEVELS,
        quantiles,
        quantiles,
        len(sample),
    )


def values_of(counts: dict[str, int], distinct: int | None = None) -> Values:
    """Exact counts; or with `distinct` those of the commonest values of so many."""
    top = tuple(sorted(counts.items(), key=lambda item: -item[1]))
    return Values(sum(counts.values()), 1.0, distinct or len(counts), distinct is None, top)


DRAWS = {
    "normal": lambda draw, size: draw.normal(size=size),
    "skewed": lambda draw, size: draw.lognormal(size=size),
    "counts": lambda draw, size: draw.poisson(2, size).astype(float),
    "half zero": lambda draw, size: draw.normal(size=size) * draw.integers(0, 2, size),
}


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("stretched", [1.0, 1.5])
def test_kolmogorov_smirnov_is_that_of_scipy(kind, stretched):
    draw = np.random.default_rng(2)
    one, other = DRAWS[kind](draw, 4000), DRAWS[kind](draw, 1000) * stretched
    found = kolmogorov_smirnov(numbers_of(one), numbers_of(other), (4000, 1000))
    expected = stats.ks_2samp(one, other, method="asymp")
    assert found.value == pytest.approx(expected.statistic, abs=0.011)
    assert found.p_value == pytest.approx(stats.kstwobign.sf(found.value * np.sqrt(800)), rel=1e-9)


def test_kolmogorov_smirnov_has_no_unit():
    draw = np.random.default_rng(2)
    one, other = draw.normal(size=500), draw.normal(0.3, size=500)
    plain = kolmogorov_smirnov(numbers_of(one), numbers_of(other), (500, 500))
    scaled = kolmogorov_smirnov(numbers_of(one * 1e6), numbers_of(other * 1e6), (500, 500))
    assert scaled.value == pytest.approx(plain.value, abs=1e-9)


def test_numbers_apart_and_numbers_alike():
    one, other = numbers_of(np.arange(50.0)), numbers_of(np.arange(100.0, 150.0))
    assert kolmogorov_smirnov(one, other, (50, 50)).value == 1
    assert kolmogorov_smirnov(one, one, (50, 50)).value == 0
    same = numbers_of(np.full(9, 3.0))
    assert kolmogorov_smirnov(same, same, (9, 9)).value == 0
    assert kolmogorov_smirnov(same, numbers_of(np.full(9, 4.0)), (9, 9)).value == 1


def test_jensen_shannon_is_that_of_scipy():
    one = {"a": 500, "b": 300, "c": 200}
    other = {"a": 100, "b": 700, "d": 200}
    names = ["a", "b", "c", "d"]
    expected = jensenshannon([one.get(n, 0) for n in names], [other.get(n, 0) for n in names], base=2) ** 2
    assert jensen_shannon(values_of(one), values_of(other), (1000, 1000)).value == pytest.approx(expected, rel=1e-12)


def test_jensen_shannon_from_nothing_in_common_to_the_same():
    one = values_of({"a": 50, "b": 50})
    assert jensen_shannon(one, values_of({"c": 100}), (100, 100)).value == pytest.approx(1)
    assert jensen_shannon(one, one, (100, 100)).value == 0


def test_rare_values_are_taken_together():
    """Of 1,000 rows, 5 are expected from a share of 0.5%: those below it are one value, the same in both here."""
    common = {"a": 600, "b": 390}
    one = values_of(common | {f"x{at}": 1 for at in range(10)})
    other = values_of(common | {f"y{at}": 1 for at in range(10)})
    assert jensen_shannon(one, other, (1000, 1000)).value == 0


def test_values_that_only_one_sketch_has_kept_are_taken_together():
    one = values_of({"a": 400, "b": 100}, distinct=5000)
    other = values_of({"a": 400, "c": 100}, distinct=5000)
    assert jensen_shannon(one, other, (500, 500)).value == 0
    assert jensen_shannon(one, values_of({"a": 400, "c": 100}), (500, 500)).value > 0.05, "there is no b in the second"


def test_the_chance_of_a_divergence_is_what_it_is_called():
    """Two samples of one distribution: a p-value below 5% comes in about 5% of the cases."""
    draw, shares = np.random.default_rng(0), [0.4, 0.3, 0.2, 0.07, 0.03]
    low = 0
    for _ in range(400):
        one, other = (Counter(draw.choice(list("abcde"), size, p=shares).tolist()) for size in (900, 300))
        low += jensen_shannon(values_of(one), values_of(other), (900, 300)).p_value < 0.05
    assert stats.binomtest(low, 400, 0.05).pvalue > 0.01


def test_difference_of_shares_is_fishers_test():
    found = difference_of_shares(0.1, 0.3, (200, 50))
    assert found.value == pytest.approx(0.2)
    assert found.p_value == stats.fisher_exact([[20, 15], [180, 35]]).pvalue
    assert difference_of_shares(0.25, 0.25, (10, 10)).p_value == 1
    assert difference_of_shares(0.0, 1.0, (100, 1)).p_value == pytest.approx(1 / 101)


def test_quantiles_of_a_sample_are_surer_of_less():
    whole = numbers_of(np.random.default_rng(1).normal(size=1000))
    sample = Numbers(**(vars(whole) | {"count": 10**6}))
    other = numbers_of(np.random.default_rng(2).normal(0.1, size=1000))
    sizes = (1e6, 1000)
    assert (
        kolmogorov_smirnov(sample, other, sizes).p_value
        > kolmogorov_smirnov(Numbers(**(vars(sample) | {"sampled": 10**6})), other, sizes).p_value
    )
