"""Numbers in pieces."""

import os
from itertools import pairwise

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ranker.models.scorers.pieces import PIECES, Pieces

RNG = np.random.default_rng(6)


def adapted(*columns):
    """The transformed sample, and what transforms."""
    rows = np.stack(columns, axis=1).astype(np.float32)
    pieces = Pieces(rows.shape[1])
    pieces.adapt(rows)
    return pieces(rows).numpy(), pieces


def by_definition(values, edges):
    """Pieces between the edges, each at mean 0 and variance 1."""
    parts = []
    for at, (low, high) in enumerate(pairwise(edges)):
        part = (values - low) / (high - low)
        part = np.clip(part, -1 if at == 0 else 0, 2 if at == len(edges) - 2 else 1)
        parts.append((part - part.mean()) / part.std())
    return np.stack(parts, axis=1)


@pytest.mark.parametrize(
    "column",
    [RNG.normal(size=999), RNG.lognormal(0, 3, size=999), 1e9 + 1e5 * RNG.random(999), RNG.integers(1990, 2026, 999)],
    ids=["normal", "heavy tail", "far from 0", "years"],
)
def test_definition(column):
    column = column.astype(np.float32).astype(np.float64)
    values, _ = adapted(column)
    expected = by_definition(column, np.sort(column)[[0, 124, 249, 374, 499, 624, 749, 874, 998]])
    np.testing.assert_allclose(values[:, 0], np.clip(expected, -10, 10), atol=0.02)


def test_few_different_values_need_few_pieces():
    column = np.repeat([0.0, 1, 2], [50, 20, 30])
    values, _ = adapted(column)
    np.testing.assert_allclose(values[:, 0, :2], by_definition(column, [0, 1, 2]), rtol=1e-5, atol=1e-5)
    assert (values[:, 0, 2:] == 0).all()


def test_a_number_that_is_mostly_0_keeps_its_other_values_apart():
    column = np.append(np.zeros(950), np.arange(1.0, 51) ** 3)
    values, _ = adapted(column)
    expected = by_definition(column, [0, np.median(column[950:]), 50**3])
    np.testing.assert_allclose(values[:, 0, :2], np.clip(expected, -10, 10), rtol=1e-4, atol=1e-4)


def test_a_constant_column_says_nothing():
    values, pieces = adapted([3, 3, 3], [1, 2, 4])
    assert (values[:, 0] == 0).all()
    assert values[:, 1].any()
    assert (pieces(np.array([[7, 2]], np.float32)).numpy()[0, 0] == 0).all()


def test_one_row_and_no_column():
    values, _ = adapted([3], [-4])
    assert (values == 0).all()
    pieces = Pieces(0)
    pieces.adapt(np.zeros([5, 0], np.float32))
    assert pieces(np.zeros([2, 3, 0], np.float32)).shape == (2, 3, 0, PIECES)


def test_outside_the_sample_the_ends_go_on_for_a_piece():
    values, pieces = adapted(np.arange(9))  # each piece is 1 wide
    outside = pieces(np.array([[-1], [-2], [-3e38], [9], [10], [3e38]], np.float32)).numpy()[:, 0]
    first, last = values[1, 0, 0] - values[0, 0, 0], values[8, 0, 7] - values[7, 0, 7]
    np.testing.assert_allclose(outside[:3, 0], values[0, 0, 0] - first, rtol=1e-5)
    np.testing.assert_allclose(outside[3:, 7], values[8, 0, 7] + last, rtol=1e-5)
    np.testing.assert_allclose(outside[:3, 1:], np.broadcast_to(values[0, 0, 1:], (3, 7)), rtol=1e-5)


def test_before_any_sample_there_is_one_piece():
    values = Pieces(1)(np.array([[-9], [0], [0.5], [9]], np.float32)).numpy()[:, 0]
    np.testing.assert_allclose(values[:, 0], [-1, 0, 0.5, 2])
    assert (values[:, 1:] == 0).all()


def test_a_rare_value_stays_bounded():
    values, _ = adapted(np.arange(20_000) == 7)
    assert values[7, 0, 0] == 10
    assert np.abs(np.delete(values[:, 0], 7, axis=0)).max() < 0.01


@given(arrays(np.float32, (9, 1), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_always_finite_and_in_order(rows):
    pieces = Pieces(1)
    pieces.adapt(rows)
    values = pieces(rows).numpy()[:, 0]
    assert np.isfinite(values).all()
    assert (np.diff(values[np.argsort(rows[:, 0])], axis=0) >= 0).all()
    assert all(np.isfinite(weights).all() for weights in pieces.get_weights())
