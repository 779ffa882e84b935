"""Dense numbers brought to a scale."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, rankdata

from ranker.models.scorers.numbers import Numbers


def adapted(*columns):
    """The transformed sample, and what transforms."""
    rows = np.stack(columns, axis=1).astype(np.float32)
    numbers = Numbers(rows.shape[1])
    numbers.adapt(rows)
    return numbers(rows).numpy(), numbers


RNG = np.random.default_rng(4)
COLUMNS = {
    "normal": RNG.normal(size=2000),
    "far from 0": RNG.normal(2e9, 3e7, size=2000),
    "many magnitudes": RNG.lognormal(0, 6, size=2000),
    "negative": -RNG.lognormal(20, 4, size=2000),
    "two tails": RNG.standard_cauchy(size=2000),
    "tiny": 1e-20 * RNG.normal(size=2000),
    "even": RNG.random(2000),
    "binary": RNG.integers(0, 2, size=2000),
    "mostly 0": np.where(RNG.random(2000) < 0.8, 0, RNG.lognormal(5, 2, size=2000)),
    "years": RNG.integers(1990, 2026, size=2000),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_sample_becomes_normal(name):
    """Against the definition of normal scores: quantiles of the mean ranks, at unit variance."""
    column = COLUMNS[name].astype(np.float32)
    values, _ = adapted(column)
    scores = norm.ppf((rankdata(column) - 0.5) / len(column))
    scores = (scores - scores.mean()) / scores.std()
    np.testing.assert_allclose([values.mean(), values.std()], [0, 1], atol=1e-3)
    assert np.abs(values[:, 0] - scores).mean() < 0.05
    assert np.abs(values).max() <= 10
    order = np.argsort(column, kind="stable")
    assert np.diff(values[order, 0]).min() > -1e-5


def test_many_values_stay_apart():
    """Neither large numbers that differ little nor long tails fall together."""
    for column in (np.arange(1990, 2026), 2.0 ** np.arange(-3, 60), 1e6 + np.arange(50)):
        values, _ = adapted(column)
        assert np.diff(values[:, 0]).min() > 0.01


def test_linear_between_the_values_of_a_sample():
    """Two values are -1 and 1; without tails the scale is nearly linear between them."""
    values, numbers = adapted([4, 8, 4, 8])
    np.testing.assert_allclose(values[:, 0], [-1, 1, -1, 1], rtol=1e-5)
    assert abs(numbers(np.array([[6]], np.float32)).numpy()[0, 0]) < 0.5
    between = numbers(np.linspace(4, 8, 50, dtype=np.float32)[:, np.newaxis]).numpy()[:, 0]
    assert (np.diff(between) > 0).all()


def test_a_constant_column_says_nothing():
    values, numbers = adapted([3, 3, 3], [1, 2, 4])
    assert (values[:, 0] == 0).all()
    assert numbers(np.array([[7, 2]], np.float32)).numpy()[0, 0] == 0


def test_one_row_and_no_column():
    values, _ = adapted([3], [-4])
    assert values.tolist() == [[0, 0]]
    numbers = Numbers(0)
    numbers.adapt(np.zeros([5, 0], np.float32))
    assert numbers(np.zeros([2, 3, 0], np.float32)).shape == (2, 3, 0)


def test_before_any_sample_it_is_the_signed_logarithm():
    x = np.array([[-5, 0, 0.5, 100]], np.float32)
    np.testing.assert_allclose(Numbers(4)(x), np.sign(x) * np.log1p(np.abs(x)), rtol=1e-5, atol=1e-5)


def test_what_is_outside_the_sample_gives_its_end():
    values, numbers = adapted([0, 1, 2, 3], [5, 5, 5, 5])
    low, high = values[0, 0], values[3, 0]
    outside = np.array([[-1, 0], [-3e38, 0], [-np.inf, 0], [4, 0], [3e38, 0], [np.inf, 0]], np.float32)
    np.testing.assert_allclose(numbers(outside)[:, 0], [low, low, low, high, high, high], rtol=1e-5)


def test_a_rare_value_stays_bounded():
    values, _ = adapted(np.arange(20_000) == 7)
    assert values[7, 0] == 10
    assert np.abs(np.delete(values[:, 0], 7)).max() < 0.01


@given(arrays(np.float32, (7, 1), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_always_finite_and_in_order(rows):
    numbers = Numbers(1)
    numbers.adapt(rows)
    values = numbers(rows).numpy()
    assert np.isfinite(values).all()
    assert np.diff(values[np.argsort(rows[:, 0]), 0]).min() > -1e-4
    assert all(np.isfinite(weights).all() for weights in numbers.get_weights())
