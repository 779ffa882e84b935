"""What is read off quantiles."""

from __future__ import annotations

import numpy as np
import pytest

from features.statistics.summary import COARSE_LEVELS, LEVELS, Numbers

DRAW = np.random.default_rng(6)
SAMPLES = {
    "normal": DRAW.normal(size=5000),
    "mostly zero": np.where(DRAW.random(5000) < 0.8, 0, DRAW.normal(size=5000)),
    "outlier": np.append(DRAW.normal(size=4999), 1e6),
    "one": np.ones(5),
}


def numbers_of(sample: np.ndarray, levels=LEVELS) -> Numbers:
    quantiles = np.quantile(sample, levels)
    return Numbers(len(sample), 0, 0, 0, sample.min(), sample.max(), 0, levels, quantiles, quantiles, len(sample))


@pytest.mark.parametrize("levels", [LEVELS, COARSE_LEVELS])
def test_levels_rise_from_0_to_1_and_mirror(levels):
    assert (levels[0], levels[-1]) == (0, 1)
    assert (np.diff(levels) > 0).all()


@pytest.mark.parametrize("kind", SAMPLES)
def test_shares_below(kind):
    sample = SAMPLES[kind]
    places = np.unique(np.concatenate([sample[:500], [-1e9, 0, 1, 1e9]]))
    numbers = numbers_of(sample)
    for or_equal, side in ((True, "right"), (False, "left")):
        expected = np.searchsorted(np.sort(sample), places, side) / len(sample)
        np.testing.assert_allclose(numbers.shares_below(places, or_equal=or_equal), expected, atol=0.011)


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("bounds", [(-2, 2), (0, 3), (-1, 0.5), (5, 6)])
def test_the_share_outside_is_never_said_too_large(kind, bounds):
    sample = SAMPLES[kind]
    share = np.mean((sample < bounds[0]) | (sample > bounds[1]))
    assert share - 0.025 <= numbers_of(sample).share_outside(*bounds) <= share + 0.001


def test_one_outlier_is_no_share():
    """Between the 99.9th percentile and it lies all of the rest of the range."""
    assert numbers_of(SAMPLES["outlier"]).share_outside(-5, 5) == 0


def test_nothing_is_outside_its_own_range():
    for sample in SAMPLES.values():
        assert numbers_of(sample).share_outside(sample.min(), sample.max()) == 0


def test_no_numbers():
    none = Numbers(0, 3, np.nan, np.nan, np.nan, np.nan, 0, np.empty(0), np.empty(0), np.empty(0), 0)
    assert none.share_outside(0, 1) == 0
    assert none.shares_below(np.array([1.0])).tolist() == [0]
    assert none.missing_share == 1
    assert not none.constant
