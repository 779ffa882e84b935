"""Standard errors of slices and of what is outside of them, against those of `eval.sums`."""

import numpy as np
import pytest

from eval.discovery.units import Units
from eval.sums import Sums


@pytest.mark.parametrize("users", [None, 30])
def test_errors_are_those_of_the_lists_inside_and_outside(users):
    random = np.random.default_rng(1)
    numbers = np.arange(200) if users is None else random.integers(0, users, 200)
    ids = np.array([f"u{number}" for number in numbers], dtype=object)
    values, inside = random.exponential(size=200), random.random((200, 6)) < [0.5, 0.3, 0.1, 0.9, 0.02, 1]
    found = Units.of(ids).spreads(values, *np.nonzero(inside), 6)
    for one, members in zip(found, (inside, ~inside), strict=True):
        expected = Sums.of(np.where(members, values[:, None], np.nan), ids, draws=1)
        assert one.n.tolist() == members.sum(axis=0).tolist()
        assert one.units.tolist() == expected.units.tolist()
        assert one.x == pytest.approx(values @ members, rel=1e-9, abs=1e-9)
        squared = np.where(expected.units > 1, expected.standard_error**2, np.inf)
        assert one.squared_error == pytest.approx(squared, rel=1e-9)


def test_one_value_has_no_error_that_is_known():
    inside, _ = Units.of(np.array(["a", "a", "b"], dtype=object)).spreads(
        np.array([1.0, 2.0, 3.0]), np.array([0, 1]), np.zeros(2, np.int64), 1
    )
    assert inside.squared_error.tolist() == [np.inf]


def test_equal_values_have_no_spread():
    units = Units.of(np.array([f"q{number}" for number in range(10)], dtype=object))
    inside, outside = units.spreads(np.full(10, 0.1), np.arange(4), np.zeros(4, np.int64), 1)
    assert (inside.squared_error.tolist(), outside.squared_error.tolist()) == ([0], [0])
