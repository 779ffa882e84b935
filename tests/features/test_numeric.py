"""Numbers of packed examples against numpy on the files: constants of the training documents only."""

import numpy as np
import pytest


def floats(values) -> np.ndarray:
    """float64, NaN for None, through float32 as the raw tensors are."""
    return np.array(values, np.float32).astype(np.float64)


def signed_log1p(values) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))


@pytest.mark.parametrize("column", ["price", "stock"])
def test_zscores_of_the_store(prepared, reference, column):
    tables = prepared.tables
    train = signed_log1p(floats(tables.judged(column, "train")))
    missing = 0
    for query_id in tables.lists:
        values = signed_log1p(floats(tables.of_list(query_id, column)))
        got = prepared.dense(query_id, column)
        np.testing.assert_allclose(got, reference.zscores(values, train), rtol=1e-5, atol=1e-5)
        assert (got[np.isnan(values)] == 0).all()
        missing += np.isnan(values).sum()
    assert (missing > 0) == (column == "price")


@pytest.mark.parametrize("column", ["price", "stock"])
def test_other_splits_do_not_influence_the_constants(prepared, reference, column):
    """With the documents of all splits the z-scores would be visibly others."""
    tables = prepared.tables
    query_id = tables.of_split("test")[0]
    everything = reference.zscores(
        signed_log1p(floats(tables.of_list(query_id, column))), signed_log1p(floats(tables.judged(column)))
    )
    assert np.abs(prepared.dense(query_id, column) - everything).max() > 1e-3


@pytest.mark.parametrize("value", [5.1, 0.0, -7.0, 1e30, np.inf, -np.inf, np.nan])
def test_a_column_without_spread_is_0_whatever_the_value(corner, value):
    """The sums of a constant round: without care the spread is 1e-8 and the z-score of another value 1e8."""
    assert corner.apply({}, {"constant": [value]})["dense"][0][corner.layout.dense.index("constant")] == 0


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_a_column_without_a_value_is_0(corner, value):
    assert corner.apply({}, {"lost": [value]})["dense"][0][corner.layout.dense.index("lost")] == 0


def test_without_transform_a_number_stays_and_a_missing_one_is_the_mean(corner):
    values = floats(corner.tables.of_list("q0", "plain"))
    expected = np.where(np.isnan(values), np.nanmean(values), values)  # all lists hold the same documents
    np.testing.assert_allclose(corner.dense("q0", "plain"), expected, rtol=1e-6)
    assert np.isnan(values).sum() == 1


def test_log1p_keeps_the_sign(corner):
    values = floats(corner.tables.of_list("q0", "signed"))
    assert values.min() < 0
    np.testing.assert_allclose(corner.dense("q0", "signed"), signed_log1p(values), rtol=1e-6)


def test_query_numbers_are_weighted_by_the_documents_of_their_lists(corner, reference):
    """All lists are equally long, so that lists and documents weigh the same."""
    tables = corner.tables
    train = [tables.queries[query_id]["age"] for query_id in tables.of_split("train")]
    expected = reference.zscores([tables.queries["q5"]["age"]], train)
    np.testing.assert_allclose(corner.dense("q5", "age"), np.repeat(expected, 24), rtol=1e-5)


@pytest.mark.parametrize("value", [3.4e38, -3.4e38, np.inf, -np.inf])
def test_no_number_leaves_float32(corner, value):
    """`narrow` has standard deviation 1 / 8, so the z-score of 3.4e38 is beyond float32."""
    dense = np.array(corner.apply({}, {name: [value] for name in ("plain", "signed", "narrow")})["dense"], np.float32)
    assert np.isfinite(dense).all()
    assert np.sign(dense[0, corner.layout.dense.index("narrow")]) == np.sign(value)
    assert abs(dense[0, corner.layout.dense.index("narrow")]) == np.finfo(np.float32).max
