"""The click log of the made-up store: what is shown, and clicks by the click model that is stated."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import ndcg_score

from ranker.data.store import clicks as store_clicks
from ranker.data.store import generator as store_module
from ranker.data.store.generator import StoreFiles, make_store

IMPRESSIONS, POSITIONS, QUERIES = 30_000, 8, 120
FIRST_DAY, LAST_DAY = pd.Timestamp("2025-01-01", tz="UTC"), pd.Timestamp("2025-04-01", tz="UTC")


@dataclass(frozen=True)
class Log:
    files: StoreFiles
    shown: pd.DataFrame
    judgments: pd.DataFrame

    @property
    def graded(self) -> pd.DataFrame:
        return self.shown.merge(self.judgments, on=["query_id", "document_id"], validate="many_to_one")


def read(files: StoreFiles) -> Log:
    return Log(files, pd.read_parquet(files.clicks), pd.read_csv(files.judgments))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    out = tmp_path_factory.mktemp("store")
    return read(make_store(out, queries=QUERIES, impressions=IMPRESSIONS, positions=POSITIONS, eta=0.8, seed=5))


def by_position(log: Log, column: str) -> np.ndarray:
    """Rows are impressions."""
    return log.shown[column].to_numpy().reshape(-1, POSITIONS)


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_an_impression_is_the_first_documents_of_its_list(log: Log) -> None:
    assert len(log.shown) == IMPRESSIONS * POSITIONS == len(log.graded)
    assert np.all(by_position(log, "position") == np.arange(1, POSITIONS + 1))
    for column in ("impression_id", "query_id", "timestamp", "experiment"):
        values = by_position(log, column)
        assert np.all(values == values[:, :1]), column
    assert log.shown["impression_id"].nunique() == IMPRESSIONS
    assert not log.shown.duplicated(["impression_id", "document_id"]).any()


def test_times_ascend_and_are_spread_over_the_period(log: Log) -> None:
    times = log.shown["timestamp"]
    assert times.is_monotonic_increasing
    assert FIRST_DAY <= times.min() < FIRST_DAY + pd.Timedelta("1h")
    assert LAST_DAY - pd.Timedelta("1h") < times.max() < LAST_DAY
    days = times[::POSITIONS].dt.dayofyear.value_counts()
    assert len(days) == 90
    assert np.all(np.abs(days - IMPRESSIONS / 90) < 5 * math.sqrt(IMPRESSIONS / 90))


def test_a_few_queries_are_asked_often(log: Log) -> None:
    counts = log.shown["query_id"].value_counts().to_numpy() / POSITIONS
    expected = np.arange(1, QUERIES + 1) ** -0.7
    expected *= IMPRESSIONS / expected.sum()
    assert len(counts) == QUERIES
    np.testing.assert_allclose(counts, expected, atol=5 * math.sqrt(expected[0]))


def test_experiments_change_the_order_as_they_say_and_the_rest_is_by_score(log: Log) -> None:
    score, experiment = by_position(log, "score"), by_position(log, "experiment")[:, 0]
    control = experiment == ""
    assert np.all(np.diff(score[control], axis=1) <= 0)
    shuffled = experiment == "shuffled"
    assert abs(np.mean(np.diff(score[shuffled], axis=1) <= 0) - 0.5) < 0.02
    swaps = pd.Series(experiment[~control & ~shuffled]).value_counts()
    assert set(swaps.index) == {f"swap 1 {k}" for k in range(2, 9)} | {f"swap {k} {k + 1}" for k in range(1, 8)}
    for name in swaps.index:
        first, second = (int(position) - 1 for position in name.split()[1:])
        rows = score[experiment == name]
        rows[:, [first, second]] = rows[:, [second, first]]
        assert np.all(np.diff(rows, axis=1) <= 0), name
    shares = {"": control.mean(), "shuffled": shuffled.mean()}
    assert shares == pytest.approx({"": 0.7, "shuffled": 0.1}, abs=0.01)
    each = IMPRESSIONS * 0.1 / 7
    expected = {name: each * (1 + (name == "swap 1 2")) for name in swaps.index}
    assert np.all(np.abs(swaps - pd.Series(expected)) < 5 * math.sqrt(each * 2))


def test_the_ranker_is_better_than_chance_and_worse_than_the_truth(log: Log) -> None:
    label = log.graded["label"].to_numpy().reshape(-1, POSITIONS)
    control = by_position(log, "experiment")[:, 0] == ""
    some = np.flatnonzero(control & (label.max(axis=1) > 0))[:4000]
    order = -np.broadcast_to(np.arange(POSITIONS), (len(some), POSITIONS))
    reached = ndcg_score(2.0 ** label[some] - 1, order)
    chance = ndcg_score(2.0 ** label[some] - 1, np.random.default_rng(1).random(order.shape))
    assert chance + 0.05 < reached < 0.95


def test_positions_of_a_document_vary(log: Log) -> None:
    control = log.shown[log.shown["experiment"] == ""]
    pairs = control.groupby(["query_id", "document_id"])["position"]
    assert np.mean(pairs.nunique()[pairs.size() >= 20] >= 3) > 0.9


# --- clicks ----------------------------------------------------------------------------------------------------------


def expected_rate(position: pd.Series, label: pd.Series) -> pd.Series:
    """(1 / k)^0.8 times the attraction of the label, in steps of 0.06 from 0.1 for nothing, to 1 for 4."""
    return position**-0.8 * (0.1 + 0.06 * (2**label - 1))


def test_clicks_come_at_the_rate_of_the_click_model_in_every_cell(log: Log) -> None:
    graded = log.graded
    cells = graded.groupby(["position", "label"])["clicked"].agg(["size", "mean"]).reset_index()
    expected = expected_rate(cells["position"], cells["label"])
    deviation = (cells["mean"] - expected) / np.sqrt(expected * (1 - expected) / cells["size"]).clip(lower=1e-12)
    assert len(cells) == POSITIONS * 5
    assert np.all(np.abs(deviation) < 4), cells.assign(deviation=deviation)
    assert 0.5 < np.std(deviation) < 1.5


def test_clicks_of_an_impression_are_drawn_apart(log: Log) -> None:
    graded = log.graded
    rest = (graded["clicked"] - expected_rate(graded["position"], graded["label"])).to_numpy().reshape(-1, POSITIONS)
    correlation = np.corrcoef(rest.T)[np.triu_indices(POSITIONS, 1)]
    assert np.all(np.abs(correlation) < 5 / math.sqrt(IMPRESSIONS))


def test_the_truth_is_written_beside_it(log: Log) -> None:
    truth = json.loads(log.files.clicks_truth.read_text())
    assert truth["click_model"] == "position-based"
    assert truth["eta"] == 0.8
    assert truth["examination"] == pytest.approx([k**-0.8 for k in range(1, 9)])
    assert truth["attraction"] == pytest.approx([0.1, 0.16, 0.28, 0.52, 1.0])
    assert sum(truth["experiments"].values()) == pytest.approx(0.3)


def test_without_position_bias_all_positions_are_examined(tmp_path: Path) -> None:
    log = read(make_store(tmp_path, queries=20, impressions=5000, positions=POSITIONS, eta=0))
    shuffled = log.shown[log.shown["experiment"] == "shuffled"].groupby("position")["clicked"].mean()
    assert shuffled.max() - shuffled.min() < 0.12
    assert json.loads(log.files.clicks_truth.read_text())["examination"] == [1.0] * POSITIONS


# --- the function ----------------------------------------------------------------------------------------------------


def test_the_log_changes_nothing_else_and_the_seed_decides_its_bytes(tmp_path: Path) -> None:
    contents = {}
    for name, seed, impressions in (("none", 3, 0), ("a", 3, 400), ("b", 3, 400), ("other", 4, 400)):
        make_store(tmp_path / name, queries=20, products=100, seed=seed, impressions=impressions)
        contents[name] = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
    assert contents["a"] == contents["b"]
    assert contents["a"]["clicks.parquet"] != contents["other"]["clicks.parquet"]
    assert contents["a"].keys() - contents["none"].keys() == {"clicks.parquet", "clicks_truth.json"}
    assert contents["a"].items() >= contents["none"].items()


def test_a_log_in_many_pieces_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_CHUNK_CELLS", 100_000)
    monkeypatch.setattr(store_clicks, "_MOST_CELLS", 1000)
    files = make_store(tmp_path, queries=50, products=1000, impressions=1000)
    log = read(files)
    assert len(log.graded) == len(log.shown) == 10_000
    assert log.shown["impression_id"].is_monotonic_increasing
    assert log.shown["impression_id"].nunique() == 1000
    times = log.shown["timestamp"]
    again = np.flatnonzero(times.diff() < pd.Timedelta(0))
    assert 0 < len(again) < 10, "in the order of time within the lists that were drawn together"
    graded = log.graded
    expected = (0.1 + 0.06 * (2 ** graded["label"] - 1)) / graded["position"]
    assert abs((graded["clicked"] - expected).mean()) < 0.01


@pytest.mark.parametrize("positions", [1, 5, 10])
def test_short_lists_are_shown_whole(tmp_path: Path, positions: int) -> None:
    log = read(make_store(tmp_path, queries=3, documents_per_query=5, products=9, impressions=200, positions=positions))
    assert log.shown.groupby("impression_id").size().unique() == [min(positions, 5)]
    assert (log.shown["experiment"] != "").any() == (positions > 1)


def test_an_old_log_does_not_stay_beside_a_new_store(tmp_path: Path) -> None:
    make_store(tmp_path, queries=3, impressions=5)
    files = make_store(tmp_path, queries=3, seed=8)
    assert not files.clicks.exists()
    assert not files.clicks_truth.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"impressions": -1}, "impressions: expected at least 0, got -1"),
        ({"positions": 0}, "positions: expected at least 1, got 0"),
        ({"eta": -0.5}, "eta: expected a number >= 0, got -0.5"),
        ({"eta": math.nan}, "eta: expected a number >= 0, got nan"),
    ],
)
def test_impossible_logs_are_refused(tmp_path: Path, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_store(tmp_path / "store", **arguments)
    assert not (tmp_path / "store").exists()
