"""Exact figures, against numpy and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.statistics.moments import Moments


def test_figures_are_those_of_pandas():
    draw = np.random.default_rng(3)
    values = draw.normal(5, 2, (1000, 3)).round(1)
    values[draw.random(values.shape) < 0.2] = np.nan
    values[::9, 1] = 0
    values[:, 2] = np.nan
    moments = Moments(3)
    moments.add(values)
    frame = pd.DataFrame(values)
    assert moments.count.tolist() == frame.count().tolist()
    assert moments.zeros.tolist() == (frame == 0).sum().tolist()
    np.testing.assert_allclose(moments.mean[:2], frame.mean()[:2], rtol=1e-13)
    np.testing.assert_allclose(moments.sd[:2], frame.std(ddof=0)[:2], rtol=1e-13)
    assert moments.minimum.tolist() == [*frame.min()[:2], np.inf]
    assert moments.maximum.tolist() == [*frame.max()[:2], -np.inf]


def test_dates_keep_their_digits():
    """A sum of squares of seconds since 1970 would have lost all of the deviation."""
    seconds = 1.7e9 + np.arange(10)
    moments = Moments(1)
    for one in seconds:
        moments.add(np.array([[one]]))
    assert moments.sd[0] == pytest.approx(np.std(np.arange(10)), rel=1e-9)
    assert moments.mean[0] == pytest.approx(1.7e9 + 4.5, rel=1e-15)


def test_float32_is_added_up_in_float64():
    values = np.full((300_000, 2), 0.1, np.float32)
    moments = Moments(2)
    moments.add(values)
    assert moments.mean[0] == pytest.approx(float(np.float32(0.1)), rel=1e-14)
    assert moments.sd[0] < 1e-14


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6, width=32), st.just(float("nan"))), max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_how_rows_are_cut_does_not_matter(values, cuts):
    whole = Moments(1)
    whole.add(np.array(values).reshape(-1, 1))
    total = Moments(1)
    for part in np.split(np.array(values).reshape(-1, 1), sorted(min(cut, len(values)) for cut in cuts)):
        one = Moments(1)
        one.add(part)
        total.merge(Moments.from_array(one.to_array()))
    for name in ("count", "zeros", "minimum", "maximum"):
        assert getattr(total, name).tolist() == getattr(whole, name).tolist()
    np.testing.assert_allclose([total.mean, total.sd], [whole.mean, whole.sd], rtol=1e-9, atol=1e-6)
