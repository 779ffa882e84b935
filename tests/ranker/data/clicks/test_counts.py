"""Propensities of click logs: against those from counts by pandas, and against those that the made-up store planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ranker.data.clicks import counts as click_counts
from ranker.data.clicks.counts import estimate
from ranker.data.clicks.impressions import ImpressionLog, ImpressionTable, swap_of, wanted_columns
from ranker.data.clicks.propensities import Propensities, Swaps, by_randomisation, by_swaps
from ranker.data.clicks.propensity_em import Cells, by_em, by_regression_em
from ranker.data.rejected_rows import RejectedRows
from ranker.data.store.generator import StoreFiles, make_store
from ranker.data.tables import partitions
from ranker.data.tables.roles import TableFiles
from ranker.data.tables.source_table import DOCUMENT, LABEL, POSITION, QUERY, Count
from ranker.spec import load_spec

POSITIONS = 6
SPEC = """\
version: 1
data: {sources: [{kind: clicks, queries: q.jsonl, documents: d.jsonl, impressions: clicks.parquet}]}
features: {document: [{name: price, kind: numeric}]}
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""
METHODS: dict[str, tuple[str, ...]] = {
    "randomisation": ("propensity.by=randomisation", "experiment=experiment"),
    "swaps": ("propensity.by=swaps", "experiment=experiment"),
    "em": ("propensity.by=em",),
    "regression_em": ("propensity={by: regression_em, features: [score]}",),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StoreFiles:
    """300 queries, of which few are asked often."""
    return make_store(tmp_path_factory.mktemp("store"), impressions=30_000, positions=POSITIONS, seed=3)


@pytest.fixture(scope="module")
def log(store: StoreFiles) -> pd.DataFrame:
    return pd.read_parquet(store.clicks)


@pytest.fixture
def estimated(store: StoreFiles, tmp_path: Path) -> Callable[..., Propensities]:
    """`estimated(impressions, overrides)` are the propensities of these rows (else of the store's log).

    Overrides are those of the source; `several` says that there have to be several partitions.
    """

    def estimated(impressions: pd.DataFrame | None, *overrides: str, several: bool = False) -> Propensities:
        (tmp_path / "ranker.yaml").write_text(SPEC, encoding="utf-8")
        spec = load_spec(tmp_path / "ranker.yaml", [f"data.sources.0.{one}" for one in overrides])
        file = store.clicks
        if impressions is not None:
            file = tmp_path / "clicks.parquet"
            impressions.to_parquet(file, index=False)
        columns = wanted_columns(spec.data.sources[0], [])
        count = Count(lambda _: None)
        table = ImpressionTable(spec, TableFiles.of([file]), (QUERY, DOCUMENT), columns, count, (LABEL, POSITION))
        with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
            read = ImpressionLog.read(table, tmp_path / f"log-{len(list(tmp_path.iterdir()))}", rejected)
        assert read.rows.partitions > 1 or not several
        return estimate(read)

    return estimated


def one_group(values: Any) -> np.ndarray:
    return np.asarray(values)[..., None]


def expected_by_randomisation(log: pd.DataFrame):
    counts = log[log["experiment"] == "shuffled"].groupby("position")["clicked"].agg(["size", "sum"])
    return by_randomisation(one_group(counts["size"]), one_group(counts["sum"]))


def expected_by_swaps(log: pd.DataFrame):
    pairs, shown, clicks = [], [], []
    control = log[log["experiment"] == ""].groupby("position")["clicked"].agg(["size", "sum"])
    for name, rows in log.groupby("experiment"):
        if name.startswith("swap"):
            pair = [int(position) for position in name.split()[1:]]
            swapped = rows.groupby("position")["clicked"].agg(["size", "sum"])
            pairs.append(pair)
            shown.append([control["size"][pair[0]], swapped["size"][pair[0]]])
            clicks.append([control["sum"][pair].tolist(), swapped["sum"][pair].tolist()])
    return by_swaps(Swaps(np.array(pairs), one_group(shown), one_group(clicks)), POSITIONS)


def cells_of(log: pd.DataFrame, unit: Any) -> Cells:
    counts = log.assign(unit=unit).groupby(["unit", "position"])["clicked"].agg(["size", "sum"]).reset_index()
    columns = [counts[name].to_numpy(np.int64) for name in ("unit", "position", "size", "sum")]
    return Cells(columns[0], columns[1], np.zeros(len(counts), np.int64), *columns[2:])


def expected_by_em(log: pd.DataFrame):
    return by_em(cells_of(log, log.groupby(["query_id", "document_id"]).ngroup()), POSITIONS)


def expected_by_regression_em(log: pd.DataFrame):
    ends = np.quantile(log["score"].astype(float), np.arange(1, 64) / 64)
    code = np.searchsorted(ends, log["score"].astype(float), side="right")
    return by_regression_em(cells_of(log, code), np.arange(64)[:, None], POSITIONS)


EXPECTED = {
    "randomisation": expected_by_randomisation,
    "swaps": expected_by_swaps,
    "em": expected_by_em,
    "regression_em": expected_by_regression_em,
}


@pytest.mark.parametrize("method", METHODS)
def test_propensities_are_those_of_counts_by_pandas_and_near_those_planted(estimated, log, store, method) -> None:
    found, expected = estimated(None, *METHODS[method]), EXPECTED[method](log)
    assert found.method == method
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-4)
    np.testing.assert_array_equal(found.shown, expected.shown)
    np.testing.assert_array_equal(found.clicks, expected.clicks)
    planted = np.array(json.loads(store.clicks_truth.read_text())["examination"])
    np.testing.assert_allclose(found.values, planted, rtol=0.2)
    assert np.sum((found.low <= planted) & (planted <= found.high)) >= POSITIONS - 1
    assert np.all(found.low[1:] < found.values[1:])


@pytest.mark.parametrize("method", METHODS)
def test_partitions_change_nothing(estimated, method, monkeypatch) -> None:
    expected = estimated(None, *METHODS[method])
    monkeypatch.setattr(partitions, "_PARTITION", 100_000)
    monkeypatch.setattr(click_counts, "_SAMPLE", 10**9)
    found = estimated(None, *METHODS[method], several=True)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-4)
    np.testing.assert_allclose(found.low, expected.low, rtol=1e-3)


def test_regression_em_takes_its_intervals_from_the_first_partitions(estimated, store, monkeypatch) -> None:
    monkeypatch.setattr(partitions, "_PARTITION", 100_000)
    monkeypatch.setattr(click_counts, "_SAMPLE", 5000)
    found = estimated(None, *METHODS["regression_em"])
    planted = json.loads(store.clicks_truth.read_text())["examination"]
    np.testing.assert_allclose(found.values, planted, rtol=0.2)
    assert found.shown.tolist() == [30_000] * POSITIONS


def test_em_looks_at_some_queries_of_a_large_log(estimated, store, monkeypatch) -> None:
    monkeypatch.setattr(partitions, "_PARTITION", 100_000)
    monkeypatch.setattr(click_counts, "_MOST_CELLS", 4000)
    found = estimated(None, *METHODS["em"])
    assert np.all((found.shown > 3000) & (found.shown < 20_000))
    np.testing.assert_allclose(found.values, json.loads(store.clicks_truth.read_text())["examination"], rtol=0.25)


def test_features_of_the_regression_may_be_missing_or_several(estimated, log, store) -> None:
    gaps = log.assign(noise=np.arange(len(log)) % 7)
    gaps.loc[gaps.index % 5 == 0, "score"] = np.nan
    found = estimated(gaps, "propensity={by: regression_em, features: [score, noise]}")
    assert found.shown.sum() == len(log)
    planted = np.array(json.loads(store.clicks_truth.read_text())["examination"])
    np.testing.assert_allclose(found.values, planted, rtol=0.35)


def test_short_impressions_say_nothing_of_swaps_of_positions_they_lack(estimated, log) -> None:
    """Those of two documents, all of them clicked, are no control group of swaps with the third position."""
    log = log[log["experiment"] != "swap 1 2"]
    short = log[log["position"] <= 2].assign(clicked=1, experiment="")
    short["impression_id"] += "s"
    found = estimated(pd.concat([log, short]), *METHODS["swaps"])
    np.testing.assert_allclose(found.values, expected_by_swaps(log).values, rtol=1e-9)


def test_what_was_set_aside_does_not_count(estimated, log) -> None:
    """Documents that appear again in their impression, all of them clicked."""
    again = log[log["experiment"] == "shuffled"].assign(clicked=1)
    found = estimated(pd.concat([log, again]), *METHODS["randomisation"])
    np.testing.assert_array_equal(found.clicks, expected_by_randomisation(log).clicks)


@pytest.mark.parametrize(
    ("experiment", "swap"),
    [
        ("swap 1 2", (1, 2)),
        ("swap 7 3", (3, 7)),
        ("swap 2 2", None),
        ("swap 0 2", None),
        ("swap 1 2 ", None),
        ("", None),
    ],
)
def test_what_a_swap_is_called(experiment, swap) -> None:
    assert swap_of(experiment) == swap
