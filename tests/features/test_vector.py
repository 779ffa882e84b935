"""Vectors against numpy: of documents, pairs and queries, with numbers and whole vectors missing."""

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler


def raw(kinds, query_id: str, name: str) -> np.ndarray:
    """float64 `[documents, width]`, through float32; NaN is missing."""
    tables = kinds.tables
    spec = next(f for f in (*kinds.spec.features.query, *kinds.spec.features.of_documents) if f.name == name)
    if name in tables.queries[query_id]:
        rows = [tables.queries[query_id][name]] * len(tables.lists[query_id])
    else:
        rows = tables.of_list(query_id, name)
    return np.array([[None] * spec.width if row is None else row for row in rows], np.float32).astype(np.float64)


def of_training(kinds, name: str) -> np.ndarray:
    return np.concatenate([raw(kinds, query_id, name) for query_id in kinds.tables.of_split("train")])


def columns(kinds, query_id: str, name: str, first: int, width: int) -> np.ndarray:
    return np.stack([kinds.dense(query_id, f"{name}_{at}") for at in range(first, first + width)], axis=1)


def signed_log1p(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))


def zscores(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.nan_to_num((values - np.nanmean(known, axis=0)) / np.nanstd(known, axis=0), nan=0.0)


@pytest.mark.parametrize("name", ["picture", "sound", "factors", "taste"])
def test_whole_vectors_and_single_numbers_are_missing(kinds, name):
    rows = np.isnan(of_training(kinds, name))
    assert rows.all(axis=1).any()
    assert (rows.any(axis=1) & ~rows.all(axis=1)).any()


def test_zscores_of_each_number_of_a_document_vector(kinds):
    known = of_training(kinds, "picture")
    for query_id in kinds.all_lists:
        expected = zscores(raw(kinds, query_id, "picture"), known)
        np.testing.assert_allclose(columns(kinds, query_id, "picture", 0, 4), expected, rtol=1e-5, atol=1e-5)


def test_steps_and_the_first_number_are_those_of_the_spec(kinds):
    """Missing is the mean before the scale."""
    known = signed_log1p(of_training(kinds, "sound"))
    scaler = MinMaxScaler().fit(known)
    for query_id in kinds.all_lists:
        values = signed_log1p(raw(kinds, query_id, "sound"))
        expected = scaler.transform(np.where(np.isnan(values), np.nanmean(known, axis=0), values))
        np.testing.assert_allclose(columns(kinds, query_id, "sound", 1, 2), expected, rtol=1e-5, atol=1e-6)


def test_the_vector_of_a_pair_takes_the_default_steps(kinds):
    known = signed_log1p(of_training(kinds, "factors"))
    for query_id in kinds.all_lists:
        expected = zscores(signed_log1p(raw(kinds, query_id, "factors")), known)
        np.testing.assert_allclose(columns(kinds, query_id, "factors", 0, 2), expected, rtol=1e-5, atol=1e-5)


def test_the_vector_of_a_query_is_that_of_each_document(kinds):
    """Its mean is over the documents of the training lists."""
    mean = np.nanmean(of_training(kinds, "taste"), axis=0)
    for query_id in kinds.all_lists:
        values = raw(kinds, query_id, "taste")
        expected = np.where(np.isnan(values), mean, values)
        np.testing.assert_allclose(columns(kinds, query_id, "taste", 0, 3), expected, rtol=1e-6)


def test_zscores_within_the_list(kinds):
    spread = 0
    for query_id in kinds.all_lists:
        values = raw(kinds, query_id, "picture")
        for at, column in enumerate(values.T):
            known = column[~np.isnan(column)]
            got = kinds.dense(query_id, f"zscore_in_list_picture_{at}")
            if len(known) > 1:
                spread += 1
                expected = np.nan_to_num((column - known.mean()) / known.std(), nan=0.0)
                np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
            else:
                assert not got.any()
    assert spread > 50
