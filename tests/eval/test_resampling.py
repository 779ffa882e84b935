"""The streams of random numbers: what they are, and that they are random."""

import hashlib
import math

import numpy as np
from scipy import stats

from eval.resampling import poisson_weights, random_bits, signs, unit_keys


def ids(count, prefix="q"):
    return [f"{prefix}{number}" for number in range(count)]


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


def test_signs_are_fair_and_independent_of_weights():
    bits = random_bits(unit_keys(ids(1000), seed=5), 1000)
    flips = signs(bits)
    assert flips.dtype == np.int8
    assert set(np.unique(flips).tolist()) == {-1, 1}
    assert abs(flips.mean()) < 5 / math.sqrt(flips.size)
    weights = poisson_weights(ids(1000), draws=1000, seed=5)
    assert abs(np.corrcoef(flips.ravel(), weights.ravel())[0, 1]) < 5 / math.sqrt(flips.size)
    assert abs(np.corrcoef(flips[1:].ravel(), flips[:-1].ravel())[0, 1]) < 5 / math.sqrt(flips.size)
