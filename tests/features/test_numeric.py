"""Numbers of packed examples against numpy on the files: constants of the training documents only."""

import numpy as np
import pytest
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler


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


# --- every option, on lists of different lengths ----------------------------------------------------------------------


def train(prepared, column: str) -> np.ndarray:
    """float64, the numbers that are there among the judged documents of the training lists, once per judgment."""
    values = floats(prepared.tables.judged(column, "train"))
    return values[~np.isnan(values)]


def check(prepared, column: str, expected) -> None:
    """`expected` takes the raw numbers of a list to the transformed ones."""
    missing = 0
    for query_id in prepared.all_lists:
        values = prepared.column(query_id, column)
        np.testing.assert_allclose(prepared.dense(query_id, column), expected(values), rtol=1e-5, atol=1e-6)
        missing += np.isnan(values).sum()
    assert missing > 20


def test_clip_then_log1p_then_zscore(kinds, reference):
    def steps(values):
        return np.log1p(np.clip(values, 1, 200))

    known = train(kinds, "price")
    assert known.min() < 1 < 200 < known.max()
    check(kinds, "price", lambda values: reference.zscores(steps(values), steps(known)))


def test_minmax_is_that_of_scikit_learn_and_missing_zero_is_0(kinds):
    """Numbers of other splits may lie outside 0..1."""
    scaler = MinMaxScaler().fit(train(kinds, "stock")[:, np.newaxis])
    check(kinds, "stock", lambda values: np.nan_to_num(scaler.transform(values[:, np.newaxis])[:, 0], nan=0.0))


def test_a_missing_number_with_a_default_goes_through_the_steps_without_weight(kinds):
    known = train(kinds, "mass")
    check(
        kinds,
        "mass",
        lambda values: np.clip((np.nan_to_num(values, nan=12.5) - known.mean()) / known.std(), -1, 1),
    )


def test_steps_come_in_the_order_given_and_the_mean_is_that_before_the_scale(kinds):
    def steps(values):
        return np.clip(signed_log1p(values), -2, 3)

    known = steps(train(kinds, "size"))
    assert (known.min(), known.max()) == (-2, 3)
    check(kinds, "size", lambda values: (np.nan_to_num(steps(values), nan=known.mean()) + 2) / 5)


def test_without_steps_a_default_is_the_number_itself(kinds):
    check(kinds, "length", lambda values: np.nan_to_num(values, nan=0.0))


@pytest.mark.parametrize("column", ["constant", "lost"])
@pytest.mark.parametrize("value", [5.1, 0.0, -3e38, 3e38, np.inf, np.nan])
def test_minmax_without_width_is_0(kinds, column, value):
    assert kinds.apply({}, {column: [value]})["dense"][0][kinds.layout.dense.index(column)] == 0


@pytest.mark.parametrize("column", ["price", "lost"])
def test_the_indicator_says_what_is_missing(kinds, column):
    for query_id in kinds.all_lists:
        missing = np.isnan(kinds.column(query_id, column))
        assert kinds.dense(query_id, f"{column}_missing").tolist() == missing.tolist()


def test_the_indicator_of_a_query_number_is_that_of_each_document(kinds):
    for query_id, packed in kinds.all_lists.items():
        missing = kinds.tables.queries[query_id]["age"] is None
        assert kinds.dense(query_id, "age_missing").tolist() == [missing] * len(packed.documents)


@pytest.mark.parametrize(("column", "buckets"), [("price", 4), ("size", 4), ("length", 3)])
def test_buckets_are_quantiles_of_the_training_documents(kinds, column, buckets):
    """A boundary is the least number with at least its share of the numbers at or below it, to the analyzer's error."""
    known = np.sort(train(kinds, column))
    bounds = [known[int(np.ceil(len(known) * k / buckets)) - 1] for k in range(1, buckets)]
    different = 0
    for query_id in kinds.all_lists:
        values = kinds.column(query_id, column)
        expected = np.where(np.isnan(values), 0, 1 + np.searchsorted(bounds, values, side="right"))
        got = kinds.dense(query_id, f"{column}_bucket")
        assert (np.abs(got - expected) <= 1).all()
        assert ((got == 0) == np.isnan(values)).all()
        different += (got != expected).sum()
    assert different == 0


def test_buckets_of_numbers_that_differ_are_those_of_scikit_learn(kinds):
    known = train(kinds, "price")
    discretizer = KBinsDiscretizer(4, encode="ordinal", strategy="quantile", quantile_method="inverted_cdf")
    discretizer.fit(known[:, np.newaxis])
    values = np.array([-5, *np.quantile(known, [0.1, 0.3, 0.4, 0.6, 0.7, 0.9]), 1e9], np.float32)
    got = np.array(kinds.apply({}, {"price": values.tolist()})["dense"])[:, kinds.layout.dense.index("price_bucket")]
    assert got.tolist() == (1 + discretizer.transform(values[:, np.newaxis].astype(np.float64))[:, 0]).tolist()


def test_buckets_of_a_column_without_spread_or_values(kinds):
    got = np.array(kinds.apply({}, {"constant": [5.1, 5.0, 5.2, np.nan], "lost": [1.0, np.nan, -1.0, 0.0]})["dense"])
    assert got[:, kinds.layout.dense.index("constant_bucket")].tolist() == [3, 1, 3, 0]
    assert got[1, kinds.layout.dense.index("lost_bucket")] == 0


def test_buckets_of_a_query_number(kinds):
    ages = [kinds.tables.queries[query_id]["age"] for query_id in kinds.all_lists]
    half = [kinds.dense(query_id, "age_bucket")[0] for query_id in kinds.all_lists]
    assert set(half) == {0, 1, 2}
    known = [(age, bucket) for age, bucket in zip(ages, half, strict=True) if age is not None]
    assert max(age for age, bucket in known if bucket == 1) < min(age for age, bucket in known if bucket == 2)
    assert all(bucket == 0 for age, bucket in zip(ages, half, strict=True) if age is None)
