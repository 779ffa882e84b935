"""Ages at the time of the query, against exact arithmetic, pandas and numpy."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.date import ages_in_days

DAY = 86_400
MISSING = np.iinfo(np.int64).min
SECONDS = st.one_of(st.just(MISSING), st.integers(-(10**11), 10**11), st.integers(-(2**62), 2**62))


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=5))
@example([(MISSING, MISSING), (0, MISSING), (MISSING, 0), (MISSING + 1, 2**63 - 1), (0, 0)])
def test_ages_are_the_exact_quotients_to_float32(pairs):
    now, dates = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    got = ages_in_days(tf.constant(dates[:, np.newaxis]), tf.constant(now)).numpy()
    assert got.dtype == np.float32
    for (then, date), age in zip(pairs, got[:, 0].tolist(), strict=True):
        if MISSING in (then, date):
            assert np.isnan(age)
        else:
            exact = Fraction(then - date, DAY)
            # Beyond 2^53 seconds, which is 285 million years, float64 rounds each of both.
            assert abs(age - exact) <= abs(exact) * 2**-23 + Fraction(max(abs(then), abs(date)), DAY * 2**52)


def test_a_second_counts_at_any_time():
    """float32 seconds would be off by a minute: 1.7e9 has 31 bits."""
    now = np.array([1_700_000_000] * 3)
    got = ages_in_days(tf.constant(now[:, np.newaxis] - np.array([[1], [DAY], [-DAY // 2]])), tf.constant(now))
    np.testing.assert_array_equal(got[:, 0], np.array([1 / DAY, 1, -0.5], np.float32))


# --- of the dataset ---------------------------------------------------------------------------------------------------


def ages(kinds, query_id: str, column: str) -> np.ndarray:
    """float64 of float32, days; by pandas."""
    tables = kinds.tables
    now = tables.queries[query_id]["asked"]
    is_query = column in tables.queries[query_id]
    dates = [tables.queries[query_id][column]] * len(tables.lists[query_id]) if is_query else None
    dates = tables.of_list(query_id, column) if dates is None else dates
    moments = [
        pd.NaT if date is None else pd.Timestamp(date, unit=None if isinstance(date, str) else "s") for date in dates
    ]
    asked = pd.NaT if now is None else pd.Timestamp(now, unit="s")
    return np.array([(asked - moment) / pd.Timedelta(days=1) for moment in moments], np.float32).astype(np.float64)


def of_training(kinds, column: str) -> np.ndarray:
    """The ages that are there, once per judgment."""
    values = np.concatenate([ages(kinds, query_id, column) for query_id in kinds.tables.of_split("train")])
    return values[~np.isnan(values)]


def signed_log1p(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))


@pytest.mark.parametrize("column", ["released", "born"])
def test_an_age_takes_the_default_steps(kinds, reference, column):
    known = signed_log1p(of_training(kinds, column))
    for query_id in kinds.all_lists:
        expected = reference.zscores(signed_log1p(ages(kinds, query_id, column)), known)
        np.testing.assert_allclose(kinds.dense(query_id, column), expected, rtol=1e-5, atol=1e-5)


def test_a_missing_age_is_the_number_of_the_spec_and_without_steps_an_age_stays(kinds):
    negative = 0
    for query_id in kinds.all_lists:
        expected = np.nan_to_num(ages(kinds, query_id, "restocked"), nan=1000)
        np.testing.assert_array_equal(kinds.dense(query_id, "restocked"), expected)
        negative += (expected < 0).sum()
    assert negative > 10, "some come back into stock later"


def test_the_age_of_a_pair(kinds, reference):
    known = signed_log1p(of_training(kinds, "clicked"))
    for query_id in kinds.all_lists:
        values = ages(kinds, query_id, "clicked")
        expected = np.where(np.isnan(values), 0, reference.zscores(signed_log1p(values), known))
        np.testing.assert_allclose(kinds.dense(query_id, "clicked"), expected, rtol=1e-5, atol=1e-5)


def test_all_ages_of_a_query_without_time_are_missing(kinds):
    timeless = [q for q in kinds.all_lists if kinds.tables.queries[q]["asked"] is None]
    assert len(timeless) >= 2
    for query_id in kinds.all_lists:
        missing = kinds.dense(query_id, "born_missing")
        assert missing.tolist() == np.isnan(ages(kinds, query_id, "born")).tolist()
        assert missing.all() or query_id not in timeless


def test_buckets_are_quantiles_of_the_ages(kinds):
    """Where the share of a bucket is a whole number of ages, the boundary is the last of them or the next."""
    known = np.sort(of_training(kinds, "released"))
    ranks = [int(np.ceil(len(known) * k / 3)) - 1 for k in (1, 2)]
    for query_id in kinds.all_lists:
        values = ages(kinds, query_id, "released")
        got = kinds.dense(query_id, "released_bucket")
        assert ((got == 0) == np.isnan(values)).all()
        last, following = (
            np.where(np.isnan(values), 0, 1 + np.searchsorted(known[[r + more for r in ranks]], values, side="right"))
            for more in (0, 1)
        )
        assert ((following <= got) & (got <= last)).all()


def test_a_date_that_no_document_has(kinds):
    for query_id in kinds.all_lists:
        assert not kinds.dense(query_id, "undated").any()
        assert not kinds.dense(query_id, "undated_bucket").any()
        assert set(kinds.dense(query_id, "percentile_in_list_undated").tolist()) == {0.5}


@pytest.mark.parametrize("column", ["released", "clicked"])
def test_ages_compare_within_the_list(kinds, column):
    """The oldest has rank 1; those without age stand in the middle."""
    for query_id in kinds.all_lists:
        values = pd.Series(ages(kinds, query_id, column))
        expected = values.rank(ascending=False).fillna((values.count() + 1) / 2)
        np.testing.assert_allclose(kinds.dense(query_id, f"rank_in_list_{column}"), expected)
