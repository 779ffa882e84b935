"""Propensities by expectation-maximisation: against a general maximiser, and those that the made-up store planted."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from ranker.data.clicks.propensities import GROUPS
from ranker.data.clicks.propensity_em import Cells, by_em, by_regression_em
from ranker.data.data_error import DataError
from ranker.data.store.generator import make_store

POSITIONS = 10


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> pd.DataFrame:
    files = make_store(tmp_path_factory.mktemp("store"), queries=300, impressions=60_000, seed=2)
    log = pd.read_parquet(files.clicks)
    log["group"] = log["query_id"].str[1:].astype(int) % GROUPS
    log.attrs["planted"] = np.array(json.loads(files.clicks_truth.read_text())["examination"])
    return log


def cells_of(rows: pd.DataFrame, unit: np.ndarray | pd.Series) -> Cells:
    counts = rows.assign(unit=unit).groupby(["unit", "position", "group"])["clicked"].agg(["size", "sum"]).reset_index()
    columns = ("unit", "position", "group", "size", "sum")
    return Cells(*(counts[column].to_numpy(np.int64) for column in columns))


def pairs(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby(["query_id", "document_id"]).ngroup()


def quantile_codes(values: pd.Series, intervals: int) -> np.ndarray:
    return np.searchsorted(np.quantile(values, np.arange(1, intervals) / intervals), values, side="right")


def few(seed: int = 1, units: int = 6, positions: int = 3, impressions: int = 300) -> tuple[Cells, np.ndarray]:
    """All units at all positions, and the propensities they were drawn with."""
    rng = np.random.default_rng(seed)
    propensity, attraction = 0.9 / np.arange(1, positions + 1), rng.uniform(0.2, 0.8, units)
    unit, position = (axis.ravel() for axis in np.indices((units, positions)))
    shown = np.full(units * positions, impressions)
    clicks = rng.binomial(shown, propensity[position] * attraction[unit])
    return Cells(unit, position + 1, unit % 3, shown, clicks), propensity / propensity[0]


def negative_likelihood(rates: np.ndarray, cells: Cells) -> float:
    return -float(np.sum(cells.clicks * np.log(rates) + (cells.shown - cells.clicks) * np.log1p(-rates)))


# --- the most likely -------------------------------------------------------------------------------------------------


def test_em_finds_what_a_general_maximiser_finds() -> None:
    cells, _ = few()

    def objective(logits: np.ndarray) -> float:
        values = expit(logits)
        return negative_likelihood(values[:3][cells.position - 1] * values[3:][cells.unit], cells)

    best = minimize(objective, np.zeros(9), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000})
    expected = expit(best.x[:3])
    found = by_em(cells, 3)
    assert found.converged
    assert found.steps > 10
    np.testing.assert_allclose(found.values, expected / expected[0], rtol=2e-4)


def test_regression_em_finds_what_a_general_maximiser_finds() -> None:
    """Units are combinations of two codes; the maximiser has the same small penalty."""
    cells, _ = few(units=6, impressions=2000)
    codes = np.array([[unit % 3, unit // 3] for unit in range(6)])
    design = np.concatenate([np.eye(3)[codes[:, 0]], np.eye(2)[codes[:, 1]]], axis=1)

    def objective(parameters: np.ndarray) -> float:
        rates = expit(parameters[:3])[cells.position - 1] * expit(design @ parameters[3:])[cells.unit]
        return negative_likelihood(rates, cells) + 0.5 * float(np.sum(parameters[3:] ** 2))

    best = minimize(objective, np.zeros(8), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000})
    expected = expit(best.x[:3])
    found = by_regression_em(cells, codes, 3)
    assert found.converged
    np.testing.assert_allclose(found.values, expected / expected[0], rtol=1e-3)


def test_expected_clicks_give_back_the_propensities() -> None:
    unit, position = (axis.ravel() for axis in np.indices((4, 3)))
    propensity, attraction = np.array([1, 0.5, 0.2]), np.array([0.1, 0.3, 0.6, 0.8])
    shown = np.full(12, 10_000)
    clicks = np.rint(shown * propensity[position] * attraction[unit]).astype(np.int64)
    cells = Cells(unit, position + 1, unit % 2, shown, clicks)
    np.testing.assert_allclose(by_em(cells, 3).values, propensity, rtol=1e-3)
    codes = np.arange(4)[:, None]
    np.testing.assert_allclose(by_regression_em(cells, codes, 3).values, propensity, rtol=1e-2)


def test_documents_shown_at_one_position_or_seldom_tell_nothing() -> None:
    cells, _ = few()
    once = Cells(
        np.array([6, 7, 7]), np.array([1, 1, 2]), np.array([0, 1, 1]), np.array([500, 20, 9]), np.array([9] * 3)
    )
    more = Cells(*(np.concatenate([getattr(one, name) for one in (cells, once)]) for name in vars(cells)))
    found, expected = by_em(more, 3), by_em(cells, 3)
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.shown.tolist() == expected.shown.tolist() == [1800] * 3


def test_a_group_without_which_a_position_is_unknown_leaves_its_interval_unknown() -> None:
    cells, _ = few()
    deep = cells.position == 3
    found = by_em(Cells(cells.unit, cells.position, np.where(deep, 0, cells.group), cells.shown, cells.clicks), 3)
    told = [one["interval"] is None for one in found.to_json()["positions"]]
    assert told == [False, False, True]


# --- what was planted ------------------------------------------------------------------------------------------------


def test_em_finds_what_was_planted(log) -> None:
    found = by_em(cells_of(log, pairs(log)), POSITIONS)
    np.testing.assert_allclose(found.values, log.attrs["planted"], rtol=0.1)
    inside = (found.low <= log.attrs["planted"]) & (log.attrs["planted"] <= found.high)
    assert inside.sum() >= POSITIONS - 2
    assert np.all((found.high / found.low)[1:] < 1.25)


def test_em_needs_no_experiments_if_the_ranker_changes(log) -> None:
    natural = log[log["experiment"] == ""]
    found = by_em(cells_of(natural, pairs(natural)), POSITIONS)
    np.testing.assert_allclose(found.values, log.attrs["planted"], rtol=0.2)


def test_regression_em_by_the_score_of_the_ranker_finds_what_was_planted(log) -> None:
    codes = np.arange(64)[:, None]
    found = by_regression_em(cells_of(log, quantile_codes(log["score"], 64)), codes, POSITIONS)
    np.testing.assert_allclose(found.values, log.attrs["planted"], rtol=0.15)
    assert found.method == "regression_em"
    assert found.to_json()["converged"] is True


def test_regression_em_on_what_the_ranker_did_not_know_is_too_steep(log) -> None:
    """As its description warns: documents at the top are better than such a feature says."""
    other = np.random.default_rng(1).integers(8, size=len(log))
    found = by_regression_em(cells_of(log, other), np.arange(8)[:, None], POSITIONS)
    assert np.all(found.values[2:] < 0.75 * log.attrs["planted"][2:])


def test_regression_em_takes_several_features(log) -> None:
    score, noise = quantile_codes(log["score"], 16), np.random.default_rng(1).integers(3, size=len(log))
    codes = np.array([[unit // 3, unit % 3] for unit in range(48)])
    found = by_regression_em(cells_of(log, score * 3 + noise), codes, POSITIONS)
    np.testing.assert_allclose(found.values, log.attrs["planted"], rtol=0.2)


# --- too little ------------------------------------------------------------------------------------------------------


def test_too_few_are_told() -> None:
    cells, _ = few(impressions=20)
    with pytest.raises(DataError, match=r"propensities by em: position 4 has 0 impressions of documents .* 0 clicks"):
        by_em(cells, 4)
    with pytest.raises(DataError, match="propensities by regression_em: position 4 has 0 impressions with 0 clicks"):
        by_regression_em(cells, np.arange(6)[:, None], 4)


def test_documents_that_never_moved_are_told() -> None:
    cells, _ = few()
    still = cells.where(cells.position == cells.unit % 3 + 1)
    with pytest.raises(DataError, match=r"position 1 has 0 impressions of documents that were shown 30 times or more"):
        by_em(still, 3)
