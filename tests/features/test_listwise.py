"""Ranks, percentiles and z-scores within lists, against pandas, scipy and numpy, list by list."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import percentileofscore, rankdata

from features.lists import Lists
from features.listwise import percentile_in_list, rank_in_list, zscore_in_list
from ranker.spec import Listwise

FUNCTIONS = {function.__name__: function for function in (rank_in_list, percentile_in_list, zscore_in_list)}


def expected(kind: str, values: np.ndarray) -> np.ndarray:
    """Of one list."""
    known = values[~np.isnan(values)]
    if kind == "rank_in_list":
        ranks = pd.Series(values).rank(ascending=False, method="average")
        return ranks.fillna((len(known) + 1) / 2).to_numpy()
    if kind == "percentile_in_list":
        shares = [percentileofscore(known, value, kind="mean") / 100 if value == value else 0.5 for value in values]
        return np.array(shares)
    if len(known) == 0 or known.max() == known.min():
        return np.zeros(len(values))
    return np.nan_to_num((values - known.mean()) / known.std(), nan=0.0)


def of_lists(kind: str, lists: list[list[float]]) -> list[np.ndarray]:
    """The function on a batch of lists."""
    ragged = tf.RaggedTensor.from_row_lengths(
        tf.constant([value for values in lists for value in values], tf.float32), [len(values) for values in lists]
    )
    batch = Lists(ragged.value_rowids(), ragged.row_splits, {}, {}, {}, {"x": ragged.flat_values})
    result = FUNCTIONS[kind](Listwise(kind=kind, of="x"), batch)
    assert result.dtype == tf.float64
    return [values.numpy() for values in ragged.with_flat_values(result)]


@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("of", ["price", "length", "constant", "lost"])
def test_of_a_number(kinds, kind, of):
    """The number as given, not as transformed."""
    for query_id in kinds.all_lists:
        want = expected(kind, kinds.column(query_id, of))
        np.testing.assert_allclose(kinds.dense(query_id, f"{kind}_{of}"), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("of", ["bm25_query_title", "coverage_query_title"])
def test_of_a_match(kinds, kind, of):
    for query_id in kinds.all_lists:
        want = expected(kind, kinds.dense(query_id, of).astype(np.float64))
        np.testing.assert_allclose(kinds.dense(query_id, f"{kind}_{of}"), want, rtol=1e-5, atol=1e-6)


NAN = float("nan")
VALUES = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0, NAN, 3e38, -3e38]), st.floats(-1e6, 1e6, width=32))


@pytest.mark.parametrize("kind", FUNCTIONS)
@settings(max_examples=60, derandomize=True, deadline=None)
@given(lists=st.lists(st.lists(VALUES, min_size=1, max_size=7), min_size=1, max_size=4))
@example(lists=[[2.0, 1.0, 2.0], [5.0], [NAN], [NAN, 3.0, NAN]])
@example(lists=[[0.0, -0.0, 1e-45, -1e-45], [float("inf"), float("-inf"), NAN]])
def test_batches_of_lists(kind, lists):
    if kind == "zscore_in_list" and any(np.isinf(values).any() for values in lists):
        return  # refused before it comes here
    for got, values in zip(of_lists(kind, lists), lists, strict=True):
        want = expected(kind, np.array(values, np.float32).astype(np.float64))
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_by_hand():
    """The missing one stands in the middle of the three that are there."""
    values = [[10.0, 20.0, 20.0, NAN]]
    assert of_lists("rank_in_list", values)[0].tolist() == [3, 1.5, 1.5, 2]
    assert of_lists("percentile_in_list", values)[0].tolist() == pytest.approx([0.5 / 3, 2 / 3, 2 / 3, 0.5])
    third = 10 / 3
    spread = np.sqrt((4 * third**2 + third**2 + third**2) / 3)
    np.testing.assert_allclose(of_lists("zscore_in_list", values)[0], np.array([-2, 1, 1, 0]) * third / spread)
    assert rankdata([-10, -20, -20]).tolist() == [3, 1.5, 1.5]


def test_equal_numbers_have_no_spread():
    """The mean of ten times 0.1 is not 0.1 in floating point."""
    assert of_lists("zscore_in_list", [[0.1] * 10, [1e30] * 7])[0].tolist() == [0] * 10
