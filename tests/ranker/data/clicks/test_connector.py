"""Lists from click logs: against pandas, and against the ways to estimate propensities given counts by pandas."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ranker.data.data_error import DataError
from ranker.data.list_names import queries_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import OpenedSource, open_source, source_files
from ranker.data.split import splits_of
from ranker.data.store.generator import StoreFiles, make_store
from ranker.data.tables import partitions
from ranker.spec import PairFeature, Spec, load_spec
from ranker.spec.features import Numeric

POSITIONS = 6
SPEC = """\
version: 1
data:
  sources:
    - {kind: clicks, queries: queries.jsonl, documents: products.jsonl, impressions: clicks.parquet,
       timestamp: timestamp}
  split: {valid: 0.2, test: 0.3}
features:
  query: [{name: query, kind: text}]
  document: [{name: title, kind: text}, {name: price, kind: numeric}]
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
def small(log: pd.DataFrame) -> pd.DataFrame:
    return log[: 400 * POSITIONS].copy()


@pytest.fixture
def opened(store: StoreFiles, tmp_path: Path) -> Callable[..., tuple[OpenedSource, RejectedRows]]:
    """`opened(impressions, overrides)` is the source on the store's tables and these impressions (else all).

    Overrides without `data.` or `features.` are those of the source; impressions are rows, or a text for clicks.csv.
    """

    def opened(
        impressions: pd.DataFrame | str | None = None, *overrides: str, pair: list[PairFeature] | None = None
    ) -> tuple[OpenedSource, RejectedRows]:
        spec = spec_of(store, tmp_path, impressions, *overrides)
        if pair:
            spec = spec.model_copy(update={"features": spec.features.model_copy(update={"pair": pair})})
        with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
            return open_source(spec, tmp_path, rejected, lambda _: None), rejected

    return opened


def spec_of(store: StoreFiles, folder: Path, impressions: pd.DataFrame | str | None, *overrides: str) -> Spec:
    (folder / "ranker.yaml").write_text(SPEC, encoding="utf-8")
    file = store.clicks
    if isinstance(impressions, str):
        file = folder / "clicks.csv"
        file.write_text(impressions, encoding="utf-8")
    elif impressions is not None:
        file = folder / "clicks.parquet"
        impressions.to_parquet(file, index=False)
    named = {"queries": store.queries, "documents": store.products, "impressions": file}
    given = [one if one.startswith(("data.", "features.")) else f"data.sources.0.{one}" for one in overrides]
    return load_spec(folder / "ranker.yaml", [*(f"data.sources.0.{key}={path}" for key, path in named.items()), *given])


def lists_of(source: OpenedSource) -> dict[str, dict[str, Any]]:
    found = {}
    for shard in source.shards:
        for part in source.read(shard, 100):
            for row in part.lists.to_pylist():
                assert row["query_id"] not in found
                price = [None if math.isnan(value) else value for value in row["price"]]
                found[row["query_id"]] = row | {"price": price, "split": part.split}
    return found


def seconds(times: pd.Series) -> list[int]:
    return [int(time.timestamp()) for time in times]


# --- lists -----------------------------------------------------------------------------------------------------------


def test_each_impression_is_a_list_and_its_query_says_the_split(opened, small, store) -> None:
    source, rejected = opened(small)
    titles = pd.read_json(store.products, lines=True).set_index("document_id")["title"]
    lists = lists_of(source)
    assert rejected.total == 0
    assert source.propensities is None
    assert len(lists) == small["impression_id"].nunique()
    for (query, impression), rows in small.groupby(["query_id", "impression_id"]):
        found = lists.pop(f"{query}/{impression}")
        assert found["document_id"] == rows["document_id"].tolist()
        assert found["label"] == rows["clicked"].tolist()
        assert found["position"] == rows["position"].tolist()
        assert found["title"] == titles[rows["document_id"]].tolist()
        assert found["timestamp"] == seconds(rows["timestamp"])[0]
        assert found["split"] == splits_of([query], source.spec.data.split)[0]
        assert "weight" not in found
    assert not lists


def test_clicks_weigh_the_inverse_of_their_propensity_up_to_the_bound(opened, log) -> None:
    shuffled = log[log["experiment"] == "shuffled"]
    source, _ = opened(shuffled, "propensity={by: randomisation, clip: 3.5}", "experiment=experiment")
    values = source.propensities.values
    for found in lists_of(source).values():
        expected = [
            min(1 / values[p - 1], 3.5) if y else 1 for y, p in zip(found["label"], found["position"], strict=True)
        ]
        np.testing.assert_allclose(found["weight"], expected, rtol=1e-6)
    assert values[-1] < 1 / 3.5 < values[1]


def test_of_a_list_per_query_labels_are_mean_weights_of_clicks_per_impression(opened, log) -> None:
    source, _ = opened(None, "lists=query", *METHODS["randomisation"])
    weights = source.propensities.weights(10)
    weighted = log.assign(value=log["clicked"] * weights[log["position"] - 1])
    lists = lists_of(source)
    assert lists.keys() == set(log["query_id"])
    for query, rows in weighted.groupby("query_id"):
        documents = rows.groupby("document_id", sort=False)
        found = lists[query]
        assert found["document_id"] == list(documents.groups)
        np.testing.assert_allclose(found["label"], documents["value"].mean(), rtol=1e-5)
        assert found["timestamp"] == max(seconds(rows["timestamp"]))
        assert found["split"] == splits_of([query], source.spec.data.split)[0]
        assert {"weight", "position"}.isdisjoint(found)


def test_without_propensities_labels_per_query_are_click_rates(opened, small) -> None:
    lists = lists_of(opened(small, "lists=query")[0])
    for query, rows in small.groupby("query_id"):
        rates = rows.groupby("document_id", sort=False)["clicked"].mean()
        np.testing.assert_allclose(lists[query]["label"], rates, rtol=1e-6)


def test_labels_per_query_are_the_attraction_that_was_planted_where_click_rates_are_far_from_it(
    opened, log, store
) -> None:
    """On the ranker's own order; propensities are not bounded here."""
    natural = log[log["experiment"] == ""]
    attraction = np.array(json.loads(store.clicks_truth.read_text())["attraction"])
    grades = pd.read_csv(store.judgments).set_index(["query_id", "document_id"])["label"]
    size = natural.groupby(["query_id", "document_id"]).size().to_dict()
    share = {}
    for name, options in {"rates": (), "unbiased": ("propensity={by: em, clip: 1000}",)}.items():
        lists = lists_of(opened(natural, "lists=query", *options)[0])
        clicks, shown = np.zeros((2, 5))
        for query, one in lists.items():
            for document, label in zip(one["document_id"], one["label"], strict=True):
                clicks[grades[query, document]] += label * size[query, document]
                shown[grades[query, document]] += size[query, document]
        share[name] = clicks / shown / attraction
    np.testing.assert_allclose(share["unbiased"], 1, atol=0.15)
    assert np.all(share["rates"] < 0.8)
    assert share["rates"][0] < 0.6 * share["rates"][4], "and not by the same factor"


@pytest.mark.parametrize("ending", ["csv", "jsonl", "jsonl.gz"])
def test_other_formats_give_the_same(opened, small, store, tmp_path, ending) -> None:
    expected = lists_of(opened(small)[0])
    file = tmp_path / f"log.{ending}"
    if ending == "csv":
        small.to_csv(file, index=False)
    else:
        small.to_json(file, orient="records", lines=True, date_format="iso")
    source, rejected = opened(None, f"impressions={file}")
    assert rejected.total == 0
    assert lists_of(source) == expected


def test_rows_of_an_impression_may_lie_apart_and_in_several_files(opened, small, tmp_path) -> None:
    scattered = small.sample(frac=1, random_state=1)
    for number in range(3):
        scattered[number::3].to_parquet(tmp_path / f"part-{number}.parquet", index=False)
    in_order = pd.concat([scattered[number::3] for number in range(3)])
    lists = lists_of(opened(None, f"impressions={tmp_path}/part-*.parquet")[0])
    assert len(lists) == 400
    for (query, impression), rows in in_order.groupby(["query_id", "impression_id"]):
        found = lists[f"{query}/{impression}"]
        assert found["document_id"] == rows["document_id"].tolist()
        assert found["position"] == rows["position"].tolist()


def test_an_impression_with_two_queries_is_two_lists(opened) -> None:
    rows = "impression_id,query_id,document_id,position,clicked,timestamp\n"
    rows += "i,q00000,p000000,1,1,5\ni,q00001,p000000,1,0,5\ni,q00000,p000001,2,0,5\n"
    lists = lists_of(opened(rows)[0])
    assert {name: one["label"] for name, one in lists.items()} == {"q00000/i": [1, 0], "q00001/i": [0]}


def test_the_name_of_an_impression_says_its_query_whatever_the_ids(opened, store, tmp_path) -> None:
    names = ["a/b", "a", "5%2F"]
    asked = "".join(json.dumps({"query_id": name, "query": "x"}) + "\n" for name in names)
    (tmp_path / "queries.jsonl").write_text(asked, encoding="utf-8")
    shown = [("a/b", "c"), ("a", "b/c"), ("5%2F", "c")]
    rows = "".join(f"{impression},{query},p000000,1,1,5\n" for query, impression in shown)
    source, _ = opened(HEADER + rows, f"queries={tmp_path / 'queries.jsonl'}")
    lists = lists_of(source)
    assert set(lists) == {"a%2Fb/c", "a/b/c", "5%252F/c"}
    assert set(queries_of(source.spec, pa.array(list(lists))).to_pylist()) == set(names)


def test_a_split_by_time_goes_by_the_impression(opened, small) -> None:
    source, _ = opened(small, "data.split={by: time, valid: 0.25, test: 0.25}")
    lists = lists_of(source)
    times = {
        split: [one["timestamp"] for one in lists.values() if one["split"] == split]
        for split in ("train", "valid", "test")
    }
    assert max(times["train"]) < min(times["valid"]) <= max(times["valid"]) < min(times["test"])
    assert {split: len(found) for split, found in times.items()} == pytest.approx(
        {"train": 200, "valid": 100, "test": 100}, abs=5
    )
    assert source.split_bounds.test == min(times["test"])


def test_lower_positions_are_left_out_on_request(opened, small) -> None:
    source, rejected = opened(small, "positions=4")
    assert {len(one["document_id"]) for one in lists_of(source).values()} == {4}
    assert rejected.unused["document shown below position 4"] == 800
    assert rejected.total == 0


def test_impressions_may_have_features(opened, small) -> None:
    """Those of a list per query are those of the first impression."""
    pair = [Numeric(name="score", kind="numeric")]
    lists = lists_of(opened(small, pair=pair)[0])
    for (query, impression), rows in small.groupby(["query_id", "impression_id"]):
        assert lists[f"{query}/{impression}"]["score"] == rows["score"].tolist()
    first = small.groupby(["query_id", "document_id"])["score"].first()
    for query, one in lists_of(opened(small, "lists=query", pair=pair)[0]).items():
        assert one["score"] == [first[query, document] for document in one["document_id"]]


def test_a_source_can_be_read_elsewhere_and_names_its_files(opened, small) -> None:
    source, _ = opened(small)
    assert lists_of(pickle.loads(pickle.dumps(source))) == lists_of(source)
    assert {role: [path.name for path in paths] for role, paths in source_files(source.spec).items()} == {
        "queries": ["queries.jsonl"],
        "documents": ["products.jsonl"],
        "impressions": ["clicks.parquet"],
    }


def test_partitions_change_no_impression(opened, small, monkeypatch) -> None:
    expected = lists_of(opened(small)[0])
    monkeypatch.setattr(partitions, "_PARTITION", 10_000)
    assert lists_of(opened(small)[0]) == expected


# --- what cannot be used ---------------------------------------------------------------------------------------------

HEADER = "impression_id,query_id,document_id,position,clicked,timestamp\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",q00000,p000002,2,0,5", "missing impression id"),
        ("i,,p000002,2,0,5", "missing query id"),
        ("i,q00000,,2,0,5", "missing document id"),
        ("i,q00000,p000002,0,0,5", "bad position"),
        ("i,q00000,p000002,-1,0,5", "bad position"),
        ("i,q00000,p000002,1.5,0,5", "bad position"),
        ("i,q00000,p000002,,0,5", "bad position"),
        ("i,q00000,p000002,2,2,5", "clicked is neither 0 nor 1"),
        ("i,q00000,p000002,2,0.5,5", "clicked is neither 0 nor 1"),
        ("i,q00000,p000002,2,,5", "clicked is neither 0 nor 1"),
        ("i,q00000,p000002,2,yes,5", "bad label"),
        ("i,q00000,p000002,two,0,5", "value of the wrong type"),
        ("i,q00000,p000001,2,0,5", "duplicate document in an impression"),
        ("i,q00000,nothing,2,0,5", "unknown document id"),
        ("i,nobody,p000002,2,0,5", "unknown query id"),
    ],
)
def test_rows_that_cannot_be_used_are_set_aside_with_their_place(opened, row, reason) -> None:
    source, rejected = opened(f"{HEADER}i,q00000,p000001,1,1,5\n{row}\ni,q00000,p000003,3,0,5\n")
    [one] = rejected
    assert (one.file, one.line, one.reason) == ("clicks.csv", 3, reason)
    assert lists_of(source)["q00000/i"]["document_id"] == ["p000001", "p000003"]


def test_a_row_set_aside_after_reading_is_told_by_the_names_of_its_file(opened) -> None:
    _, rejected = opened(f"{HEADER}i,q00000,p000001,1,1,5\ni,q00000,p000001,2,0,7\ni,nobody,p000001,3,0,9\n")
    assert [json.loads(one.row) for one in rejected] == [
        {
            "query_id": "q00000",
            "document_id": "p000001",
            "clicked": 0.0,
            "position": 2,
            "timestamp": 7,
            "impression_id": "i",
        },
        {
            "query_id": "nobody",
            "document_id": "p000001",
            "clicked": 0.0,
            "position": 3,
            "timestamp": 9,
            "impression_id": "i",
        },
    ]


@pytest.mark.parametrize(
    ("changed", "overrides", "told"),
    [
        ({"experiment": "A"}, METHODS["swaps"], "no impression has 'swap i j' in column 'experiment'; there is 'A'"),
        (
            {"experiment": "A"},
            METHODS["randomisation"],
            "no impression has 'shuffled' in column 'experiment'; there is 'A'",
        ),
        ({"experiment": "swap 1 9"}, METHODS["swaps"], "no impression has 'swap i j' in column 'experiment'"),
        ({"experiment": "shuffled", "clicked": 0}, METHODS["randomisation"], "position 1 has 400 .* with 0 clicks"),
        ({"position": 10_001}, (), "column 'position': expected positions up to 10,000, got 10,001"),
        ({"clicked": "yes"}, (), "column 'clicked': expected numbers, got "),
        ({}, ("experiment=lab", "propensity.by=swaps"), "no column 'lab'"),
        ({}, ("timestamp=at",), "no column 'at'"),
        ({"query_id": "?"}, (), "no lists; rows set aside: {'unknown query id': 2400}"),
    ],
)
def test_faults_of_the_whole_log_are_told(opened, small, changed, overrides, told) -> None:
    with pytest.raises(DataError, match=told):
        opened(small.assign(**changed), *overrides)


def test_too_little_is_told_with_the_positions(opened, small) -> None:
    few = re.escape("propensities by randomisation: position 1 has ")
    with pytest.raises(DataError, match=few + r"\d\d impressions in random order .*; position 6 has"):
        opened(small, *METHODS["randomisation"])


def test_progress_is_told_the_rows_read(store, small, tmp_path) -> None:
    spec, told = spec_of(store, tmp_path, small), []
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        open_source(spec, tmp_path, rejected, told.append)
    assert told[-1] == 400 * POSITIONS + 300 + 2000


def test_two_runs_write_the_same_lists(opened, small) -> None:
    first, second = (
        [file.read_bytes() for file in sorted(Path(shard.directory).glob("*.arrow"))]
        for shard in (opened(small)[0].shards[0], opened(small)[0].shards[0])
    )
    assert first == second != []


def test_batches_have_the_stated_schema(opened, log) -> None:
    from ranker.data.columns import schema_of

    source, _ = opened(log[:60_000], *METHODS["em"])
    for shard in source.shards[:2]:
        for part in source.read(shard, 64):
            part.lists.validate(full=True)
            assert part.lists.schema == schema_of(source.spec)
            assert part.lists["weight"].type == pa.list_(pa.float32())
