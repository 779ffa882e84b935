"""Initial weights by seed and name."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest

from ranker.models.scorers.initialisation import derived_seed, embedding, glorot


def test_seeds_differ_by_seed_and_name():
    names = ["enter", "leave", *(f"block_{at}" for at in range(1000))]
    seeds = {derived_seed(seed, name) for seed in range(3) for name in names}
    assert len(seeds) == 3 * len(names)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derived_seed(2**31 - 1, "enter") == derived_seed(2**31 - 1, "enter")


def test_the_distribution():
    uniform, normal = np.asarray(glorot(1, "enter")([300, 200])), np.asarray(embedding(1, "enter")([300, 200]))
    bound = np.sqrt(6 / 500)
    assert np.abs(uniform).max() <= bound
    np.testing.assert_allclose(uniform.std(), bound / np.sqrt(3), rtol=0.01)
    np.testing.assert_allclose(normal.std(), 0.1, rtol=0.01)


@pytest.mark.parametrize("make", [glorot, embedding])
def test_values_follow_from_seed_and_name(make):
    values = np.asarray(make(1, "enter")([30, 20]))
    np.testing.assert_array_equal(values, make(1, "enter")([30, 20]))
    assert not np.allclose(values, make(1, "leave")([30, 20]))
    assert not np.allclose(values, make(2, "enter")([30, 20]))
