"""Propensities by experiments: against computations by hand, and against those that the made-up store planted."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from ranker.data.clicks.propensities import GROUPS, Propensities, Swaps, by_randomisation, by_swaps, interval
from ranker.data.data_error import DataError
from ranker.data.store.generator import make_store

IMPRESSIONS, POSITIONS = 60_000, 10


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> pd.DataFrame:
    files = make_store(tmp_path_factory.mktemp("store"), queries=300, impressions=IMPRESSIONS, seed=2)
    log = pd.read_parquet(files.clicks)
    log["group"] = log["query_id"].str[1:].astype(int) % GROUPS
    log.attrs["planted"] = json.loads(files.clicks_truth.read_text())["examination"]
    return log


def counted(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Shown and clicks `[positions, groups]`."""
    shown = np.zeros((POSITIONS, GROUPS), np.int64)
    clicks = np.zeros_like(shown)
    np.add.at(shown, (rows["position"] - 1, rows["group"]), 1)
    np.add.at(clicks, (rows["position"] - 1, rows["group"]), rows["clicked"])
    return shown, clicks


def swaps_of(log: pd.DataFrame) -> Swaps:
    shown, clicks = counted(log[log["experiment"] == ""])
    names = sorted(set(log["experiment"]) - {"", "shuffled"})
    pairs = np.array([[int(position) for position in name.split()[1:]] for name in names])
    swapped = [counted(log[log["experiment"] == name]) for name in names]
    return Swaps(
        pairs,
        np.stack([[shown[i - 1], other[i - 1]] for (i, _), (other, _) in zip(pairs, swapped, strict=True)]),
        np.stack([[clicks[pair - 1], other[pair - 1]] for pair, (_, other) in zip(pairs, swapped, strict=True)]),
    )


def one_group(*counts: float) -> np.ndarray:
    return np.array(counts, np.int64)[:, None]


# --- randomisation ---------------------------------------------------------------------------------------------------


def test_randomisation_is_the_click_rate_over_that_of_the_first_position() -> None:
    found = by_randomisation(one_group(200, 200, 100), one_group(80, 20, 5))
    np.testing.assert_allclose(found.values, [1, (20 / 200) / (80 / 200), (5 / 100) / (80 / 200)])
    assert (found.shown.tolist(), found.clicks.tolist()) == ([200, 200, 100], [80, 20, 5])
    assert np.isnan(found.low).all(), "one group of queries tells nothing of the spread"
    assert np.isnan(found.high).all()


def test_the_interval_is_that_of_leaving_out_one_group_after_the_other() -> None:
    shown = np.array([[100, 200, 150], [100, 200, 150]])
    clicks = np.array([[50, 90, 80], [20, 50, 25]])
    found = by_randomisation(shown, clicks)
    ratios = [(75 / 350) / (170 / 350), (45 / 250) / (130 / 250), (70 / 300) / (140 / 300)]
    logs = [math.log(ratio) for ratio in ratios]
    mean = sum(logs) / 3
    error = math.sqrt(2 / 3 * sum((one - mean) ** 2 for one in logs))
    spread = math.exp(student.ppf(0.975, df=2) * error)
    ratio = (95 / 450) / (220 / 450)
    np.testing.assert_allclose([found.low[1], found.values[1], found.high[1]], [ratio / spread, ratio, ratio * spread])
    assert (found.low[0], found.high[0]) == (1, 1)


def test_randomisation_finds_what_was_planted(log) -> None:
    found = by_randomisation(*counted(log[log["experiment"] == "shuffled"]))
    check(found, log, within=0.2)


def test_the_log_as_it_is_tells_otherwise(log) -> None:
    """Click rates of an order by merit are steeper than propensities: there is something to correct."""
    found = by_randomisation(*counted(log[log["experiment"] == ""]))
    assert np.all(found.high[1:] < log.attrs["planted"][1:])


def check(found: Propensities, log: pd.DataFrame, within: float) -> None:
    planted = np.array(log.attrs["planted"])
    np.testing.assert_allclose(found.values, planted, rtol=within)
    inside = (found.low <= planted) & (planted <= found.high)
    assert inside.sum() >= POSITIONS - 1, found
    assert found.values[0] == 1
    assert np.all(found.high[1:] / found.low[1:] < 1.6)


# --- swaps -----------------------------------------------------------------------------------------------------------


def test_a_swap_counts_both_documents() -> None:
    swaps = Swaps(
        positions=np.array([[1, 2]]),
        shown=np.array([[[1000], [200]]]),
        clicks=np.array([[[[400], [100]], [[60], [30]]]]),
    )
    found = by_swaps(swaps, 2)
    assert found.values[1] == pytest.approx((100 / 1000 + 30 / 200) / (400 / 1000 + 60 / 200))
    assert (found.shown.tolist(), found.clicks.tolist()) == ([200, 200], [60, 30])


def test_expected_clicks_give_back_the_propensities_whatever_is_swapped() -> None:
    """Documents of attraction 0.8, 0.5 and 0.3 at positions of propensity 1, 0.6 and 0.3."""
    attraction, propensity, shown = [0.8, 0.5, 0.3], [1, 0.6, 0.3], 100_000
    for pairs in ([(1, 2), (2, 3)], [(1, 2), (1, 3)], [(1, 2), (1, 3), (2, 3)]):
        rates = [
            [
                [propensity[i - 1] * attraction[i - 1], propensity[j - 1] * attraction[j - 1]],
                [propensity[i - 1] * attraction[j - 1], propensity[j - 1] * attraction[i - 1]],
            ]
            for i, j in pairs
        ]
        clicks = np.rint(np.array(rates)[..., None] * shown).astype(np.int64)
        found = by_swaps(Swaps(np.array(pairs), np.full((len(pairs), 2, 1), shown), clicks), 3)
        np.testing.assert_allclose(found.values, propensity, rtol=1e-9)


def test_a_chain_is_multiplied_and_two_ways_are_averaged_by_what_they_are_worth() -> None:
    def swaps(pairs: list[tuple[int, int]], ratios: list[float], shown: list[int]) -> Swaps:
        clicks = [[[[n // 2], [round(n / 2 * r)]]] * 2 for r, n in zip(ratios, shown, strict=True)]
        return Swaps(np.array(pairs), np.array([[[n]] * 2 for n in shown]), np.array(clicks))

    chain = by_swaps(swaps([(1, 2), (2, 3)], [0.5, 0.4], [10_000, 10_000]), 3)
    np.testing.assert_allclose(chain.values, [1, 0.5, 0.2])
    pairs, ratios, shown = [(1, 2), (2, 3), (1, 3)], [0.5, 0.4, 0.3], [10_000, 10_000, 40_000]
    found = by_swaps(swaps(pairs, ratios, shown), 3)
    variance = [
        sum((1 - rate) / (2 * n * rate) for rate in (0.5, 0.5 * ratio)) for n, ratio in zip(shown, ratios, strict=True)
    ]
    matrix = np.array([[1, 0], [-1, 1], [0, 1]])
    weighted = matrix.T / variance
    expected = np.exp(np.linalg.solve(weighted @ matrix, weighted @ np.log(ratios)))
    np.testing.assert_allclose(found.values[1:], expected, rtol=1e-9)
    assert 0.2 < found.values[2] < 0.3


def test_swaps_find_what_was_planted(log) -> None:
    found = by_swaps(swaps_of(log), POSITIONS)
    check(found, log, within=0.2)


def test_swaps_that_do_not_lead_to_a_position_are_told() -> None:
    pairs = np.array([[1, 2], [3, 4]])
    swaps = Swaps(pairs, np.full((2, 2, 1), 1000), np.full((2, 2, 2, 1), 100))
    with pytest.raises(DataError, match=r"no swaps with clicks lead from position 1 to 3, 4; swapped were 1-2, 3-4"):
        by_swaps(swaps, 4)


# --- intervals -------------------------------------------------------------------------------------------------------


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """400 small logs, drawn anew, whose queries differ in attraction."""
    rng = np.random.default_rng(3)
    held = []
    for _ in range(400):
        attraction = rng.beta(1, 3, (1, GROUPS))
        shown = rng.poisson(np.full((2, GROUPS), 150)) + 1
        clicks = rng.binomial(shown, attraction * np.array([[1], [0.5]]))
        found = by_randomisation(shown, clicks)
        held.append(found.low[1] <= 0.5 <= found.high[1])
    assert 0.92 < np.mean(held) < 0.98


def test_empty_groups_do_not_count() -> None:
    shown = np.array([[100, 0, 200], [100, 0, 200]])
    clicks = np.array([[50, 0, 90], [20, 0, 50]])
    found, expected = by_randomisation(shown, clicks), by_randomisation(shown[:, ::2], clicks[:, ::2])
    np.testing.assert_array_equal(found.low, expected.low)


def test_an_interval_is_unknown_where_all_that_is_known_comes_from_one_group() -> None:
    shown = np.array([[100, 100], [100, 100], [100, 100]])
    clicks = np.array([[50, 40], [30, 20], [10, 0]])
    found = by_randomisation(shown, clicks)
    assert np.isfinite(found.low[1])
    assert not np.isfinite(found.low[2] * found.high[2])
    assert found.to_json()["positions"][2]["interval"] is None


def test_an_interval_needs_two_groups() -> None:
    low, high = interval(np.ones(2), lambda groups: np.ones(2), np.array([0, 5]))
    assert np.isnan([*low, *high]).all()


# --- what is made of them --------------------------------------------------------------------------------------------


def test_weights_are_the_inverse_up_to_a_bound() -> None:
    found = by_randomisation(one_group(100, 100, 100), one_group(80, 40, 2))
    np.testing.assert_allclose(found.weights(10), [1, 2, 10])
    np.testing.assert_allclose(found.weights(100), [1, 2, 40])


def test_inverse_propensity_weights_make_shown_and_unbiased_click_rates_agree(log) -> None:
    """Weighted clicks of a document per impression have the same expectation at all positions."""
    found = by_randomisation(*counted(log[log["experiment"] == "shuffled"]))
    shuffled = log[log["experiment"] == "shuffled"]
    weighted = shuffled["clicked"] * found.weights(100)[shuffled["position"] - 1]
    rates = weighted.groupby(shuffled["position"]).mean()
    np.testing.assert_allclose(rates, rates.iloc[0])


def test_as_json() -> None:
    found = by_randomisation(np.array([[100, 100], [100, 100]]), np.array([[50, 50], [30, 30]]))
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["method"] == "randomisation"
    assert told["positions"][1] == {
        "position": 2,
        "propensity": pytest.approx(0.6),
        "interval": [pytest.approx(0.6), pytest.approx(0.6)],
        "shown": 200,
        "clicks": 60,
    }
    assert "steps" not in told


# --- too little ------------------------------------------------------------------------------------------------------


def test_positions_of_which_too_little_is_known_are_named() -> None:
    shown, clicks = one_group(1000, 99, 100, 100), one_group(400, 30, 0, 1)
    told = (
        "propensities by randomisation: position 2 has 99 impressions in random order with 30 clicks; position 3 has "
        "100 impressions in random order with 0 clicks; expected at least 100 and 1; give a longer log"
    )
    with pytest.raises(DataError, match=re.escape(told)):
        by_randomisation(shown, clicks)


@pytest.mark.parametrize(
    ("shown", "clicks", "told"),
    [
        ([[[1000], [50]]], [[[[400], [100]], [[60], [30]]]], "position 1 has 50 swapped impressions with 60 clicks"),
        ([[[9], [500]]], [[[[4], [1]], [[60], [30]]]], "position 1 has 9 impressions that could have been swapped"),
        ([[[1000], [500]]], [[[[400], [100]], [[60], [0]]]], "position 2 has 500 swapped impressions with 0 clicks"),
    ],
)
def test_too_few_swaps_are_told(shown, clicks, told) -> None:
    with pytest.raises(DataError, match=told):
        by_swaps(Swaps(np.array([[1, 2]]), np.array(shown), np.array(clicks)), 2)


def test_a_position_without_swaps_is_told() -> None:
    swaps = Swaps(np.array([[1, 2]]), np.full((1, 2, 1), 1000), np.full((1, 2, 2, 1), 100))
    with pytest.raises(DataError, match="position 3 has 0 impressions that could have been swapped with 0 clicks"):
        by_swaps(swaps, 3)
